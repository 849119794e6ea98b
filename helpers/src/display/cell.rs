//! The values in a table's cells, and how they are printed.

use crate::format::{FineDuration, four_figures};
use std::time::Duration;

/// A value that a [`Table`](super::Table) can hold: numbers, durations, texts, `bool`, `Option`s
/// and references to them.
///
/// Convert values of other types to text: `.column("host", hosts.iter().map(|host|
/// host.to_string()))`.
pub trait Cell {
    /// The value as the table keeps it.
    fn into_content(self) -> Content;
}

/// A cell's value, as a table keeps it.
#[derive(Clone, PartialEq, Debug)]
#[non_exhaustive]
pub enum Content {
    /// No value; an empty cell.
    Missing,
    /// Text, left-aligned.
    Text(String),
    /// A whole number, written in full.
    Whole(i128),
    /// A number, written with four significant figures.
    Number(f64),
    /// A duration, written with three significant figures and its unit; as a number, seconds.
    Duration(Duration),
}

impl Content {
    /// The value as a number; a duration in seconds.
    pub fn number(&self) -> Option<f64> {
        match *self {
            Content::Missing | Content::Text(_) => None,
            Content::Whole(number) => Some(number as f64),
            Content::Number(number) => Some(number),
            Content::Duration(duration) => Some(duration.as_secs_f64()),
        }
    }

    /// Formats the value; numbers with `decimals` if the column has common decimals.
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

reference!(u8 u16 u32 u64 u128 usize i8 i16 i32 i64 i128 isize f32 f64);
reference!(Duration FineDuration char bool);

#[cfg(test)]
mod tests {
    use super::*;

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
