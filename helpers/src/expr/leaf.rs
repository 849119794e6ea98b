//! Arrays in expressions.

use super::kernels::BLOCK;
use super::nodes::Expression;
use super::strided::pieces;
use ndarray::{ArrayBase, ArrayView, Data, Dimension, Ix1};

/// A number that expressions read: `f64`, or one that becomes `f64` (integers beyond 2⁵³ are rounded).
pub trait Number: Copy + Sync + sealed::Sealed {
    #[doc(hidden)]
    fn to_f64(self) -> f64;

    /// The numbers themselves, if they are `f64`.
    #[doc(hidden)]
    fn as_f64(_numbers: &[Self]) -> Option<&[f64]> {
        None
    }
}

impl Number for f64 {
    #[inline]
    fn to_f64(self) -> f64 {
        self
    }

    #[inline]
    fn as_f64(numbers: &[f64]) -> Option<&[f64]> {
        Some(numbers)
    }
}

macro_rules! numbers {
    ($($type:ty)*) => {
        $(
            impl Number for $type {
                #[inline]
                fn to_f64(self) -> f64 {
                    self as f64
                }
            }
        )*
    };
}

numbers! { f32 i8 i16 i32 i64 isize u8 u16 u32 u64 usize }

mod sealed {
    pub trait Sealed {}
    macro_rules! seal {
        ($($type:ty)*) => { $(impl Sealed for $type {})* };
    }
    seal! { f64 f32 i8 i16 i32 i64 isize u8 u16 u32 u64 usize }
}

/// What [`lazy`](super::lazy) makes an expression of: references to arrays, views, vectors and slices, and views themselves.
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
            let first = self.view.as_ptr();
            pieces(self.view.shape(), self.view.strides(), start, length, |piece| {
                for (i, to) in to[piece.range].iter_mut().enumerate() {
                    // SAFETY: `pieces` gives offsets of elements of the view, which lives as long as `self`.
                    *to = unsafe { *first.offset(piece.offset + i as isize * piece.stride) }.to_f64();
                }
            });
            return None;
        };
        let numbers = &all[start..start + length];
        if let Some(numbers) = T::as_f64(numbers) {
            return Some(numbers);
        }
        to.iter_mut().zip(numbers).for_each(|(to, number)| *to = number.to_f64());
        None
    }
}
