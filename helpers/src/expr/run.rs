//! Splitting the work.

use super::kernels::BLOCK;
use super::nodes::Expression;
use crate::interrupt;
use rayon::prelude::*;
use std::ops::Range;

/// Elements that a thread takes at a time: several microseconds of work even where it is only an addition.
pub(super) const CHUNK: usize = 16 * BLOCK;

/// Up to here one thread is faster, or as fast: waking another one takes a few microseconds.
const SERIAL_CHUNKS: usize = 2;

/// `f` of each chunk of `length` elements, in order.
pub(super) fn each_chunk<R: Send>(length: usize, serial: bool, f: impl Fn(Range<usize>) -> R + Sync) -> Vec<R> {
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

/// Computes elements `range` block by block, and calls `f` with each block and where it starts.
pub(super) fn each_block<E: Expression>(expression: &E, range: Range<usize>, mut f: impl FnMut(usize, &[f64])) {
    let mut space = vec![0.0; E::BLOCKS * BLOCK];
    for start in range.clone().step_by(BLOCK) {
        let length = BLOCK.min(range.end - start);
        match expression.eval(start, length, &mut space) {
            Some(block) => f(start, block),
            None => f(start, &space[..length]),
        }
    }
}
