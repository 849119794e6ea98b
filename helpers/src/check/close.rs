//! `check_close!`: numbers that agree within a tolerance.

use super::Wording;
use crate::format::four_figures;
use ndarray::{ArrayBase, ArrayView, Data, Dimension, IxDyn};

/// Checks that numbers agree within a relative tolerance: prints a line with a ✓, or panics with a
/// message for learners.
///
/// Takes numbers, slices, arrays, vectors and ndarray's arrays of any dimension; the shapes must be
/// equal. A number is close if it differs from the expected one by at most `tolerance` times the
/// expected one. If 0 is expected, a single number may differ by `tolerance` itself, and one in a
/// sequence by `tolerance` times the largest expected number. NaN is close to nothing.
///
/// Options: `hint = "…"`, `what = "…"`, see [the module](mod@crate::check). Memory: both sequences
/// as `f64`, temporarily.
///
/// # Panics
///
/// Panics if the shapes differ, or any number is off.
///
/// # Examples
///
/// ```
/// use parcourse::prelude::*;
/// let a = array![[1.0, 2.0], [3.0, 4.0]];
/// check_close!(2f64.sqrt(), 1.414, 1e-3);
/// check_close!(&a / 3.0 * 3.0, a, 1e-12, what = "a / 3 * 3");
/// ```
///
/// prints
///
/// ```text
/// ✓ 2f64.sqrt() is 1.4142135623730951 (1.414 expected, relative error 0.0001511)
/// ✓ a / 3 * 3: 4 numbers, relative error at most 0
/// ```
///
/// ```should_panic
/// # use parcourse::prelude::*;
/// check_close!([1.0, 2.0, 3.5], [1.0, 2.0, 3.0], 1e-9);
/// // ✗ [1.0, 2.0, 3.5]: number 2 is 3.5, expected 3
/// // (relative error 0.1667, 1e-9 allowed; 1 of 3 numbers is off)
/// ```
#[macro_export]
macro_rules! check_close {
    ($answer:expr, $expected:expr, $tolerance:expr $(, $($options:tt)*)?) => {
        match (&$answer, &$expected) {
            (answer, expected) => $crate::check::close(
                answer,
                expected,
                $tolerance,
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
pub fn close(
    answer: &(impl Numbers + ?Sized),
    expected: &(impl Numbers + ?Sized),
    tolerance: f64,
    wording: Wording,
) {
    compare(
        (answer.shape(), &|| answer.numbers()),
        (expected.shape(), &|| expected.numbers()),
        tolerance,
        &wording,
    );
}

/// A shape, and a function that returns the numbers in it.
type Shaped<'a> = (Vec<usize>, &'a dyn Fn() -> Vec<f64>);

#[inline(never)]
#[track_caller]
fn compare(
    (shape, answers): Shaped,
    (expected_shape, expected): Shaped,
    tolerance: f64,
    wording: &Wording,
) {
    let what = wording.subject();
    if shape != expected_shape {
        wording.fail(format_args!("{what} has the shape {shape:?}, expected {expected_shape:?}"));
    }
    let (answers, expected) = (answers(), expected());
    let largest = expected.iter().fold(0.0f64, |largest, x| largest.max(x.abs()));
    let errors: Vec<f64> = answers
        .iter()
        .zip(&expected)
        .map(|(&answer, &expected)| error(answer, expected, largest))
        .collect();
    // Negated, so that NaN is off.
    let off = errors.iter().filter(|&&error| !(error <= tolerance)).count();
    let worst = errors.iter().fold(0.0f64, |worst, &error| worst.max(error));
    match errors.iter().position(|&error| !(error <= tolerance)) {
        None if shape.is_empty() && worst == 0.0 => {
            wording.pass(format_args!("{what} is {}", answers[0]))
        }
        None if shape.is_empty() => {
            let (answer, expected, worst) = (answers[0], expected[0], four_figures(worst));
            wording.pass(format_args!(
                "{what} is {answer} ({expected} expected, relative error {worst})"
            ));
        }
        None => wording.pass(format_args!(
            "{what}: {} numbers, relative error at most {}",
            answers.len(),
            four_figures(worst)
        )),
        Some(first) => {
            let (answer, expected) = (answers[first], expected[first]);
            let figures = format!(
                "relative error {}, {} allowed",
                four_figures(errors[first]),
                four_figures(tolerance)
            );
            if shape.is_empty() {
                wording.fail(format_args!("{what} is {answer}, expected {expected} ({figures})"));
            }
            let (index, is) = (index_text(first, &shape), if off == 1 { "is" } else { "are" });
            let share = format!("{off} of {} numbers {is} off", answers.len());
            wording.fail(format_args!(
                "{what}: number {index} is {answer}, expected {expected} ({figures}; {share})"
            ));
        }
    }
}

/// The error relative to the expected number; if that is 0, relative to the largest expected one;
/// if all are 0, absolute.
fn error(answer: f64, expected: f64, largest: f64) -> f64 {
    if answer == expected {
        return 0.0;
    }
    let scale = if expected != 0.0 {
        expected.abs()
    } else if largest > 0.0 {
        largest
    } else {
        1.0
    };
    // Infinity was expected and not found: the quotient would be NaN or 0.
    if scale.is_finite() { (answer - expected).abs() / scale } else { f64::INFINITY }
}

/// `3` in a sequence, `[1, 2]` in an array.
fn index_text(number: usize, shape: &[usize]) -> String {
    if shape.len() == 1 {
        return number.to_string();
    }
    let (mut rest, mut indices) = (number, Vec::new());
    for &length in shape.iter().rev() {
        indices.push(rest % length);
        rest /= length;
    }
    indices.reverse();
    format!("{indices:?}")
}

/// A number that converts to `f64`, possibly with rounding.
pub trait Number: Copy {
    /// The numbers as `f64`, the last axis fastest.
    fn numbers_of(numbers: ArrayView<'_, Self, IxDyn>) -> Vec<f64>;
}

macro_rules! number {
    ($($type:ty)*) => {
        $(
            impl Number for $type {
                fn numbers_of(numbers: ArrayView<'_, $type, IxDyn>) -> Vec<f64> {
                    match numbers.as_slice() {
                        Some(numbers) => numbers.iter().map(|&x| x as f64).collect(),
                        None => numbers.iter().map(|&x| x as f64).collect(),
                    }
                }
            }

            impl Numbers for $type {
                fn shape(&self) -> Vec<usize> {
                    Vec::new()
                }

                fn numbers(&self) -> Vec<f64> {
                    vec![*self as f64]
                }
            }
        )*
    };
}

number!(f32 f64 u8 u16 u32 u64 usize i8 i16 i32 i64 isize);

/// Numbers in a shape, for [`check_close!`](crate::check_close!). A single number has the shape
/// `[]`.
pub trait Numbers {
    /// The length along each axis.
    fn shape(&self) -> Vec<usize>;

    /// The numbers, the last axis fastest.
    fn numbers(&self) -> Vec<f64>;
}

impl<T: Numbers + ?Sized> Numbers for &T {
    fn shape(&self) -> Vec<usize> {
        (**self).shape()
    }

    fn numbers(&self) -> Vec<f64> {
        (**self).numbers()
    }
}

impl<T: Number> Numbers for [T] {
    fn shape(&self) -> Vec<usize> {
        vec![self.len()]
    }

    fn numbers(&self) -> Vec<f64> {
        T::numbers_of(ArrayView::from(self).into_dyn())
    }
}

impl<T: Number> Numbers for Vec<T> {
    fn shape(&self) -> Vec<usize> {
        self.as_slice().shape()
    }

    fn numbers(&self) -> Vec<f64> {
        self.as_slice().numbers()
    }
}

impl<T: Number, const N: usize> Numbers for [T; N] {
    fn shape(&self) -> Vec<usize> {
        vec![N]
    }

    fn numbers(&self) -> Vec<f64> {
        self.as_slice().numbers()
    }
}

impl<T: Number, S: Data<Elem = T>, D: Dimension> Numbers for ArrayBase<S, D> {
    fn shape(&self) -> Vec<usize> {
        ArrayBase::shape(self).to_vec()
    }

    fn numbers(&self) -> Vec<f64> {
        T::numbers_of(self.view().into_dyn())
    }
}

#[cfg(test)]
mod tests {
    use crate::check::wording::failure;
    use ndarray::{Array2, array};

    #[test]
    fn tolerance_is_relative_and_absolute_at_zero() {
        crate::check_close!(1e9 + 1.0, 1e9, 1e-8);
        crate::check_close!(1e-10, 0.0, 1e-9);
        crate::check_close!([1e6, 1e-4], [1e6, 0.0], 1e-9);
        crate::check_close!(f64::INFINITY, f64::INFINITY, 1e-9);
        assert!(failure(|| crate::check_close!(1e-9, 2e-9, 1e-3)).contains("relative error 0.5"));
        assert!(failure(|| crate::check_close!(1.0, f64::INFINITY, 1e-3)).contains("expected inf"));
        assert!(
            failure(|| crate::check_close!(f64::NAN, 1.0, 1e-3)).contains("is NaN, expected 1 ")
        );
        assert!(
            failure(|| crate::check_close!(f64::NAN, f64::NAN, 1e-3))
                .contains("is NaN, expected NaN ")
        );
    }

    #[test]
    fn anything_made_of_numbers() {
        let (vector, matrix) = (vec![1.0f32, 2.0], array![[1.0, 2.0], [3.0, 4.0]]);
        crate::check_close!(vector, [1, 2], 0.0);
        crate::check_close!(&vector[1..], vec![2.0], 0.0);
        crate::check_close!(matrix.row(1), array![3.0, 4.0], 0.0);
        crate::check_close!(7usize, 7.0, 0.0, hint = "never shown");
        crate::check_close!(Vec::<f64>::new(), [0.0; 0], 0.0);
    }

    #[test]
    fn failure_says_where_and_how_much() {
        let shape = failure(|| {
            crate::check_close!(vec![1.0], [1.0, 2.0], 0.1, what = "f(x)", hint = "count")
        });
        assert_eq!(shape, "✗ f(x) has the shape [1], expected [2]\n  Hint: count");
        let mut answer = Array2::<f64>::ones((3, 4));
        answer[[1, 2]] = 3.0;
        answer[[2, 0]] = f64::NAN;
        let message = failure(|| crate::check_close!(answer, Array2::<f64>::ones((3, 4)), 1e-9));
        assert_eq!(
            message,
            "✗ answer: number [1, 2] is 3, expected 1 \
             (relative error 2, 1e-9 allowed; 2 of 12 numbers are off)"
        );
    }
}
