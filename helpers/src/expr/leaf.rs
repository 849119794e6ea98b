//! Arrays in expressions.

use super::kernels::BLOCK;
use super::nodes::Expression;
use ndarray::{ArrayBase, ArrayView, Data, Dimension, Ix1};
use std::ops::Range;

/// A number that expressions can read: `f64`, or one that converts to `f64` (integers beyond 2⁵³
/// are rounded).
pub trait Number: Copy + Sync + sealed::Sealed {
    /// The numbers themselves, if they are `f64`.
    #[doc(hidden)]
    fn as_f64(numbers: &[Self]) -> Option<&[f64]>;

    /// Writes contiguous numbers to `to`, which has the same length.
    #[doc(hidden)]
    fn copy(numbers: &[Self], to: &mut [f64]);

    /// Writes numbers of an array, starting at `start`, to `to`.
    ///
    /// # Safety
    ///
    /// `first` is the first element of an array of this shape, which has enough elements after
    /// `start` and lives until this returns.
    #[doc(hidden)]
    unsafe fn copy_strided(
        first: *const Self,
        shape: &[usize],
        strides: &[isize],
        start: usize,
        to: &mut [f64],
    );
}

macro_rules! numbers {
    ($($type:ty => $as_f64:expr;)*) => {
        $(
            impl Number for $type {
                #[inline]
                fn as_f64(numbers: &[$type]) -> Option<&[f64]> {
                    let as_f64: fn(&[$type]) -> Option<&[f64]> = $as_f64;
                    as_f64(numbers)
                }

                fn copy(numbers: &[$type], to: &mut [f64]) {
                    to.iter_mut().zip(numbers).for_each(|(to, number)| *to = *number as f64);
                }

                unsafe fn copy_strided(
                    first: *const $type,
                    shape: &[usize],
                    strides: &[isize],
                    start: usize,
                    to: &mut [f64],
                ) {
                    pieces(shape, strides, start, to.len(), |piece| {
                        for (i, to) in to[piece.range].iter_mut().enumerate() {
                            let offset = piece.offset + i as isize * piece.stride;
                            // SAFETY: `pieces` returns offsets of elements of the array, which
                            // exists by the caller's contract.
                            *to = unsafe { *first.offset(offset) } as f64;
                        }
                    });
                }
            }
        )*
    };
}

numbers! {
    f64 => |numbers| Some(numbers);
    f32 => |_| None; i8 => |_| None; i16 => |_| None; i32 => |_| None; i64 => |_| None;
    isize => |_| None;
    u8 => |_| None; u16 => |_| None; u32 => |_| None; u64 => |_| None; usize => |_| None;
}

mod sealed {
    pub trait Sealed {}
    macro_rules! seal {
        ($($type:ty)*) => { $(impl Sealed for $type {})* };
    }
    seal! { f64 f32 i8 i16 i32 i64 isize u8 u16 u32 u64 usize }
}

/// What [`lazy`](super::lazy) accepts: references to arrays, views, vectors and slices, and views
/// themselves.
pub trait Source<'a> {
    /// The type of the elements.
    type Number: Number + 'a;
    /// ndarray's type for shapes of this many dimensions; `Ix1` for slices.
    type Dim: Dimension;

    /// A view of all elements.
    #[doc(hidden)]
    fn into_view(self) -> ArrayView<'a, Self::Number, Self::Dim>;
}

impl<'a, T: Number + 'a, S: Data<Elem = T>, D: Dimension> Source<'a> for &'a ArrayBase<S, D> {
    type Number = T;
    type Dim = D;

    fn into_view(self) -> ArrayView<'a, T, D> {
        self.view()
    }
}

impl<'a, T: Number + 'a, D: Dimension> Source<'a> for ArrayView<'a, T, D> {
    type Number = T;
    type Dim = D;

    fn into_view(self) -> ArrayView<'a, T, D> {
        self
    }
}

impl<'a, T: Number + 'a> Source<'a> for &'a [T] {
    type Number = T;
    type Dim = Ix1;

    fn into_view(self) -> ArrayView<'a, T, Ix1> {
        self.into()
    }
}

impl<'a, T: Number + 'a> Source<'a> for &'a Vec<T> {
    type Number = T;
    type Dim = Ix1;

    fn into_view(self) -> ArrayView<'a, T, Ix1> {
        self.into()
    }
}

impl<'a, T: Number + 'a, const N: usize> Source<'a> for &'a [T; N] {
    type Number = T;
    type Dim = Ix1;

    fn into_view(self) -> ArrayView<'a, T, Ix1> {
        self.as_slice().into()
    }
}

/// An array in an expression.
#[derive(Clone, Copy)]
pub struct Leaf<'a, T, D> {
    pub(super) view: ArrayView<'a, T, D>,
}

impl<T: Number, D: Dimension> Expression for Leaf<'_, T, D> {
    type Dim = D;
    const BLOCKS: usize = 1;

    fn dim(&self) -> D {
        self.view.raw_dim()
    }

    fn eval(&self, start: usize, length: usize, space: &mut [f64]) -> Option<&[f64]> {
        debug_assert!(length <= BLOCK && start + length <= self.view.len());
        let to = &mut space[..length];
        let Some(all) = self.view.as_slice() else {
            // SAFETY: the view has that many elements, and lives as long as `self`.
            unsafe {
                T::copy_strided(
                    self.view.as_ptr(),
                    self.view.shape(),
                    self.view.strides(),
                    start,
                    to,
                )
            };
            return None;
        };
        let numbers = &all[start..start + length];
        if let Some(numbers) = T::as_f64(numbers) {
            return Some(numbers);
        }
        T::copy(numbers, to);
        None
    }
}

/// Elements at equal distances in memory, all from one row (one line along the last axis).
pub(super) struct Piece {
    /// The offset of the first one, in elements from the array's first.
    pub offset: isize,
    /// The distance between two, also in elements.
    pub stride: isize,
    /// Their indices among the requested elements.
    pub range: Range<usize>,
}

/// Calls `f` for the pieces of elements `start..start + length` of an array, in row order. These
/// elements must exist.
pub(super) fn pieces(
    shape: &[usize],
    strides: &[isize],
    start: usize,
    length: usize,
    mut f: impl FnMut(Piece),
) {
    let (Some((&row_length, outer_shape)), Some((&stride, outer_strides))) =
        (shape.split_last(), strides.split_last())
    else {
        // No dimensions: one element.
        return if length > 0 {
            f(Piece { offset: 0, stride: 1, range: 0..length })
        };
    };
    if length == 0 {
        return;
    }
    // The indices of the row, and the index within it.
    let mut place = start % row_length;
    let mut row = start / row_length;
    let mut index = vec![0; outer_shape.len()];
    for (index, length) in index.iter_mut().zip(outer_shape).rev() {
        *index = row % length;
        row /= length;
    }
    let mut row_offset: isize =
        index.iter().zip(outer_strides).map(|(&index, stride)| index as isize * stride).sum();

    let mut done = 0;
    loop {
        let taken = (row_length - place).min(length - done);
        f(Piece {
            offset: row_offset + place as isize * stride,
            stride,
            range: done..done + taken,
        });
        done += taken;
        if done == length {
            return;
        }
        place = 0;
        // Advances to the next row, like an odometer.
        for axis in (0..index.len()).rev() {
            index[axis] += 1;
            row_offset += outer_strides[axis];
            if index[axis] < outer_shape[axis] {
                break;
            }
            row_offset -= index[axis] as isize * outer_strides[axis];
            index[axis] = 0;
        }
    }
}
