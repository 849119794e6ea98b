//! The messages of a check: subject, verdict, hint.

use std::fmt::Display;

/// The message of one check; for the macros only.
#[doc(hidden)]
#[derive(Clone, PartialEq, Debug)]
pub struct Wording {
    what: String,
    hint: Option<String>,
    /// Of `check_fast!`.
    pub(super) factor: f64,
}

/// Longer sources of an expression would hide the message.
const MAX_SUBJECT: usize = 80;

impl Wording {
    /// From the source of an expression; for a closure without arguments, from its body.
    pub fn of(source: &str) -> Wording {
        let words: Vec<&str> = source.split_whitespace().collect();
        let line = words.join(" ");
        let line = line.strip_prefix("move ").unwrap_or(&line);
        let body = line.strip_prefix("||").unwrap_or(line).trim_start();
        Wording { what: shortened(body, MAX_SUBJECT), hint: None, factor: 1.0 }
    }

    pub fn what(self, what: String) -> Wording {
        Wording { what, ..self }
    }

    pub fn hint(self, hint: String) -> Wording {
        Wording { hint: Some(hint), ..self }
    }

    #[track_caller]
    pub fn factor(self, factor: f64) -> Wording {
        assert!(factor > 0.0, "`factor` must be larger than 0");
        Wording { factor, ..self }
    }

    pub(super) fn subject(&self) -> &str {
        &self.what
    }

    /// The check passes: prints one line.
    pub(super) fn pass(&self, found: impl Display) {
        println!("✓ {found}");
    }

    /// The check is impossible on this system.
    pub(super) fn skip(&self, reason: &str) {
        println!("– {} was not checked: {reason}", self.what);
    }

    /// The check fails: panics at the caller's location.
    #[track_caller]
    pub(super) fn fail(&self, found: impl Display) -> ! {
        match &self.hint {
            Some(hint) => panic!("✗ {found}\n  Hint: {hint}"),
            None => panic!("✗ {found}"),
        }
    }
}

/// At most `most` characters, with a `…` if there were more.
pub(super) fn shortened(text: &str, limit: usize) -> String {
    match text.char_indices().nth(limit) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_string(),
    }
}

/// The options of a check, one after the other; for the macros only.
#[macro_export]
#[doc(hidden)]
macro_rules! __check_options {
    ($wording:expr $(,)?) => { $wording };
    ($wording:expr, hint = $hint:expr $(, $($rest:tt)*)?) => {
        $crate::__check_options!($wording.hint(::std::format!($hint)), $($($rest)*)?)
    };
    ($wording:expr, what = $what:expr $(, $($rest:tt)*)?) => {
        $crate::__check_options!($wording.what(::std::format!($what)), $($($rest)*)?)
    };
    ($wording:expr, factor = $factor:expr $(, $($rest:tt)*)?) => {
        $crate::__check_options!($wording.factor($factor), $($($rest)*)?)
    };
    ($wording:expr, $unknown:ident = $value:expr $(, $($rest:tt)*)?) => {
        ::std::compile_error!(::std::concat!(
            "unknown option `",
            ::std::stringify!($unknown),
            "`: there are `hint` and `what`, and `factor` for `check_fast!`"
        ))
    };
    ($wording:expr, $($rest:tt)*) => {
        ::std::compile_error!("options of a check are written `hint = \"…\"` and come last")
    };
}

/// The message of a panic; for tests of the checks.
#[cfg(test)]
pub(super) fn failure(f: impl FnOnce()) -> String {
    let payload = std::panic::catch_unwind(std::panic::AssertUnwindSafe(f))
        .expect_err("the check should have failed");
    crate::base::panic_message::panic_message(&*payload).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn subject_is_one_line_of_source() {
        assert_eq!(Wording::of("mean(&words)").subject(), "mean(&words)");
        assert_eq!(Wording::of("|| mean(&words)").subject(), "mean(&words)");
        assert_eq!(
            Wording::of("move || {\n    let a = 1;\n    f(a)\n}").subject(),
            "{ let a = 1; f(a) }"
        );
        let long = Wording::of(&"é".repeat(100));
        assert_eq!(long.subject().chars().count(), 81);
        assert_eq!(long.what("all of them".to_string()).subject(), "all of them");
    }

    #[test]
    fn hint_stands_below_the_message() {
        let wording = Wording::of("f(x)");
        assert_eq!(failure(|| wording.fail("wrong")), "✗ wrong");
        let word = "loop";
        let wording = crate::__check_options!(wording, hint = "use a {word}", what = "f({word})",);
        assert_eq!(failure(|| wording.fail(wording.subject())), "✗ f(loop)\n  Hint: use a loop");
    }
}
