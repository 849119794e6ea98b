//! What is said when an item's function panicked: which item, its value, and the message.

use std::any::Any;
use std::fmt::{self, Write};

/// The message a panic came with.
pub(crate) fn message(payload: &(dyn Any + Send)) -> &str {
    match (payload.downcast_ref::<&str>(), payload.downcast_ref::<String>()) {
        (Some(text), _) => text,
        (_, Some(text)) => text,
        _ => "(a panic without a text)",
    }
}

/// A value in `{:?}` form, cut off after some 80 characters: an item may be an array of millions.
pub(crate) fn abridged(value: &dyn fmt::Debug) -> String {
    let mut text = String::new();
    abridged_to(&mut text, value);
    text
}

/// Appends what [`abridged`] gives.
pub(crate) fn abridged_to(text: &mut String, value: &dyn fmt::Debug) {
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
        assert_eq!(message(&"static"), "static");
        assert_eq!(message(&String::from("formatted")), "formatted");
        assert_eq!(message(&17), "(a panic without a text)");
    }

    #[test]
    fn long_values_are_cut_off_and_short_ones_are_not() {
        assert_eq!(abridged(&"mom"), "\"mom\"");
        let exactly = "x".repeat(78);
        assert_eq!(abridged(&exactly), format!("\"{exactly}\""));
        let long = abridged(&vec![0.5; 1_000_000]);
        assert_eq!(long.chars().count(), 81);
        assert!(long.starts_with("[0.5, 0.5") && long.ends_with('…'), "{long}");
    }
}
