//! The text of a panic, and the text of the value that was being worked on.

use std::any::Any;
use std::fmt::{self, Write};

/// The message of a panic with this payload.
pub(crate) fn panic_message(payload: &(dyn Any + Send)) -> &str {
    match (payload.downcast_ref::<&str>(), payload.downcast_ref::<String>()) {
        (Some(text), _) => text,
        (_, Some(text)) => text,
        _ => "(non-string panic payload)",
    }
}

/// A value in `{:?}` form, truncated to about 80 characters: an item may be an array of millions.
pub(crate) fn truncated_debug(value: &dyn fmt::Debug) -> String {
    let mut text = String::new();
    append_truncated_debug(&mut text, value);
    text
}

/// Appends what [`truncated_debug`] returns.
pub(crate) fn append_truncated_debug(text: &mut String, value: &dyn fmt::Debug) {
    struct Bounded<'text> {
        text: &'text mut String,
        characters_left: usize,
    }
    impl Write for Bounded<'_> {
        fn write_str(&mut self, part: &str) -> fmt::Result {
            // The error makes the value stop formatting itself.
            match part.char_indices().nth(self.characters_left) {
                None => {
                    self.characters_left -= part.chars().count();
                    self.text.push_str(part);
                    Ok(())
                }
                Some((end, _)) => {
                    self.characters_left = 0;
                    self.text.push_str(&part[..end]);
                    Err(fmt::Error)
                }
            }
        }
    }
    if write!(Bounded { text, characters_left: 80 }, "{value:?}").is_err() {
        text.push('…');
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_of_both_kinds_of_panic() {
        assert_eq!(panic_message(&"static"), "static");
        assert_eq!(panic_message(&String::from("formatted")), "formatted");
        assert_eq!(panic_message(&17), "(non-string panic payload)");
    }

    #[test]
    fn long_values_are_truncated() {
        assert_eq!(truncated_debug(&"mom"), "\"mom\"");
        let exactly = "x".repeat(78);
        assert_eq!(truncated_debug(&exactly), format!("\"{exactly}\""));
        let long = truncated_debug(&vec![0.5; 1_000_000]);
        assert_eq!(long.chars().count(), 81);
        assert!(long.starts_with("[0.5, 0.5") && long.ends_with('…'), "{long}");
    }
}
