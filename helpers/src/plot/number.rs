//! Numbers that can be plotted.

use crate::format::FineDuration;
use std::time::Duration;

/// A number that can be drawn: all of Rust's number types, durations as seconds, and references to
/// them.
///
/// # Examples
///
/// ```
/// use parcourse::plot::Number;
/// use std::time::Duration;
/// assert_eq!(7_u8.to_f64(), 7.0);
/// assert_eq!((&0.5).to_f64(), 0.5);
/// assert_eq!(Duration::from_millis(20).to_f64(), 0.02);
/// ```
pub trait Number {
    /// The unit, if the type implies one: `s` for durations. Shown at an axis without a label.
    const UNIT: &'static str = "";

    /// Converts to the nearest floating-point number; above 2⁵³ not every integer has one of its
    /// own.
    fn to_f64(self) -> f64;
}

macro_rules! primitive {
    ($($type:ty)*) => {
        $(impl Number for $type {
            fn to_f64(self) -> f64 {
                self as f64
            }
        })*
    };
}

primitive!(u8 u16 u32 u64 u128 usize i8 i16 i32 i64 i128 isize f32 f64);

impl Number for Duration {
    const UNIT: &'static str = "s";

    fn to_f64(self) -> f64 {
        self.as_secs_f64()
    }
}

impl Number for FineDuration {
    const UNIT: &'static str = "s";

    fn to_f64(self) -> f64 {
        self.0.as_secs_f64()
    }
}

impl<T: Number + Copy> Number for &T {
    const UNIT: &'static str = T::UNIT;

    fn to_f64(self) -> f64 {
        (*self).to_f64()
    }
}

/// Collects all numbers, with their unit.
pub(super) fn collect<I: IntoIterator<Item: Number>>(numbers: I) -> (Vec<f64>, &'static str) {
    (numbers.into_iter().map(Number::to_f64).collect(), <I::Item as Number>::UNIT)
}
