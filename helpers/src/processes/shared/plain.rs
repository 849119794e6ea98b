//! What a lock between processes can guard: values that mean the same in every process.

/// A value without pointers: it may lie in memory of several processes. Numbers, `bool`, `char`,
/// arrays and tuples of such.
///
/// # Safety
///
/// The value must not contain addresses (references, boxes, strings, vectors), which mean something
/// else in another process, nor own anything: it is never dropped.
pub unsafe trait Plain: Copy + Send + 'static {}

macro_rules! plain {
    ($($type:ty)*) => {
        // SAFETY: a number, or as good as one.
        $(unsafe impl Plain for $type {})*
    };
}

plain! { i8 i16 i32 i64 i128 isize u8 u16 u32 u64 u128 usize f32 f64 bool char }

// SAFETY: as plain as what is in it.
unsafe impl<T: Plain, const N: usize> Plain for [T; N] {}
// SAFETY: as above.
unsafe impl<T: Plain> Plain for Option<T> {}

macro_rules! tuples {
    ($(($($name:ident)*))*) => {
        // SAFETY: as above.
        $(unsafe impl<$($name: Plain),*> Plain for ($($name,)*) {})*
    };
}

tuples! { (A) (A B) (A B C) (A B C D) (A B C D E) (A B C D E F) }
