//! From an expression to an array.

use super::kernels::BLOCK;
use super::lazy::Lazy;
use super::nodes::{Expression, assert_same_shape};
use super::run::{CHUNK, each_block, each_chunk};
use super::strided::pieces;
use ndarray::{Array, ArrayBase, ArrayViewMut, DataMut, Dimension, Ix1};

/// What [`Lazy::assign_to`] writes to: arrays and views of ndarray, vectors and slices, of `f64`.
pub trait Target<D: Dimension> {
    /// A view of all elements.
    #[doc(hidden)]
    fn elements_mut(&mut self) -> ArrayViewMut<'_, f64, D>;
}

impl<S: DataMut<Elem = f64>, D: Dimension> Target<D> for ArrayBase<S, D> {
    fn elements_mut(&mut self) -> ArrayViewMut<'_, f64, D> {
        self.view_mut()
    }
}

impl Target<Ix1> for [f64] {
    fn elements_mut(&mut self) -> ArrayViewMut<'_, f64, Ix1> {
        self.into()
    }
}

impl Target<Ix1> for Vec<f64> {
    fn elements_mut(&mut self) -> ArrayViewMut<'_, f64, Ix1> {
        self.as_mut_slice().into()
    }
}

/// Memory that several threads write to, each at other places.
struct Places(*mut f64);

// SAFETY: only `Lazy::assign_to` makes one, and uses it as described there.
unsafe impl Sync for Places {}

impl Places {
    /// # Safety
    ///
    /// As for [`set`](Places::set), for all places from `start` on, one behind the other.
    unsafe fn set_all(&self, start: usize, values: &[f64]) {
        // SAFETY: by this function's contract.
        unsafe { self.0.add(start).copy_from_nonoverlapping(values.as_ptr(), values.len()) }
    }

    /// # Safety
    ///
    /// The place must be within the array, and no other thread may use it at the same time.
    unsafe fn set(&self, offset: isize, value: f64) {
        // SAFETY: by this function's contract.
        unsafe { *self.0.offset(offset) = value }
    }
}

impl<E: Expression> Lazy<E> {
    /// A new array of this shape, with the elements.
    pub fn to_array(&self) -> Array<f64, E::Dim> {
        // Zeros come from the operating system page by page, when a thread first writes to one: nothing is written twice.
        let mut array = Array::zeros(self.expression.dim());
        self.assign_to(&mut array);
        array
    }

    /// Writes the elements to an array that is there already, in any layout.
    ///
    /// The array cannot be part of the expression: it is borrowed to be read, there. To change an array in place, ndarray has
    /// `mapv_inplace`, `par_mapv_inplace` and `azip!`.
    ///
    /// # Examples
    ///
    /// ```
    /// use parcourse::prelude::*;
    /// let a = [1.0, 4.0, 9.0];
    /// let mut matrix = Array2::zeros((3, 2));
    /// lazy(&a).sqrt().assign_to(&mut matrix.column_mut(1));
    /// assert_eq!(matrix, array![[0.0, 1.0], [0.0, 2.0], [0.0, 3.0]]);
    /// ```
    ///
    /// # Panics
    ///
    /// If the shapes differ.
    #[track_caller]
    pub fn assign_to(&self, target: &mut (impl Target<E::Dim> + ?Sized)) {
        let mut view = target.elements_mut();
        assert_same_shape(&self.expression.dim(), &view.raw_dim());
        let contiguous = view.is_standard_layout();
        let places = Places(view.as_mut_ptr());
        let (shape, strides) = (view.shape(), view.strides());
        each_chunk(self.len(), self.serial, |range| {
            each_block(&self.expression, range, |start, block| {
                // SAFETY (of all below): the view is borrowed mutably as long as this function runs, chunks and blocks do not overlap, and no two
                // elements of a mutable view are at the same place.
                if contiguous {
                    // SAFETY: as above; the elements lie one behind the other, and there are at least `start + block.len()`.
                    unsafe { places.set_all(start, block) };
                } else {
                    pieces(shape, strides, start, block.len(), |piece| {
                        for (i, x) in block[piece.range].iter().enumerate() {
                            // SAFETY: as above; `pieces` gives offsets of elements of the view.
                            unsafe { places.set(piece.offset + i as isize * piece.stride, *x) };
                        }
                    });
                }
            });
        });
    }
}

const _: () = assert!(CHUNK.is_multiple_of(BLOCK));
