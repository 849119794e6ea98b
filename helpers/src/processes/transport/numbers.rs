//! Arrays of numbers are sent as they are, without encoding each number: one copy into the socket,
//! one out of it, into their final place.

use ndarray::{Array1, Array2};
use std::any::TypeId;

/// How values of one type are converted to bytes and back.
pub(crate) struct NumberFormat {
    id: TypeId,
    /// Takes the address of a value of the type.
    view: unsafe fn(*const u8) -> Option<NumberView<'static>>,
    recv_buffer: fn([usize; 2]) -> Box<dyn RecvBuffer>,
}

/// A value's numbers.
pub(crate) struct NumberView<'value> {
    /// Rows and columns; for one dimension, its length and 1.
    pub(crate) shape: [usize; 2],
    pub(crate) bytes: &'value [u8],
}

/// Memory for a value that is being received.
pub(crate) trait RecvBuffer: Send {
    /// Where its bytes go, and how many there are.
    fn destination(&mut self) -> (*mut u8, usize);

    /// Writes the value to this address.
    ///
    /// # Safety
    ///
    /// All bytes have been received, and `into` is valid for a value of the type.
    unsafe fn finish(self: Box<Self>, into: *mut u8);
}

impl NumberFormat {
    /// The format of values of this type, if they are arrays of numbers.
    pub(crate) fn of(id: TypeId) -> Option<&'static NumberFormat> {
        TABLE.iter().flatten().find(|format| format.id == id)
    }

    /// The value's numbers, if they are contiguous and in order.
    ///
    /// # Safety
    ///
    /// A value of the type is at the address, and lives for `'value`.
    pub(crate) unsafe fn view<'value>(&self, value: *const u8) -> Option<NumberView<'value>> {
        // SAFETY: as the caller promises.
        unsafe { (self.view)(value) }
    }

    pub(crate) fn recv_buffer(&self, shape: [usize; 2]) -> Box<dyn RecvBuffer> {
        (self.recv_buffer)(shape)
    }
}

/// Plain numbers: every bit pattern is one of them, and they have no padding.
trait Number: Copy + Send + 'static {}

fn bytes_of<E: Number>(numbers: &[E]) -> &[u8] {
    // SAFETY: numbers have no padding, so all their bytes may be read.
    unsafe { std::slice::from_raw_parts(numbers.as_ptr().cast(), size_of_val(numbers)) }
}

/// Memory for numbers, and how they become a value.
struct TypedBuffer<E> {
    numbers: Vec<E>,
    shape: [usize; 2],
    /// Writes the value to an address that is valid for it.
    into: unsafe fn(Vec<E>, [usize; 2], *mut u8),
}

impl<E: Number> TypedBuffer<E> {
    fn boxed(
        shape: [usize; 2],
        into: unsafe fn(Vec<E>, [usize; 2], *mut u8),
    ) -> Box<dyn RecvBuffer> {
        Box::new(TypedBuffer { numbers: Vec::with_capacity(shape[0] * shape[1]), shape, into })
    }
}

impl<E: Number> RecvBuffer for TypedBuffer<E> {
    fn destination(&mut self) -> (*mut u8, usize) {
        (self.numbers.as_mut_ptr().cast(), self.shape[0] * self.shape[1] * size_of::<E>())
    }

    unsafe fn finish(mut self: Box<Self>, into: *mut u8) {
        // SAFETY: the vector has room for this many numbers, and the caller has filled it; any
        // bytes are numbers. The address is valid, as the caller promises.
        unsafe {
            self.numbers.set_len(self.shape[0] * self.shape[1]);
            (self.into)(self.numbers, self.shape, into);
        }
    }
}

/// The value at this address.
///
/// # Safety
///
/// A value of this type is there, and lives for `'value`.
unsafe fn at<'value, T>(address: *const u8) -> &'value T {
    // SAFETY: as the caller promises.
    unsafe { &*address.cast() }
}

/// # Safety
///
/// The address is valid for a value of this type.
unsafe fn write<T>(value: T, into: *mut u8) {
    // SAFETY: as the caller promises.
    unsafe { into.cast::<T>().write(value) }
}

const fn vectors<E: Number>() -> NumberFormat {
    NumberFormat {
        id: TypeId::of::<Vec<E>>(),
        view: |value| {
            // SAFETY: `NumberFormat::view` is called with a value of this type.
            let numbers = unsafe { at::<Vec<E>>(value) };
            Some(NumberView { shape: [numbers.len(), 1], bytes: bytes_of(numbers) })
        },
        recv_buffer: |shape| {
            TypedBuffer::<E>::boxed(shape, |numbers, _, into| {
                // SAFETY: the address is valid for a value of the type, as `finish` demands.
                unsafe { write(numbers, into) }
            })
        },
    }
}

const fn arrays_1<E: Number>() -> NumberFormat {
    NumberFormat {
        id: TypeId::of::<Array1<E>>(),
        view: |value| {
            // SAFETY: as above.
            let array = unsafe { at::<Array1<E>>(value) };
            Some(NumberView { shape: [array.len(), 1], bytes: bytes_of(array.as_slice()?) })
        },
        recv_buffer: |shape| {
            TypedBuffer::<E>::boxed(shape, |numbers, _, into| {
                // SAFETY: as above.
                unsafe { write(Array1::from_vec(numbers), into) }
            })
        },
    }
}

const fn arrays_2<E: Number>() -> NumberFormat {
    NumberFormat {
        id: TypeId::of::<Array2<E>>(),
        view: |value| {
            // SAFETY: as above.
            let array = unsafe { at::<Array2<E>>(value) };
            Some(NumberView {
                shape: [array.nrows(), array.ncols()],
                bytes: bytes_of(array.as_slice()?),
            })
        },
        recv_buffer: |shape| {
            TypedBuffer::<E>::boxed(shape, |numbers, shape, into| {
                let array = Array2::from_shape_vec(shape, numbers)
                    .expect("there are rows times columns numbers");
                // SAFETY: as above.
                unsafe { write(array, into) }
            })
        },
    }
}

macro_rules! table {
    ($($number:ty)*) => {
        $(impl Number for $number {})*

        static TABLE: &[[NumberFormat; 3]] =
            &[$([vectors::<$number>(), arrays_1::<$number>(), arrays_2::<$number>()]),*];
    };
}

table! { f64 f32 u8 i8 u16 i16 u32 i32 u64 i64 u128 i128 usize isize }

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::array;

    #[track_caller]
    fn there_and_back<R: PartialEq + std::fmt::Debug + 'static>(value: R) {
        let format = NumberFormat::of(TypeId::of::<R>()).expect("an array of numbers");
        // SAFETY: the value is of the type that the format was looked up for.
        let view = unsafe { format.view(std::ptr::from_ref(&value).cast()) }.expect("in one piece");
        let mut buffer = format.recv_buffer(view.shape);
        let (destination, length) = buffer.destination();
        assert_eq!(length, view.bytes.len());
        // SAFETY: there is room for this many bytes, which are written here; so the value is
        // complete.
        let copy = unsafe {
            std::ptr::copy_nonoverlapping(view.bytes.as_ptr(), destination, length);
            let mut copy = std::mem::MaybeUninit::<R>::uninit();
            buffer.finish(copy.as_mut_ptr().cast());
            copy.assume_init()
        };
        assert_eq!(copy, value);
    }

    #[test]
    fn numbers_come_back() {
        there_and_back(vec![1.5, -0.0, f64::INFINITY]);
        there_and_back(Vec::<f64>::new());
        there_and_back(vec![1u8, 255]);
        there_and_back(vec![usize::MAX]);
        there_and_back(array![1.5f32, 2.5]);
        there_and_back(array![[1i64, 2, 3], [4, 5, 6]]);
        there_and_back(Array2::<f64>::zeros((0, 3)));
        there_and_back(Array2::<f64>::zeros((3, 0)));
    }

    #[test]
    fn others_take_another_way() {
        assert!(NumberFormat::of(TypeId::of::<Vec<bool>>()).is_none());
        assert!(NumberFormat::of(TypeId::of::<Vec<String>>()).is_none());
        assert!(NumberFormat::of(TypeId::of::<f64>()).is_none());
        let transposed = array![[1, 2], [3, 4]].reversed_axes();
        let format = NumberFormat::of(TypeId::of::<Array2<i32>>()).unwrap();
        // SAFETY: the value is of the type that the format was looked up for.
        assert!(unsafe { format.view(std::ptr::from_ref(&transposed).cast()) }.is_none());
    }
}
