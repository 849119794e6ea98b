//! `check!`: any condition.

use super::Wording;

/// Checks a condition: prints a line with a ✓, or panics with a message for learners.
///
/// The message is a format string with its arguments. It is shown in both cases, after a ✓ or a ✗,
/// so say what was found and what is expected. Without a message, the source of the condition is
/// shown. Option: `hint = "…"`, see [the module](mod@crate::check).
///
/// # Panics
///
/// Panics if the condition is false.
///
/// # Examples
///
/// ```
/// use parcourse::prelude::*;
/// let additions = 63;
/// check!(additions == 63, "{additions} additions, 63 expected", hint = "64 numbers, one less");
/// check!(additions % 2 == 1);
/// ```
///
/// prints
///
/// ```text
/// ✓ 63 additions, 63 expected
/// ✓ additions % 2 == 1
/// ```
///
/// ```should_panic
/// # use parcourse::prelude::*;
/// let places = vec![3, 1, 2];
/// check!(places.is_sorted(), "expected places in order, found {places:?}", hint = "sort them");
/// ```
#[macro_export]
macro_rules! check {
    (@message [$condition:expr] [$wording:expr] [$($message:tt)*] hint = $hint:expr $(,)?) => {
        $crate::check::condition(
            $condition,
            ::std::format!($($message)*),
            $wording.hint(::std::format!($hint)),
        )
    };
    (@message [$condition:expr] [$wording:expr] [$($message:tt)*]
        $name:ident = $argument:expr $(, $($rest:tt)*)?) => {
        $crate::check!(
            @message [$condition] [$wording] [$($message)* $name = $argument,] $($($rest)*)?
        )
    };
    (@message [$condition:expr] [$wording:expr] [$($message:tt)*]
        $argument:expr $(, $($rest:tt)*)?) => {
        $crate::check!(@message [$condition] [$wording] [$($message)* $argument,] $($($rest)*)?)
    };
    (@message [$condition:expr] [$wording:expr] [$($message:tt)*]) => {
        $crate::check::condition($condition, ::std::format!($($message)*), $wording)
    };
    ($condition:expr $(, hint = $hint:expr)? $(,)?) => {
        $crate::check::condition(
            $condition,
            ::std::string::String::new(),
            $crate::__check_options!(
                $crate::check::Wording::of(::std::stringify!($condition)) $(, hint = $hint)?
            ),
        )
    };
    ($condition:expr, $($rest:tt)+) => {
        $crate::check!(@message [$condition] [$crate::check::Wording::of("")] [] $($rest)+)
    };
}

/// For the macro only.
#[doc(hidden)]
#[track_caller]
pub fn condition(holds: bool, message: String, wording: Wording) {
    let message = if message.is_empty() { wording.subject() } else { &message };
    if holds { wording.pass(message) } else { wording.fail(message) }
}

#[cfg(test)]
mod tests {
    use crate::check::wording::failure;

    #[test]
    fn message_takes_arguments_and_a_hint() {
        let found = 3;
        crate::check!(found == 3);
        crate::check!(found == 3, "{found} found",);
        assert_eq!(failure(|| crate::check!(found == 4)), "✗ found == 4");
        assert_eq!(
            failure(|| crate::check!(found == 4, hint = "count {found}")),
            "✗ found == 4\n  Hint: count 3"
        );
        assert_eq!(failure(|| crate::check!(found == 4, "{found}, not {}", 1 + 3)), "✗ 3, not 4");
        let named =
            failure(|| crate::check!(found == 4, "{} of {n}", found, n = 4, hint = "count",));
        assert_eq!(named, "✗ 3 of 4\n  Hint: count");
    }
}
