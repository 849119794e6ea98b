//! Values as bytes: what serde and postcard make of them, or the numbers themselves (see [`raw`](super::raw)).

use super::raw::{Raw, View};
use crate::pool::Cause;
use postcard::ser_flavors::Flavor;
use serde::Serialize;
use serde::de::DeserializeOwned;

/// What can be a result: any type that serde can write and read.
pub(super) trait Value: Serialize + DeserializeOwned + 'static {}

impl<R: Serialize + DeserializeOwned + 'static> Value for R {}

/// What comes before a value's bytes.
const SERDE: u8 = 0;
const RAW: u8 = 1;
const FAILED: u8 = 2;

/// Numbers of more bytes than this are not copied into a message of several values.
const LARGE: usize = 32 << 10;

/// Appends a value; numbers that are too many are not appended but given back.
///
/// # Errors
///
/// What serde says. Then nothing has been appended.
pub(super) fn put<'value, R: Value>(
    raw: Option<&'static Raw>,
    value: &'value R,
    out: &mut Vec<u8>,
) -> Result<Option<View<'value>>, postcard::Error> {
    if let Some(view) = raw.and_then(|raw| raw.view(value)) {
        if view.bytes.len() > LARGE {
            return Ok(Some(view));
        }
        put_view(&view, out);
        return Ok(None);
    }
    let before = out.len();
    out.push(SERDE);
    put_serde(value, out).inspect_err(|_| out.truncate(before))?;
    Ok(None)
}

fn put_view(view: &View, out: &mut Vec<u8>) {
    out.push(RAW);
    out.extend(view.shape.into_iter().flat_map(usize::to_le_bytes));
    out.extend_from_slice(view.bytes);
}

/// Appends a value, however large, or the reason why that cannot be.
pub(super) fn put_here<R: Value>(raw: Option<&'static Raw>, value: &R, out: &mut Vec<u8>) {
    match put(raw, value, out) {
        Ok(None) => {}
        Ok(Some(view)) => put_view(&view, out),
        Err(error) => put_failure(&Failed::Unsent(&error.to_string()), out),
    }
}

/// Appends the reason why there is no value.
pub(super) fn put_failure(cause: &Failed<'_>, out: &mut Vec<u8>) {
    out.push(FAILED);
    put_serde(cause, out).expect("texts can be written");
}

/// The reasons that a worker can tell itself: the message of a panic and its place, or what serde said.
#[derive(Serialize, serde::Deserialize)]
pub(super) enum Failed<'text> {
    Panicked(&'text str, &'text str),
    Unsent(&'text str),
}

/// Takes the next value off the bytes.
pub(super) fn take<R: Value>(raw: Option<&'static Raw>, bytes: &mut &[u8]) -> Result<R, Cause> {
    let unsent = |error: &dyn std::fmt::Display| Cause::Unsent { message: error.to_string() };
    let (tag, rest) = bytes.split_first().ok_or_else(|| unsent(&"the message ended early"))?;
    *bytes = rest;
    match (*tag, raw) {
        (RAW, Some(raw)) => take_raw(raw, bytes).ok_or_else(|| unsent(&"the message ended early")),
        (FAILED, _) => Err(match take_serde(bytes).map_err(|error| unsent(&error))? {
            Failed::Panicked(message, place) => Cause::Panicked { message: message.to_string(), place: place.to_string() },
            Failed::Unsent(message) => Cause::Unsent { message: message.to_string() },
        }),
        _ => take_serde(bytes).map_err(|error| unsent(&error)),
    }
}

fn take_raw<R: Value>(raw: &'static Raw, bytes: &mut &[u8]) -> Option<R> {
    let mut length = || {
        let (length, rest) = bytes.split_first_chunk()?;
        *bytes = rest;
        Some(usize::from_le_bytes(*length))
    };
    let mut landing = raw.land([length()?, length()?]);
    let (place, length) = landing.place();
    let (numbers, rest) = bytes.split_at_checked(length)?;
    *bytes = rest;
    // SAFETY: there is room for so many bytes, and all of them are put there.
    let value = unsafe {
        std::ptr::copy_nonoverlapping(numbers.as_ptr(), place, length);
        landing.finish()
    };
    value.downcast().ok().map(|value| *value)
}

/// Appends what serde and postcard make of a value.
pub(super) fn put_serde<R: Serialize + ?Sized>(value: &R, out: &mut Vec<u8>) -> Result<(), postcard::Error> {
    struct Append<'out>(&'out mut Vec<u8>);
    impl Flavor for Append<'_> {
        type Output = ();

        fn try_push(&mut self, byte: u8) -> postcard::Result<()> {
            self.0.push(byte);
            Ok(())
        }

        fn try_extend(&mut self, bytes: &[u8]) -> postcard::Result<()> {
            self.0.extend_from_slice(bytes);
            Ok(())
        }

        fn finalize(self) -> postcard::Result<()> {
            Ok(())
        }
    }
    postcard::serialize_with_flavor(value, Append(out))
}

/// Takes what [`put_serde`] has appended.
pub(super) fn take_serde<'bytes, R: serde::Deserialize<'bytes>>(bytes: &mut &'bytes [u8]) -> Result<R, postcard::Error> {
    let (value, rest) = postcard::take_from_bytes(bytes)?;
    *bytes = rest;
    Ok(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn there_and_back<R: Value + PartialEq + std::fmt::Debug>(values: &[R]) {
        let raw = Raw::of::<R>();
        let mut bytes = Vec::new();
        for value in values {
            assert!(put(raw, value, &mut bytes).unwrap().is_none());
        }
        let mut rest = &bytes[..];
        for value in values {
            assert_eq!(&take::<R>(raw, &mut rest).unwrap(), value);
        }
        assert!(rest.is_empty());
        assert!(take::<R>(raw, &mut rest).is_err());
    }

    #[test]
    fn values_come_back_one_after_the_other() {
        there_and_back(&[1.5, -2.5]);
        there_and_back(&["thesis".to_string(), String::new()]);
        there_and_back(&[vec![1.0, 2.0], vec![], vec![3.0]]);
        there_and_back(&[(), ()]);
        there_and_back(&[Some((1u8, 'x')), None]);
        there_and_back(&[ndarray::array![[1, 2], [3, 4]].reversed_axes(), ndarray::array![[5]]]);
    }

    #[test]
    fn failures_come_back_among_values() {
        let mut bytes = Vec::new();
        put_failure(&Failed::Panicked("m", "p"), &mut bytes);
        put(None, &7, &mut bytes).unwrap();
        put_failure(&Failed::Unsent("u"), &mut bytes);
        let mut rest = &bytes[..];
        assert_eq!(take::<i32>(None, &mut rest), Err(Cause::Panicked { message: "m".into(), place: "p".into() }));
        assert_eq!(take::<i32>(None, &mut rest), Ok(7));
        assert_eq!(take::<i32>(None, &mut rest), Err(Cause::Unsent { message: "u".into() }));
    }

    #[test]
    fn many_numbers_are_given_back() {
        let numbers = vec![0.5; 100_000];
        let mut bytes = Vec::new();
        let view = put(Raw::of::<Vec<f64>>(), &numbers, &mut bytes).unwrap().expect("too large");
        assert_eq!((view.shape, view.bytes.len(), bytes.len()), ([100_000, 1], 800_000, 0));
    }
}
