//! Reductions of a block to one number, in an order that depends only on its length.

use super::elementwise::{maximum, minimum};
use super::instruction_set::{InstructionSet, for_each_instruction_set};

/// Partial sums of a block: enough to keep the adders of any instruction set busy.
pub(in crate::expr) const LANES: usize = 16;

for_each_instruction_set! {
    /// The sum, of `LANES` partial sums (element `i` belongs to number `i % LANES`), added
    /// pairwise.
    fn sum(block: &[f64]) -> f64 = sum_with
}

for_each_instruction_set! {
    /// The smallest number; NaN if any is NaN, infinity without numbers.
    fn least(block: &[f64]) -> f64 = least_with
}

for_each_instruction_set! {
    /// The greatest number; NaN if any is NaN, minus infinity without numbers.
    fn greatest(block: &[f64]) -> f64 = greatest_with
}

#[inline(always)]
fn sum_with<const FMA: bool>(block: &[f64]) -> f64 {
    fold_lanes(block, 0.0, |sum, x| sum + x)
}

#[inline(always)]
fn least_with<const FMA: bool>(block: &[f64]) -> f64 {
    fold_lanes(block, f64::INFINITY, minimum)
}

#[inline(always)]
fn greatest_with<const FMA: bool>(block: &[f64]) -> f64 {
    fold_lanes(block, f64::NEG_INFINITY, maximum)
}

#[inline(always)]
fn fold_lanes(block: &[f64], start: f64, f: impl Fn(f64, f64) -> f64) -> f64 {
    let mut lanes = [start; LANES];
    let groups = block.chunks_exact(LANES);
    let rest = groups.remainder();
    for group in groups {
        for i in 0..LANES {
            lanes[i] = f(lanes[i], group[i]);
        }
    }
    for (lane, &x) in lanes.iter_mut().zip(rest) {
        *lane = f(*lane, x);
    }
    let mut half = LANES / 2;
    while half > 0 {
        for i in 0..half {
            lanes[i] = f(lanes[i], lanes[i + half]);
        }
        half /= 2;
    }
    lanes[0]
}

/// Combines the first half and the second half, each in the same way, and then the two; `empty` is
/// the result without numbers.
pub(crate) fn pairwise<T: Copy>(values: &[T], empty: T, f: &impl Fn(T, T) -> T) -> T {
    match values {
        [] => empty,
        [one] => *one,
        _ => {
            let (left, right) = values.split_at(values.len() / 2);
            f(pairwise(left, empty, f), pairwise(right, empty, f))
        }
    }
}
