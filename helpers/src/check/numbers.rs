//! What `check_close!` compares: a number, or many in some shape.

use ndarray::{ArrayBase, ArrayView, Data, Dimension, IxDyn};

/// A number that `f64` can hold, rounded if need be.
pub trait Number: Copy {
    /// They as `f64`, the last axis fastest.
    fn numbers_of(numbers: ArrayView<'_, Self, IxDyn>) -> Vec<f64>;
}

macro_rules! number {
    ($($type:ty)*) => {
        $(
            impl Number for $type {
                fn numbers_of(numbers: ArrayView<'_, $type, IxDyn>) -> Vec<f64> {
                    match numbers.as_slice() {
                        Some(numbers) => numbers.iter().map(|&x| x as f64).collect(),
                        None => numbers.iter().map(|&x| x as f64).collect(),
                    }
                }
            }

            impl Numbers for $type {
                fn shape(&self) -> Vec<usize> {
                    Vec::new()
                }

                fn numbers(&self) -> Vec<f64> {
                    vec![*self as f64]
                }
            }
        )*
    };
}

number!(f32 f64 u8 u16 u32 u64 usize i8 i16 i32 i64 isize);

/// Numbers in a shape: what [`check_close!`](crate::check_close!) compares. A single number has the
/// shape `[]`.
pub trait Numbers {
    /// The length along each axis.
    fn shape(&self) -> Vec<usize>;

    /// The numbers, the last axis fastest.
    fn numbers(&self) -> Vec<f64>;
}

impl<T: Numbers + ?Sized> Numbers for &T {
    fn shape(&self) -> Vec<usize> {
        (**self).shape()
    }

    fn numbers(&self) -> Vec<f64> {
        (**self).numbers()
    }
}

impl<T: Number> Numbers for [T] {
    fn shape(&self) -> Vec<usize> {
        vec![self.len()]
    }

    fn numbers(&self) -> Vec<f64> {
        T::numbers_of(ArrayView::from(self).into_dyn())
    }
}

impl<T: Number> Numbers for Vec<T> {
    fn shape(&self) -> Vec<usize> {
        self.as_slice().shape()
    }

    fn numbers(&self) -> Vec<f64> {
        self.as_slice().numbers()
    }
}

impl<T: Number, const N: usize> Numbers for [T; N] {
    fn shape(&self) -> Vec<usize> {
        vec![N]
    }

    fn numbers(&self) -> Vec<f64> {
        self.as_slice().numbers()
    }
}

impl<T: Number, S: Data<Elem = T>, D: Dimension> Numbers for ArrayBase<S, D> {
    fn shape(&self) -> Vec<usize> {
        ArrayBase::shape(self).to_vec()
    }

    fn numbers(&self) -> Vec<f64> {
        T::numbers_of(self.view().into_dyn())
    }
}
