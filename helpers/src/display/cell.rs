//! What stands in a table's cells, and how it is written.

use crate::time::FineDuration;
use std::time::Duration;

/// A value that a [`Table`](super::Table) can hold: numbers, durations, texts, `bool`, `Option`s
/// and references of them.
///
/// Values of other types go in as texts: `.column("host", hosts.iter().map(|host|
/// host.to_string()))`.
pub trait Cell {
    /// The value as the table keeps it.
    fn into_content(self) -> Content;
}

/// A cell's value, as a table keeps it.
#[derive(Clone, PartialEq, Debug)]
#[non_exhaustive]
pub enum Content {
    /// Nothing; an empty cell.
    Missing,
    /// Text, aligned left.
    Text(String),
    /// A whole number, written in full.
    Whole(i128),
    /// A number, written with four significant figures.
    Number(f64),
    /// A duration, written with three significant figures and its unit; as a number, seconds.
    Duration(Duration),
}

impl Content {
    /// The number it is; durations in seconds.
    pub fn number(&self) -> Option<f64> {
        match *self {
            Content::Missing | Content::Text(_) => None,
            Content::Whole(number) => Some(number as f64),
            Content::Number(number) => Some(number),
            Content::Duration(duration) => Some(duration.as_secs_f64()),
        }
    }

    /// Written by itself; numbers with `decimals`, if the column has agreed on some.
    pub(super) fn text(&self, decimals: Option<usize>) -> String {
        match (self, decimals) {
            (Content::Missing, _) => String::new(),
            (Content::Text(text), _) => text.clone(),
            (Content::Whole(number), _) => number.to_string(),
            (Content::Number(number), Some(decimals)) if number.is_finite() => {
                format!("{number:.decimals$}")
            }
            (Content::Number(number), _) => four_figures(*number),
            (Content::Duration(duration), _) => FineDuration(*duration).to_string(),
        }
    }
}

/// Values for one row of a [`Table`](super::Table): a tuple of up to eight [`Cell`]s, which may be
/// of different types, or an array.
pub trait Row {
    /// The row's values from left to right.
    fn into_contents(self) -> Vec<Content>;
}

impl<C: Cell, const N: usize> Row for [C; N] {
    fn into_contents(self) -> Vec<Content> {
        self.into_iter().map(Cell::into_content).collect()
    }
}

impl Row for Vec<Content> {
    fn into_contents(self) -> Vec<Content> {
        self
    }
}

macro_rules! tuple {
    ($(($($name:ident)*))*) => {
        $(impl<$($name: Cell),*> Row for ($($name,)*) {
            #[allow(non_snake_case)]
            fn into_contents(self) -> Vec<Content> {
                let ($($name,)*) = self;
                vec![$($name.into_content()),*]
            }
        })*
    };
}

tuple!((A) (A B) (A B C) (A B C D) (A B C D E) (A B C D E F) (A B C D E F G) (A B C D E F G H));

/// The most significant figures a number is written with.
const FIGURES: i32 = 4;

/// A number with four significant figures and no zeros at its end: `0.5`, `3.142`, `12350`,
/// `1.235e-7`.
pub(crate) fn four_figures(number: f64) -> String {
    if number == 0.0 || !number.is_finite() {
        // Without the sign of a negative zero.
        return format!("{}", number + 0.0);
    }
    let rounded = format!("{number:.*e}", FIGURES as usize - 1);
    let (mantissa, exponent) = rounded.split_once('e').unwrap_or((&rounded, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    match exponent {
        -4..=5 => {
            let decimals = (FIGURES - 1 - exponent).max(0) as usize;
            without_zeros(&format!("{number:.decimals$}")).to_string()
        }
        _ => format!("{}e{exponent}", without_zeros(mantissa)),
    }
}

/// Zeros at the end of a fraction say nothing.
pub(crate) fn without_zeros(text: &str) -> &str {
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.') } else { text }
}

/// The decimals that all numbers of a column can be written with, so that their points stand below
/// each other.
///
/// None where that would hide figures or show more than there are: when the numbers differ too much
/// in size.
pub(super) fn common_decimals(numbers: impl IntoIterator<Item = f64>) -> Option<usize> {
    let texts: Vec<String> =
        numbers.into_iter().filter(|number| number.is_finite()).map(four_figures).collect();
    if texts.iter().any(|text| text.contains('e')) {
        return None;
    }
    let decimals = |text: &String| text.split_once('.').map_or(0, |(_, fraction)| fraction.len());
    let digits =
        |text: &String| text.split('.').next().unwrap_or("").trim_start_matches(['-', '0']).len();
    let (decimals, digits) = (texts.iter().map(decimals).max()?, texts.iter().map(digits).max()?);
    (decimals + digits <= FIGURES as usize + 2).then_some(decimals)
}

macro_rules! whole {
    ($($type:ty)*) => {
        $(impl Cell for $type {
            fn into_content(self) -> Content {
                i128::try_from(self).map_or(Content::Number(self as f64), Content::Whole)
            }
        })*
    };
}

whole!(u8 u16 u32 u64 u128 usize i8 i16 i32 i64 i128 isize);

macro_rules! cell {
    ($($type:ty, $value:ident => $content:expr;)*) => {
        $(impl Cell for $type {
            fn into_content(self) -> Content {
                let $value = self;
                $content
            }
        })*
    };
}

cell! {
    f32, number => Content::Number(f64::from(number));
    f64, number => Content::Number(number);
    Duration, duration => Content::Duration(duration);
    FineDuration, duration => Content::Duration(duration.0);
    &str, text => Content::Text(text.into());
    String, text => Content::Text(text);
    &String, text => Content::Text(text.clone());
    &&str, text => Content::Text((*text).into());
    char, character => Content::Text(character.into());
    bool, truth => Content::Text(truth.to_string());
    std::borrow::Cow<'_, str>, text => Content::Text(text.into_owned());
    Content, content => content;
    &Content, content => content.clone();
}

impl<T: Cell> Cell for Option<T> {
    fn into_content(self) -> Content {
        self.map_or(Content::Missing, T::into_content)
    }
}

macro_rules! reference {
    ($($type:ty)*) => {
        $(impl Cell for &$type {
            fn into_content(self) -> Content {
                (*self).into_content()
            }
        })*
    };
}

reference!(u8 u16 u32 u64 u128 usize i8 i16 i32 i64 i128 isize f32 f64 Duration FineDuration char bool);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn four_significant_figures() {
        let expected = [
            (0.0, "0"),
            (-0.0, "0"),
            (0.5, "0.5"),
            (1.0, "1"),
            (3.14159, "3.142"),
            (-12.3456, "-12.35"),
            (0.00123456, "0.001235"),
            (99999.0, "99999"),
            (123456.7, "123457"),
            (1234567.0, "1.235e6"),
            (1e9, "1e9"),
            (0.00001234, "1.234e-5"),
            (0.99996, "1"),
            (f64::NAN, "NaN"),
            (f64::INFINITY, "inf"),
        ];
        for (number, text) in expected {
            assert_eq!(four_figures(number), text);
        }
    }

    #[test]
    fn columns_agree_on_decimals_where_it_helps() {
        assert_eq!(common_decimals([1.0, 1.9312, 3.7]), Some(3));
        assert_eq!(common_decimals([1.0, 2.0]), Some(0));
        assert_eq!(common_decimals([50.0, 12.34]), Some(2));
        assert_eq!(common_decimals([12345.0, 0.01234]), None);
        assert_eq!(common_decimals([1e9, 1.0]), None);
        assert_eq!(common_decimals([f64::NAN, 0.5]), Some(1));
        assert_eq!(common_decimals([]), None);
    }

    #[test]
    fn everything_becomes_content() {
        assert_eq!(u128::MAX.into_content(), Content::Number(u128::MAX as f64));
        assert_eq!(Some(3_u8).into_content(), Content::Whole(3));
        assert_eq!(None::<f64>.into_content(), Content::Missing);
        assert_eq!(Duration::from_millis(1370).into_content().text(None), "1.37 s");
        assert_eq!(true.into_content().text(None), "true");
        assert_eq!(Content::Duration(Duration::from_millis(20)).number(), Some(0.02));
    }
}
