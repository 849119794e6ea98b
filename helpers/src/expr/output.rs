//! From an expression to an array.

use super::kernels::BLOCK;
use super::lazy::Lazy;
use super::leaf::pieces;
use super::nodes::{Expression, assert_same_shape};
use super::run::{Blocks, CHUNK, for_each_chunk};
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

/// Memory that several threads write to, each to its own elements.
struct Output(*mut f64);

// SAFETY: only `Lazy::assign_to` makes one, and uses it as described there.
unsafe impl Sync for Output {}

impl Output {
    /// # Safety
    ///
    /// Like [`set`](Output::set), for all elements from `start` on, which are contiguous.
    unsafe fn set_all(&self, start: usize, values: &[f64]) {
        // SAFETY: by this function's contract.
        unsafe { self.0.add(start).copy_from_nonoverlapping(values.as_ptr(), values.len()) }
    }

    /// # Safety
    ///
    /// The element must be within the array, and no other thread may use it at the same time.
    unsafe fn set(&self, offset: isize, value: f64) {
        // SAFETY: by this function's contract.
        unsafe { *self.0.offset(offset) = value }
    }
}

impl<E: Expression> Lazy<E> {
    /// Computes a new array of this shape.
    pub fn to_array(&self) -> Array<f64, E::Dim> {
        // Zeros come from the operating system page by page, when a thread first writes to one, so
        // nothing is written twice.
        let mut array = Array::zeros(self.expression.dim());
        self.assign_to(&mut array);
        array
    }

    /// Writes the elements to an existing array, in any layout.
    ///
    /// The array cannot be part of the expression, which borrows its arrays for reading. To change
    /// an array in place, ndarray has `mapv_inplace`, `par_mapv_inplace` and `azip!`.
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
    /// Panics if the shapes differ.
    #[track_caller]
    pub fn assign_to(&self, target: &mut (impl Target<E::Dim> + ?Sized)) {
        let mut view = target.elements_mut();
        assert_same_shape(&self.expression.dim(), &view.raw_dim());
        let contiguous = view.is_standard_layout();
        let output = Output(view.as_mut_ptr());
        let eval = |start, length, space: &mut [f64]| self.expression.eval(start, length, space);
        let blocks = Blocks::of::<E>(self.len(), self.serial, &eval);
        // SAFETY: the view is mutably borrowed as long as that runs, and this is its first element,
        // its shape and its strides.
        unsafe { assign(&blocks, &output, (!contiguous).then(|| (view.shape(), view.strides()))) };
    }
}

/// Writes the elements to the output: contiguously, if there is no shape with strides.
///
/// # Safety
///
/// The output must be that of an array with this many elements, which nothing else uses. No two
/// elements may overlap.
#[inline(never)]
unsafe fn assign(expression: &Blocks, output: &Output, layout: Option<(&[usize], &[isize])>) {
    for_each_chunk(expression.length, expression.serial, &|range| {
        expression.each(range, |start, block| {
            // SAFETY (of all below): by the caller's contract; chunks and blocks do not overlap.
            let Some((shape, strides)) = layout else {
                // SAFETY: as above; the elements are contiguous, and there are at least `start +
                // block.len()`.
                return unsafe { output.set_all(start, block) };
            };
            pieces(shape, strides, start, block.len(), |piece| {
                for (i, x) in block[piece.range].iter().enumerate() {
                    // SAFETY: as above; `pieces` returns offsets of elements of the array.
                    unsafe { output.set(piece.offset + i as isize * piece.stride, *x) };
                }
            });
        });
    });
}

const _: () = assert!(CHUNK.is_multiple_of(BLOCK));
