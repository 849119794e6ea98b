//! `check_eq!`: equal values, or where they differ.

use super::Wording;
use super::wording::shortened;
use crate::base::panic_message::truncated_debug;
use std::fmt::Debug;

/// Checks that a value is the expected one: prints it with a ✓, or panics with a message for
/// learners.
///
/// The failure message shows both values; for sequences and long texts it shows the first
/// difference, and the lengths if they differ. A failing check formats both values in full
/// (`{:?}`). For floats that need not agree to the last digit, use
/// [`check_close!`](crate::check_close!).
///
/// Options: `hint = "…"`, `what = "…"`, see [the module](mod@crate::check).
///
/// # Panics
///
/// Panics if the two are not equal.
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
        // A `match` instead of `let`: temporaries live as long as without the macro.
        match (&$answer, &$expected) {
            (answer, expected) => $crate::check::equal(
                answer,
                expected,
                $crate::__check_options!(
                    $crate::check::Wording::of(::std::stringify!($answer)),
                    $($($options)*)?
                ),
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
    report(answer == expected, &answer, &expected, &wording);
}

#[inline(never)]
#[track_caller]
fn report(holds: bool, answer: &dyn Debug, expected: &dyn Debug, wording: &Wording) {
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

/// Texts up to this length are shown in full.
const SHORT: usize = 60;

/// A sentence about two values that differ, from their `{:?}` texts.
pub(super) fn difference(what: &str, answer: &str, expected: &str) -> String {
    if answer == expected {
        return format!(
            "{what} is {}, but not equal to the expected value, which prints the same \
             (NaN is equal to nothing)",
            shortened(answer, SHORT)
        );
    }
    let short = |text: &str| text.chars().count() <= SHORT;
    if short(answer) && short(expected) {
        return format!("{what} is {answer}, expected {expected}");
    }
    match (elements(answer), elements(expected)) {
        (Some(answer), Some(expected)) => of_sequences(what, &answer, &expected),
        _ => of_texts(what, answer, expected),
    }
}

fn of_sequences(what: &str, answer: &[&str], expected: &[&str]) -> String {
    let place = answer.iter().zip(expected).position(|(answer, expected)| answer != expected);
    let first = place.map(|i| {
        format!(
            "element {i} is {}, expected {}",
            shortened(answer[i], SHORT),
            shortened(expected[i], SHORT)
        )
    });
    let same_length = answer.len() == expected.len();
    match first {
        Some(first) if same_length => format!("{what}: {first} ({} elements)", answer.len()),
        Some(first) => {
            format!("{what} has {} elements, expected {}; {first}", answer.len(), expected.len())
        }
        None => {
            let common = answer.len().min(expected.len());
            format!(
                "{what} has {} elements, expected {}; the first {common} are right",
                answer.len(),
                expected.len()
            )
        }
    }
}

/// Shows the surroundings of the first difference.
fn of_texts(what: &str, answer: &str, expected: &str) -> String {
    let same = answer.chars().zip(expected.chars()).take_while(|(a, b)| a == b).count();
    let from = same.saturating_sub(SHORT / 3);
    let cut = |text: &str| {
        let start = if from > 0 { "…" } else { "" };
        let rest: String = text.chars().skip(from).collect();
        format!("{start}{}", shortened(&rest, SHORT))
    };
    format!("{what} differs at character {same}: it is {}, expected {}", cut(answer), cut(expected))
}

/// The elements of `[a, b, c]`; `None` for anything else.
fn elements(text: &str) -> Option<Vec<&str>> {
    let inner = text.strip_prefix('[')?.strip_suffix(']')?;
    let (mut depth, mut quote, mut escaped) = (0usize, None, false);
    let (mut parts, mut start) = (Vec::new(), 0);
    for (at, character) in inner.char_indices() {
        if let Some(end) = quote {
            match character {
                _ if escaped => escaped = false,
                '\\' => escaped = true,
                _ if character == end => quote = None,
                _ => {}
            }
            continue;
        }
        match character {
            '"' | '\'' => quote = Some(character),
            '[' | '(' | '{' => depth += 1,
            // Below 0: several bracketed parts, not one.
            ']' | ')' | '}' => depth = depth.checked_sub(1)?,
            ',' if depth == 0 => {
                parts.push(inner[start..at].trim());
                start = at + 1;
            }
            _ => {}
        }
    }
    if !inner.trim().is_empty() {
        parts.push(inner[start..].trim());
    }
    Some(parts)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::wording::failure;
    use std::fmt::Debug;

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

    fn message(answer: impl Debug, expected: impl Debug) -> String {
        difference("f(x)", &format!("{answer:?}"), &format!("{expected:?}"))
    }

    #[test]
    fn short_values_are_shown_whole() {
        assert_eq!(message([1, 2], [1, 3]), "f(x) is [1, 2], expected [1, 3]");
        assert_eq!(message(None::<i32>, Some(3)), "f(x) is None, expected Some(3)");
        assert!(message(f64::NAN, f64::NAN).contains("NaN is equal to nothing"));
    }

    #[test]
    fn of_long_sequences_the_first_difference() {
        let numbers: Vec<i32> = (0..1000).collect();
        let mut other = numbers.clone();
        other[700] = -1;
        assert_eq!(
            message(&other, &numbers),
            "f(x): element 700 is -1, expected 700 (1000 elements)"
        );
        assert_eq!(
            message(&numbers[..999], &numbers),
            "f(x) has 999 elements, expected 1000; the first 999 are right"
        );
        assert_eq!(
            message(&other[1..], &numbers),
            "f(x) has 999 elements, expected 1000; element 0 is 1, expected 0"
        );
        assert_eq!(
            message(Vec::<i32>::new(), &numbers),
            "f(x) has 0 elements, expected 1000; the first 0 are right"
        );
    }

    #[test]
    fn elements_may_contain_commas_and_quotes() {
        let (a, b) = ((1, "x, \"y]\"", '"'), (2, "z", ','));
        let text = format!("{:?}", [a, b]);
        assert_eq!(elements(&text).unwrap(), [format!("{a:?}"), format!("{b:?}")]);
        assert_eq!(elements("[]"), Some(vec![]));
        assert_eq!(elements("[1], shape=[1]"), None);
    }

    #[test]
    fn of_long_texts_the_surroundings() {
        let (mut answer, expected) = ("pea soup ".repeat(20), "pea soup ".repeat(20));
        answer.replace_range(100..101, "X");
        let message = message(&answer, &expected);
        assert!(
            message
                .starts_with("f(x) differs at character 101: it is … pea soup pea soup pXa soup"),
            "{message}"
        );
        assert!(message.chars().count() < 220, "{message}");
    }
}
