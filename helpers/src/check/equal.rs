//! `check_eq!`: equal values, and where they are not.

use super::Wording;
use super::difference::difference;
use crate::base::panic_message::truncated_debug;
use std::fmt::Debug;

/// Checks that a value is the expected one: prints it with a ✓, or panics with a message for
/// learners.
///
/// The failing message names both values; of sequences and long texts it shows the first
/// difference, and the lengths if they differ. Both are written in full for that (`{:?}`), when the
/// check fails. For floats that need not agree to the last digit there is
/// [`check_close!`](crate::check_close!).
///
/// Options: `hint = "…"`, `what = "…"`, see [the module](mod@crate::check).
///
/// # Panics
///
/// When the two are not equal.
///
/// # Examples
///
/// ```
/// use parcourse::prelude::*;
/// let words = ["computer", "thesis", "mom"];
/// check_eq!(map(|word| word.len(), &words), [8, 6, 3], what = "the lengths of {words:?}");
/// ```
///
/// prints
///
/// ```text
/// ✓ the lengths of ["computer", "thesis", "mom"] is [8, 6, 3]
/// ```
///
/// ```should_panic
/// # use parcourse::prelude::*;
/// check_eq!((0..100).collect::<Vec<_>>(), (1..=100).collect::<Vec<_>>());
/// // ✗ (0..100).collect::<Vec<_>>(): element 0 is 0, expected 1 (100 elements)
/// ```
#[macro_export]
macro_rules! check_eq {
    ($answer:expr, $expected:expr $(, $($options:tt)*)?) => {
        // A `match` and no `let`: temporaries live as long as they would without the macro.
        match (&$answer, &$expected) {
            (answer, expected) => $crate::check::equal(
                answer,
                expected,
                $crate::__check_options!($crate::check::Wording::of(::std::stringify!($answer)), $($($options)*)?),
            ),
        }
    };
}

/// For the macro only.
#[doc(hidden)]
#[track_caller]
pub fn equal<A, E>(answer: &A, expected: &E, wording: Wording)
where
    A: PartialEq<E> + Debug + ?Sized,
    E: Debug + ?Sized,
{
    tell(answer == expected, &answer, &expected, &wording);
}

#[inline(never)]
#[track_caller]
fn tell(holds: bool, answer: &dyn Debug, expected: &dyn Debug, wording: &Wording) {
    if holds {
        wording.pass(format_args!("{} is {}", wording.subject(), truncated_debug(answer)));
    } else {
        wording.fail(difference(
            wording.subject(),
            &format!("{answer:?}"),
            &format!("{expected:?}"),
        ));
    }
}

#[cfg(test)]
mod tests {
    use crate::check::wording::failure;

    #[test]
    fn types_may_differ_as_far_as_they_can_be_compared() {
        crate::check_eq!(vec![1, 2], [1, 2]);
        crate::check_eq!("mom".to_string(), "mom", hint = "never shown");
        crate::check_eq!(Some(3).filter(|x| x % 2 == 0), None);
        crate::check_eq!("a".to_string() + "b", *"ab",);
    }

    #[test]
    fn failure_names_both_and_hints() {
        let n = 3;
        let message =
            failure(|| crate::check_eq!(n * 2, 7, what = "twice {n}", hint = "is {n} right?"));
        assert_eq!(message, "✗ twice 3 is 6, expected 7\n  Hint: is 3 right?");
    }
}
