//! From an expression to one number.

use super::kernels::{self, BLOCK, InstructionSet, Operation, instruction_set, pairwise};
use super::lazy::Lazy;
use super::nodes::{Binary, Expression};
use super::run::{Blocks, CHUNK, each_chunk};

impl<E: Expression> Lazy<E> {
    /// The sum of all elements; 0 without elements. Has the same bits in every run and with any
    /// number of threads: see [the module](super).
    pub fn sum(&self) -> f64 {
        self.reduce(kernels::sum, 0.0, |a, b| a + b)
    }

    /// The mean of all elements; NaN without elements.
    pub fn mean(&self) -> f64 {
        self.sum() / self.len() as f64
    }

    /// The smallest element; NaN if any element is NaN, as in NumPy.
    ///
    /// # Panics
    ///
    /// Panics if there are no elements.
    #[track_caller]
    pub fn min(&self) -> f64 {
        assert!(!self.is_empty(), "the expression has no elements, so there is no smallest one");
        self.reduce(kernels::least, f64::INFINITY, kernels::minimum)
    }

    /// The greatest element; NaN if any element is NaN, as in NumPy.
    ///
    /// # Panics
    ///
    /// Panics if there are no elements.
    #[track_caller]
    pub fn max(&self) -> f64 {
        assert!(!self.is_empty(), "the expression has no elements, so there is no greatest one");
        self.reduce(kernels::greatest, f64::NEG_INFINITY, kernels::maximum)
    }

    /// The sum of the products, element by element; also for arrays with more than one dimension.
    ///
    /// # Panics
    ///
    /// Panics if the shapes differ.
    #[track_caller]
    pub fn dot<R: Expression<Dim = E::Dim>>(&self, other: Lazy<R>) -> f64
    where
        E: Clone,
    {
        Lazy {
            expression: Binary::new(self.expression.clone(), Operation::Mul, other.expression),
            serial: self.serial || other.serial,
        }
        .sum()
    }

    /// Reduces blocks to numbers, and numbers to one number in a tree of pairs.
    fn reduce(
        &self,
        block: fn(InstructionSet, &[f64]) -> f64,
        empty: f64,
        f: fn(f64, f64) -> f64,
    ) -> f64 {
        let eval = |start, length, space: &mut [f64]| self.expression.eval(start, length, space);
        reduce(&Blocks::of::<E>(self.len(), self.serial, &eval), block, empty, f)
    }
}

#[inline(never)]
fn reduce(
    expression: &Blocks,
    block: fn(InstructionSet, &[f64]) -> f64,
    empty: f64,
    f: fn(f64, f64) -> f64,
) -> f64 {
    let set = instruction_set();
    let chunks = each_chunk(expression.length, expression.serial, &|range| {
        let mut blocks = [empty; CHUNK / BLOCK];
        let mut count = 0;
        expression.each(range, |_, numbers| {
            blocks[count] = block(set, numbers);
            count += 1;
        });
        pairwise(&blocks[..count], empty, &f)
    });
    pairwise(&chunks, empty, &f)
}
