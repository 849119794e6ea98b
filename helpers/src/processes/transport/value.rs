//! Values as bytes: encoded by serde and postcard, or the numbers themselves (see
//! [`numbers`](super::numbers)).
//!
//! [`Format`] contains all that differs between types: a few function pointers. Everything else is
//! compiled once, here, and not again in every program (every cell of a notebook) that uses a pool.

use super::numbers::{NumberFormat, NumberView, RecvBuffer};
use crate::pool::Cause;
use postcard::ser_flavors::Flavor;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::any::TypeId;
use std::fmt;
use std::mem::MaybeUninit;

/// What can be sent: any type that serde can write and read.
pub(crate) trait Value: Serialize + DeserializeOwned + 'static {}

impl<R: Serialize + DeserializeOwned + 'static> Value for R {}

/// The byte before each value.
const SERDE: u8 = 0;
const RAW: u8 = 1;
const FAILED: u8 = 2;

/// Arrays of more bytes than this are not copied into a message of several values.
const MAX_COPIED_NUMBERS: usize = 32 << 10;

/// How values of one type are encoded, decoded and dropped.
#[derive(Clone, Copy)]
pub(crate) struct Format {
    functions: &'static Functions,
    numbers: Option<&'static NumberFormat>,
}

/// What is compiled for each type. All take the address of a value of the type, or of memory for
/// one.
struct Functions {
    id: TypeId,
    size: usize,
    write: unsafe fn(*const u8, &mut Vec<u8>) -> Result<(), postcard::Error>,
    read: unsafe fn(&mut &[u8], *mut u8) -> Result<(), postcard::Error>,
    drop: unsafe fn(*mut u8),
    read_many: unsafe fn(&mut &[u8], *mut u8, usize) -> usize,
}

/// A value that has arrived: the next one of some bytes, or an array of numbers.
pub(crate) enum EncodedValue<'rest, 'bytes> {
    Bytes(&'rest mut &'bytes [u8]),
    Numbers(Box<dyn RecvBuffer>),
}

/// # Safety
///
/// A value of type `R` is at the address.
unsafe fn write<R: Value>(value: *const u8, out: &mut Vec<u8>) -> Result<(), postcard::Error> {
    // SAFETY: as the caller promises.
    put_serde::<R>(unsafe { &*value.cast() }, out)
}

/// # Safety
///
/// The address is valid for a value of type `R`.
unsafe fn read<R: Value>(bytes: &mut &[u8], into: *mut u8) -> Result<(), postcard::Error> {
    let value = take_serde::<R>(bytes)?;
    // SAFETY: as the caller promises.
    unsafe { into.cast::<R>().write(value) };
    Ok(())
}

/// Decodes consecutive values that serde has written; returns how many.
///
/// # Safety
///
/// The address is valid for `max` values of type `R`.
unsafe fn read_many<R: Value>(bytes: &mut &[u8], into: *mut u8, most: usize) -> usize {
    let mut count = 0;
    while count < most
        && let Some((&SERDE, mut rest)) = bytes.split_first()
        && let Ok(value) = take_serde::<R>(&mut rest)
    {
        // SAFETY: as the caller promises.
        unsafe { into.cast::<R>().add(count).write(value) };
        *bytes = rest;
        count += 1;
    }
    count
}

/// # Safety
///
/// A value of type `R` is at the address, and is not used after this.
unsafe fn drop_value<R>(value: *mut u8) {
    // SAFETY: as the caller promises.
    unsafe { value.cast::<R>().drop_in_place() }
}

impl Format {
    /// The format of values of type `R`.
    pub(crate) fn of<R: Value>() -> Format {
        Format::with(
            const {
                &Functions {
                    id: TypeId::of::<R>(),
                    size: size_of::<R>(),
                    write: write::<R>,
                    read: read::<R>,
                    drop: drop_value::<R>,
                    read_many: read_many::<R>,
                }
            },
        )
    }

    #[inline(never)]
    fn with(functions: &'static Functions) -> Format {
        Format { functions, numbers: NumberFormat::of(functions.id) }
    }

    /// Panics if values are of another type.
    #[track_caller]
    pub(crate) fn check(self, id: TypeId) {
        assert!(self.functions.id == id, "a value of another type");
    }

    /// The size of a value in memory.
    pub(crate) fn size(self) -> usize {
        self.functions.size
    }

    /// The format of the numbers, if values are arrays of numbers.
    pub(crate) fn numbers(self) -> Option<&'static NumberFormat> {
        self.numbers
    }

    /// Appends a value. Returns a large array of numbers instead of appending it.
    ///
    /// # Errors
    ///
    /// The error of serde. Then nothing was appended.
    ///
    /// # Safety
    ///
    /// A value of the type is at the address, and lives for `'value`.
    pub(crate) unsafe fn put_at<'value>(
        self,
        value: *const u8,
        out: &mut Vec<u8>,
    ) -> Result<Option<NumberView<'value>>, postcard::Error> {
        // SAFETY: as the caller promises; also below.
        if let Some(view) = self.numbers.and_then(|numbers| unsafe { numbers.view(value) }) {
            if view.bytes.len() > MAX_COPIED_NUMBERS {
                return Ok(Some(view));
            }
            put_view(&view, out);
            return Ok(None);
        }
        let before = out.len();
        out.push(SERDE);
        // SAFETY: as above.
        unsafe { (self.functions.write)(value, out) }.inspect_err(|_| out.truncate(before))?;
        Ok(None)
    }

    /// Decodes a value to this address.
    ///
    /// # Errors
    ///
    /// Why there is no value.
    ///
    /// # Safety
    ///
    /// The address is valid for a value of the type; numbers were received for this format.
    pub(crate) unsafe fn take_to(
        self,
        from: EncodedValue<'_, '_>,
        into: *mut u8,
    ) -> Result<(), Cause> {
        let bytes = match from {
            EncodedValue::Numbers(buffer) => {
                // SAFETY: it is complete, as its maker promises; the address is valid, as the
                // caller promises.
                unsafe { buffer.finish(into) };
                return Ok(());
            }
            EncodedValue::Bytes(bytes) => bytes,
        };
        let (tag, rest) =
            bytes.split_first().ok_or_else(|| not_serializable(&"the message ended early"))?;
        *bytes = rest;
        match (*tag, self.numbers) {
            (RAW, Some(numbers)) => {
                let buffer = take_numbers(numbers, bytes)
                    .ok_or_else(|| not_serializable(&"the message ended early"))?;
                // SAFETY: it is complete; the address is valid, as the caller promises.
                unsafe { buffer.finish(into) };
                Ok(())
            }
            (FAILED, _) => {
                Err(match take_serde(bytes).map_err(|error| not_serializable(&error))? {
                    EncodedFailure::Panicked(message, location) => Cause::Panicked {
                        message: message.to_string(),
                        location: location.to_string(),
                    },
                    EncodedFailure::NotSerializable(message) => {
                        Cause::NotSerializable { message: message.to_string() }
                    }
                })
            }
            // SAFETY: as the caller promises.
            _ => unsafe { (self.functions.read)(bytes, into) }
                .map_err(|error| not_serializable(&error)),
        }
    }

    /// Decodes consecutive values to this address, until something else comes; returns how many.
    ///
    /// # Safety
    ///
    /// The address is valid for `max` values of the type.
    pub(crate) unsafe fn take_many_to(
        self,
        bytes: &mut &[u8],
        into: *mut u8,
        most: usize,
    ) -> usize {
        // SAFETY: as the caller promises.
        unsafe { (self.functions.read_many)(bytes, into, most) }
    }

    /// Drops a value.
    ///
    /// # Safety
    ///
    /// A value of the type is at the address, and is not used after this.
    pub(crate) unsafe fn drop_at(self, value: *mut u8) {
        // SAFETY: as the caller promises.
        unsafe { (self.functions.drop)(value) }
    }
}

fn not_serializable(error: &dyn fmt::Display) -> Cause {
    Cause::NotSerializable { message: error.to_string() }
}

/// Appends a value. Returns a large array of numbers instead of appending it.
///
/// # Errors
///
/// The error of serde. Then nothing was appended.
pub(crate) fn put<'value, R: Value>(
    format: Format,
    value: &'value R,
    out: &mut Vec<u8>,
) -> Result<Option<NumberView<'value>>, postcard::Error> {
    format.check(TypeId::of::<R>());
    // SAFETY: the value is of this type, and is borrowed for this long.
    unsafe { format.put_at(std::ptr::from_ref(value).cast(), out) }
}

/// Decodes a value.
///
/// # Errors
///
/// Why there is none.
pub(crate) fn take<R: Value>(format: Format, from: EncodedValue<'_, '_>) -> Result<R, Cause> {
    format.check(TypeId::of::<R>());
    let mut value = MaybeUninit::<R>::uninit();
    // SAFETY: there is memory for a value of this type, which `take_to` has written if it returns
    // `Ok`.
    unsafe {
        format.take_to(from, value.as_mut_ptr().cast())?;
        Ok(value.assume_init())
    }
}

/// Decodes at least one and at most `max` values: as many as serde has written one after the other.
///
/// # Errors
///
/// Why there is none.
pub(crate) fn take_many<R: Value>(
    format: Format,
    mut from: EncodedValue<'_, '_>,
    max: usize,
) -> Result<Vec<R>, Cause> {
    format.check(TypeId::of::<R>());
    // Arrays of numbers are decoded one by one.
    let max = if format.numbers.is_some() { 1 } else { max };
    let mut values = Vec::<R>::with_capacity(max);
    let address = values.as_mut_ptr().cast();
    // SAFETY: there is memory for `max` values of this type, and `count` of them were written.
    unsafe {
        let mut count = match &mut from {
            EncodedValue::Bytes(bytes) => format.take_many_to(bytes, address, max),
            EncodedValue::Numbers(_) => 0,
        };
        if count == 0 {
            format.take_to(from, address)?;
            count = 1;
        }
        values.set_len(count);
    }
    Ok(values)
}

/// Encodes values one after the other, however large they are.
pub(crate) struct Writer {
    format: Format,
    pub(crate) bytes: Vec<u8>,
}

impl Writer {
    /// Appends values in this format to these bytes.
    pub(crate) fn new(format: Format, bytes: Vec<u8>) -> Writer {
        Writer { format, bytes }
    }

    /// Appends a value, or why it cannot be sent.
    pub(crate) fn put<R: Value>(&mut self, value: &R) {
        // SAFETY: the type is passed with the value.
        unsafe { self.put_at(TypeId::of::<R>(), std::ptr::from_ref(value).cast()) }
    }

    /// # Safety
    ///
    /// A value of this type is at the address.
    #[inline(never)]
    unsafe fn put_at(&mut self, id: TypeId, value: *const u8) {
        self.format.check(id);
        // SAFETY: it is a value of the format's type, as the caller promises.
        match unsafe { self.format.put_at(value, &mut self.bytes) } {
            Ok(None) => {}
            Ok(Some(view)) => put_view(&view, &mut self.bytes),
            Err(error) => {
                put_failure(&EncodedFailure::NotSerializable(&error.to_string()), &mut self.bytes)
            }
        }
    }
}

fn put_view(view: &NumberView, out: &mut Vec<u8>) {
    out.push(RAW);
    out.extend(view.shape.into_iter().flat_map(usize::to_le_bytes));
    out.extend_from_slice(view.bytes);
}

/// Appends why there is no value.
pub(crate) fn put_failure(cause: &EncodedFailure<'_>, out: &mut Vec<u8>) {
    out.push(FAILED);
    put_serde(cause, out).expect("texts can be written");
}

/// The failures that a worker can report itself: the message of a panic and its location, or the
/// error of serde.
#[derive(Serialize, serde::Deserialize)]
pub(crate) enum EncodedFailure<'text> {
    Panicked(&'text str, &'text str),
    NotSerializable(&'text str),
}

/// Decodes an array of numbers.
fn take_numbers(numbers: &'static NumberFormat, bytes: &mut &[u8]) -> Option<Box<dyn RecvBuffer>> {
    let mut length = || {
        let (length, rest) = bytes.split_first_chunk()?;
        *bytes = rest;
        Some(usize::from_le_bytes(*length))
    };
    let mut buffer = numbers.recv_buffer([length()?, length()?]);
    let (address, length) = buffer.destination();
    let (numbers, rest) = bytes.split_at_checked(length)?;
    *bytes = rest;
    // SAFETY: there is room for this many bytes.
    unsafe { std::ptr::copy_nonoverlapping(numbers.as_ptr(), address, length) };
    Some(buffer)
}

/// Appends a value as encoded by serde and postcard.
pub(crate) fn put_serde<R: Serialize + ?Sized>(
    value: &R,
    out: &mut Vec<u8>,
) -> Result<(), postcard::Error> {
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

/// Decodes what [`put_serde`] has appended.
pub(crate) fn take_serde<'bytes, R: serde::Deserialize<'bytes>>(
    bytes: &mut &'bytes [u8],
) -> Result<R, postcard::Error> {
    let (value, rest) = postcard::take_from_bytes(bytes)?;
    *bytes = rest;
    Ok(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn next<R: Value>(bytes: &mut &[u8]) -> Result<R, Cause> {
        take(Format::of::<R>(), EncodedValue::Bytes(bytes))
    }

    #[track_caller]
    fn there_and_back<R: Value + PartialEq + fmt::Debug>(values: &[R]) {
        let mut bytes = Vec::new();
        for value in values {
            assert!(put(Format::of::<R>(), value, &mut bytes).unwrap().is_none());
        }
        let mut rest = &bytes[..];
        for value in values {
            assert_eq!(&next::<R>(&mut rest).unwrap(), value);
        }
        assert!(rest.is_empty());
        assert!(next::<R>(&mut rest).is_err());
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
        put_failure(&EncodedFailure::Panicked("m", "p"), &mut bytes);
        put(Format::of::<i32>(), &7, &mut bytes).unwrap();
        put_failure(&EncodedFailure::NotSerializable("u"), &mut bytes);
        let mut rest = &bytes[..];
        assert_eq!(
            next::<i32>(&mut rest),
            Err(Cause::Panicked { message: "m".into(), location: "p".into() })
        );
        assert_eq!(next::<i32>(&mut rest), Ok(7));
        assert_eq!(next::<i32>(&mut rest), Err(Cause::NotSerializable { message: "u".into() }));
    }

    #[test]
    fn many_numbers_are_given_back() {
        let numbers = vec![0.5; 100_000];
        let mut bytes = Vec::new();
        let view = put(Format::of::<Vec<f64>>(), &numbers, &mut bytes).unwrap().expect("too large");
        assert_eq!((view.shape, view.bytes.len(), bytes.len()), ([100_000, 1], 800_000, 0));
    }

    #[test]
    #[should_panic(expected = "a value of another type")]
    fn formats_are_not_mixed_up() {
        let _ = put(Format::of::<f64>(), &1u64, &mut Vec::new());
    }
}
