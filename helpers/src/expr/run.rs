//! Splitting the work.

use super::kernels::BLOCK;
use super::nodes::Expression;
use crate::interrupt;
use rayon::prelude::*;
use std::ops::Range;

/// Elements that a thread takes at a time: several microseconds of work, even for a single
/// addition.
pub(super) const CHUNK: usize = 16 * BLOCK;

/// Up to here one thread is faster, or as fast: waking another one takes a few microseconds.
const SERIAL_CHUNKS: usize = 2;

/// `f` of each chunk of `length` elements, in order.
#[inline(never)]
pub(super) fn each_chunk(
    length: usize,
    serial: bool,
    f: &(dyn Fn(Range<usize>) -> f64 + Sync),
) -> Vec<f64> {
    chunks(length, serial, f)
}

/// Calls `f` with each chunk of `length` elements.
#[inline(never)]
pub(super) fn for_each_chunk(length: usize, serial: bool, f: &(dyn Fn(Range<usize>) + Sync)) {
    chunks(length, serial, f);
}

fn chunks<R: Send>(length: usize, serial: bool, f: impl Fn(Range<usize>) -> R + Sync) -> Vec<R> {
    let chunks = length.div_ceil(CHUNK);
    let chunk = |number: usize| {
        interrupt::check();
        f(number * CHUNK..length.min((number + 1) * CHUNK))
    };
    if chunks <= SERIAL_CHUNKS {
        (0..chunks).map(chunk).collect()
    } else if serial {
        interrupt::scope(|| (0..chunks).map(chunk).collect())
    } else {
        interrupt::scope(|| (0..chunks).into_par_iter().map(chunk).collect())
    }
}

/// A type-erased expression: everything else is compiled once, for all of them.
pub(super) struct Blocks<'a> {
    pub(super) length: usize,
    pub(super) serial: bool,
    /// How many blocks of memory `eval` needs.
    space: usize,
    /// [`Expression::eval`].
    eval: &'a Eval<'a>,
}

pub(super) type Eval<'a> = dyn Fn(usize, usize, &mut [f64]) -> Option<&'a [f64]> + Sync + 'a;

impl<'a> Blocks<'a> {
    pub(super) fn of<E: Expression>(length: usize, serial: bool, eval: &'a Eval<'a>) -> Blocks<'a> {
        Blocks { length, serial, space: E::BLOCKS, eval }
    }

    /// Computes elements `range` block by block, and calls `f` with each block and its start.
    pub(super) fn each(&self, range: Range<usize>, mut f: impl FnMut(usize, &[f64])) {
        let mut space = vec![0.0; self.space * BLOCK];
        for start in range.clone().step_by(BLOCK) {
            let length = BLOCK.min(range.end - start);
            match (self.eval)(start, length, &mut space) {
                Some(block) => f(start, block),
                None => f(start, &space[..length]),
            }
        }
    }
}
