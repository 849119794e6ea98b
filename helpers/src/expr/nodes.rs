//! The parts of expressions besides arrays: functions of one operand, and of two.

use super::kernels::{self, BLOCK, Function, Operation, instruction_set};
use ndarray::Dimension;
use std::fmt;

/// An array-valued expression, computed block by block. Made by [`lazy`](super::lazy) and the
/// operations on its result.
///
/// You need not implement it; it is public because its name is part of types.
pub trait Expression: Sync {
    /// ndarray's type for shapes of this many dimensions.
    type Dim: Dimension;

    /// How many blocks of memory [`eval`](Expression::eval) needs.
    #[doc(hidden)]
    const BLOCKS: usize;

    /// The shape.
    #[doc(hidden)]
    fn dim(&self) -> Self::Dim;

    /// Computes elements `start..start + length`, in row order, at most one block of them. Returns
    /// `None` if they were written to the beginning of `space`; otherwise they are already
    /// contiguous in an array.
    #[doc(hidden)]
    fn eval(&self, start: usize, length: usize, space: &mut [f64]) -> Option<&[f64]>;
}

/// A function of each element of an expression.
#[derive(Clone, Copy)]
pub struct Unary<E> {
    pub(super) inner: E,
    pub(super) function: Function,
}

impl<E: Expression> Expression for Unary<E> {
    type Dim = E::Dim;
    const BLOCKS: usize = E::BLOCKS;

    fn dim(&self) -> E::Dim {
        self.inner.dim()
    }

    fn eval(&self, start: usize, length: usize, space: &mut [f64]) -> Option<&[f64]> {
        let from = self.inner.eval(start, length, space);
        kernels::apply(instruction_set(), self.function, from, &mut space[..length]);
        None
    }
}

/// A user's function of each element of an expression.
#[derive(Clone, Copy)]
pub struct Map<E, F> {
    pub(super) inner: E,
    pub(super) function: F,
}

impl<E: Expression, F: Fn(f64) -> f64 + Sync> Expression for Map<E, F> {
    type Dim = E::Dim;
    const BLOCKS: usize = E::BLOCKS;

    fn dim(&self) -> E::Dim {
        self.inner.dim()
    }

    fn eval(&self, start: usize, length: usize, space: &mut [f64]) -> Option<&[f64]> {
        let from = self.inner.eval(start, length, space);
        let to = &mut space[..length];
        match from {
            Some(from) => to.iter_mut().zip(from).for_each(|(to, &x)| *to = (self.function)(x)),
            None => to.iter_mut().for_each(|x| *x = (self.function)(*x)),
        }
        None
    }
}

/// An operation on two expressions, element by element.
#[derive(Clone, Copy)]
pub struct Binary<L, R> {
    left: L,
    right: R,
    operation: Operation,
}

impl<L: Expression, R: Expression<Dim = L::Dim>> Binary<L, R> {
    #[track_caller]
    pub(super) fn new(left: L, operation: Operation, right: R) -> Self {
        assert_same_shape(&left.dim(), &right.dim());
        Binary { left, right, operation }
    }
}

impl<L: Expression, R: Expression<Dim = L::Dim>> Expression for Binary<L, R> {
    type Dim = L::Dim;
    // The left operand's result stays in the first block while the right one is computed after it.
    const BLOCKS: usize = if L::BLOCKS > 1 + R::BLOCKS { L::BLOCKS } else { 1 + R::BLOCKS };

    fn dim(&self) -> L::Dim {
        self.left.dim()
    }

    fn eval(&self, start: usize, length: usize, space: &mut [f64]) -> Option<&[f64]> {
        let left = self.left.eval(start, length, space);
        let (own, rest) = space.split_at_mut(BLOCK);
        let right = self.right.eval(start, length, rest);
        kernels::combine(
            instruction_set(),
            self.operation,
            left,
            right.unwrap_or(&rest[..length]),
            &mut own[..length],
        );
        None
    }
}

/// Panics, at the caller's line, if the shapes differ.
#[track_caller]
pub(super) fn assert_same_shape<D: Dimension>(left: &D, right: &D) {
    if left != right {
        refuse(left.slice(), right.slice());
    }
}

#[cold]
#[track_caller]
fn refuse(left: &[usize], right: &[usize]) -> ! {
    panic!(
        "all arrays of an expression must have the same shape, not {} and {}",
        Shape(left),
        Shape(right)
    )
}

/// `(3, 4)`, as NumPy writes it.
pub(super) struct Shape<'a>(pub &'a [usize]);

impl fmt::Display for Shape<'_> {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match self.0 {
            [length] => write!(f, "({length},)"),
            lengths => write!(
                f,
                "({})",
                lengths.iter().map(usize::to_string).collect::<Vec<_>>().join(", ")
            ),
        }
    }
}
