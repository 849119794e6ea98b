//! What shared memory can hold: numbers that the processor reads and writes as a whole, and plain
//! data.

use std::sync::atomic::{
    AtomicBool, AtomicI8, AtomicI16, AtomicI32, AtomicI64, AtomicIsize, Ordering::Relaxed,
};
use std::sync::atomic::{AtomicU8, AtomicU16, AtomicU32, AtomicU64, AtomicUsize};

/// A type that a [`SharedArray`](super::SharedArray) can hold: integers, floats and `bool`.
///
/// Every value is read and written by one instruction, so no process ever sees half of a number.
/// The order of concurrent writes is not defined (`Relaxed`); what a process wrote before it sent
/// or returned something is visible to the receiver.
pub trait Element: sealed::Access + Copy + PartialEq + Send + Sync + 'static {}

/// An [`Element`] that supports addition: all except `bool`.
pub trait Number: Element + sealed::Add {}

mod sealed {
    /// Reads and writes one element that others may read and write meanwhile.
    pub trait Access: Sized {
        /// The type's name, as written in Rust.
        const NAME: &'static str;

        /// # Safety
        ///
        /// `place` is aligned, valid for the lifetime of the call, and all accesses go through
        /// these functions.
        unsafe fn load(place: *mut Self) -> Self;

        /// # Safety
        ///
        /// As for [`load`](Self::load).
        unsafe fn store(place: *mut Self, value: Self);

        /// Replaces the value by `f(value)` and returns the previous one; `f` is called again if
        /// the value was changed meanwhile.
        ///
        /// # Safety
        ///
        /// As for [`load`](Self::load).
        unsafe fn update(place: *mut Self, f: impl FnMut(Self) -> Self) -> Self;
    }

    /// Adds to one element that others may change meanwhile.
    pub trait Add: Sized {
        /// Returns the previous value; integers wrap around.
        ///
        /// # Safety
        ///
        /// As for [`Access::load`].
        unsafe fn add(place: *mut Self, value: Self) -> Self;
    }
}

pub(crate) use sealed::{Access, Add};

/// `$atomic` holds `$bits`, which `$to_bits` and `$from_bits` make from and to the `$element`.
macro_rules! elements {
    ($($element:ty, $bits:ty, $atomic:ident, $to_bits:expr, $from_bits:expr;)*) => {$(
        impl Element for $element {}

        impl Access for $element {
            const NAME: &'static str = stringify!($element);

            #[inline(always)]
            unsafe fn load(place: *mut Self) -> Self {
                // SAFETY: as the caller promises; `$bits` has the size of the element, and its
                // alignment on the systems we build for.
                $from_bits(unsafe { $atomic::from_ptr(place.cast()) }.load(Relaxed))
            }

            #[inline(always)]
            unsafe fn store(place: *mut Self, value: Self) {
                // SAFETY: as above.
                unsafe { $atomic::from_ptr(place.cast()) }.store($to_bits(value), Relaxed);
            }

            #[inline]
            unsafe fn update(place: *mut Self, mut f: impl FnMut(Self) -> Self) -> Self {
                // SAFETY: as above.
                let atomic = unsafe { $atomic::from_ptr(place.cast()) };
                let mut bits = atomic.load(Relaxed);
                loop {
                    let new = $to_bits(f($from_bits(bits)));
                    match atomic.compare_exchange_weak(bits, new, Relaxed, Relaxed) {
                        Ok(_) => return $from_bits(bits),
                        Err(changed) => bits = changed,
                    }
                }
            }
        }
    )*};
}

macro_rules! integers {
    ($($element:ident, $atomic:ident;)*) => {$(
        elements! { $element, $element, $atomic, |x: $element| x, |x: $element| x; }

        impl Number for $element {}

        impl Add for $element {
            #[inline]
            unsafe fn add(place: *mut Self, value: Self) -> Self {
                // SAFETY: as the caller promises; atomics are laid out as their integers.
                unsafe { $atomic::from_ptr(place) }.fetch_add(value, Relaxed)
            }
        }
    )*};
}

macro_rules! floats {
    ($($element:ident, $bits:ident, $atomic:ident;)*) => {$(
        elements! { $element, $bits, $atomic, $element::to_bits, $element::from_bits; }

        impl Number for $element {}

        impl Add for $element {
            #[inline]
            unsafe fn add(place: *mut Self, value: Self) -> Self {
                // SAFETY: as the caller promises.
                unsafe { Self::update(place, |before| before + value) }
            }
        }
    )*};
}

integers! {
    i8, AtomicI8;
    i16, AtomicI16;
    i32, AtomicI32;
    i64, AtomicI64;
    isize, AtomicIsize;
    u8, AtomicU8;
    u16, AtomicU16;
    u32, AtomicU32;
    u64, AtomicU64;
    usize, AtomicUsize;
}

floats! {
    f32, u32, AtomicU32;
    f64, u64, AtomicU64;
}

elements! { bool, bool, AtomicBool, |x: bool| x, |x: bool| x; }

/// A value without pointers, which may lie in the memory of several processes: numbers, `bool`,
/// `char`, and arrays and tuples of these.
///
/// # Safety
///
/// The value must not contain addresses (references, boxes, strings, vectors), which mean something
/// else in another process, nor own anything: it is never dropped.
pub unsafe trait Plain: Copy + Send + 'static {}

macro_rules! plain {
    ($($type:ty)*) => {
        // SAFETY: a number, or stored like one.
        $(unsafe impl Plain for $type {})*
    };
}

plain! { i8 i16 i32 i64 i128 isize u8 u16 u32 u64 u128 usize f32 f64 bool char }

// SAFETY: as plain as its elements.
unsafe impl<T: Plain, const N: usize> Plain for [T; N] {}
// SAFETY: as above.
unsafe impl<T: Plain> Plain for Option<T> {}

macro_rules! plain_tuples {
    ($(($($name:ident)*))*) => {
        // SAFETY: as above.
        $(unsafe impl<$($name: Plain),*> Plain for ($($name,)*) {})*
    };
}

plain_tuples! { (A) (A B) (A B C) (A B C D) (A B C D E) (A B C D E F) }
