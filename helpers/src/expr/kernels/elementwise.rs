//! Functions of each number of a block, and operations on two blocks.

use super::elementary::{self, Elementary};
use super::instruction_set::{InstructionSet, for_each_instruction_set};
use std::marker::PhantomData;

/// A function of one number.
#[derive(Clone, Copy, PartialEq, Debug)]
#[allow(missing_docs)]
pub enum Function {
    Neg,
    Abs,
    Sqrt,
    Square,
    Recip,
    Sin,
    Cos,
    Exp,
    Ln,
    Powi(i32),
    /// x + c
    Plus(f64),
    /// c - x
    From(f64),
    /// x · c
    Times(f64),
    /// x / c
    Over(f64),
    /// c / x
    Under(f64),
    Minimum(f64),
    Maximum(f64),
}

/// An operation on two numbers.
#[derive(Clone, Copy, PartialEq, Debug)]
#[allow(missing_docs)]
pub enum Operation {
    Add,
    Sub,
    Mul,
    Div,
    Minimum,
    Maximum,
}

for_each_instruction_set! {
    /// Writes `function(from)` to `to`; without `from`, `to` is changed in place.
    fn apply(function: Function, from: Option<&[f64]>, to: &mut [f64]) = apply_with
}

for_each_instruction_set! {
    /// Writes `operation(left, right)` to `to`; without `left`, `to` is changed in place.
    fn combine(operation: Operation, left: Option<&[f64]>, right: &[f64], to: &mut [f64])
        = combine_with
}

/// Like NumPy's `minimum`: NaN if one of them is NaN.
#[inline(always)]
pub(in crate::expr) fn minimum(a: f64, b: f64) -> f64 {
    if (a < b) | a.is_nan() { a } else { b }
}

/// Like NumPy's `maximum`: NaN if one of them is NaN.
#[inline(always)]
pub(in crate::expr) fn maximum(a: f64, b: f64) -> f64 {
    if (a > b) | a.is_nan() { a } else { b }
}

#[inline(always)]
fn apply_with<const FMA: bool>(function: Function, from: Option<&[f64]>, to: &mut [f64]) {
    match function {
        Function::Neg => each(from, to, |x| -x),
        Function::Abs => each(from, to, f64::abs),
        Function::Sqrt => each(from, to, f64::sqrt),
        Function::Square => each(from, to, |x| x * x),
        Function::Recip => each(from, to, |x| 1.0 / x),
        Function::Sin => with_fallback::<FMA, elementary::Sin>(from, to),
        Function::Cos => with_fallback::<FMA, elementary::Cos>(from, to),
        Function::Exp => with_fallback::<FMA, elementary::Exp>(from, to),
        Function::Ln => with_fallback::<FMA, elementary::Ln>(from, to),
        Function::Powi(n) => group_by_group(from, to, Powi(n)),
        Function::Plus(c) => each(from, to, |x| x + c),
        Function::From(c) => each(from, to, |x| c - x),
        Function::Times(c) => each(from, to, |x| x * c),
        Function::Over(c) => each(from, to, |x| x / c),
        Function::Under(c) => each(from, to, |x| c / x),
        Function::Minimum(c) => each(from, to, |x| minimum(x, c)),
        Function::Maximum(c) => each(from, to, |x| maximum(x, c)),
    }
}

#[inline(always)]
fn combine_with<const FMA: bool>(
    operation: Operation,
    left: Option<&[f64]>,
    right: &[f64],
    to: &mut [f64],
) {
    match operation {
        Operation::Add => each_pair(left, right, to, |a, b| a + b),
        Operation::Sub => each_pair(left, right, to, |a, b| a - b),
        Operation::Mul => each_pair(left, right, to, |a, b| a * b),
        Operation::Div => each_pair(left, right, to, |a, b| a / b),
        Operation::Minimum => each_pair(left, right, to, minimum),
        Operation::Maximum => each_pair(left, right, to, maximum),
    }
}

#[inline(always)]
fn each(from: Option<&[f64]>, to: &mut [f64], f: impl Fn(f64) -> f64) {
    match from {
        Some(from) => to.iter_mut().zip(from).for_each(|(to, &x)| *to = f(x)),
        None => to.iter_mut().for_each(|x| *x = f(*x)),
    }
}

#[inline(always)]
fn each_pair(left: Option<&[f64]>, right: &[f64], to: &mut [f64], f: impl Fn(f64, f64) -> f64) {
    match left {
        Some(left) => to.iter_mut().zip(left).zip(right).for_each(|((to, &a), &b)| *to = f(a, b)),
        None => to.iter_mut().zip(right).for_each(|(a, &b)| *a = f(*a, b)),
    }
}

/// Numbers processed together: enough to keep the processor busy, few enough to stay in registers
/// and the first-level cache.
const GROUP: usize = 32;

/// A function of a group. A trait rather than a closure, because a closure that is not inlined is
/// compiled without the vector instructions.
trait GroupFunction {
    fn of(&self, from: &[f64; GROUP], to: &mut [f64; GROUP]);
}

/// Applies `f` to one group of numbers after the other. The last group is padded with ones.
#[inline(always)]
fn group_by_group(from: Option<&[f64]>, to: &mut [f64], f: impl GroupFunction) {
    let whole = to.len() - to.len() % GROUP;
    let (groups, rest) = to.split_at_mut(whole);
    match from {
        Some(from) => {
            for (to, from) in groups.chunks_exact_mut(GROUP).zip(from.chunks_exact(GROUP)) {
                f.of(from.try_into().expect("a group"), to.try_into().expect("a group"));
            }
        }
        None => {
            for group in groups.chunks_exact_mut(GROUP) {
                let from: [f64; GROUP] = (&*group).try_into().expect("a group");
                f.of(&from, group.try_into().expect("a group"));
            }
        }
    }
    if !rest.is_empty() {
        let mut last = [1.0; GROUP];
        last[..rest.len()].copy_from_slice(from.map_or(&*rest, |from| &from[whole..]));
        let mut result = [0.0; GROUP];
        f.of(&last, &mut result);
        rest.copy_from_slice(&result[..rest.len()]);
    }
}

/// An elementary function of each number.
#[inline(always)]
fn with_fallback<const FMA: bool, F: Elementary>(from: Option<&[f64]>, to: &mut [f64]) {
    if FMA {
        group_by_group(from, to, WithFallback(PhantomData::<F>));
    } else {
        // `mul_add` would be a function call for each multiplication.
        each(from, to, F::slow);
    }
}

/// `fast(x)` for all `x` in the usual range, `slow(x)` for the others. The result for a number does
/// not depend on its neighbours.
struct WithFallback<F>(PhantomData<F>);

impl<F: Elementary> GroupFunction for WithFallback<F> {
    #[inline(always)]
    fn of(&self, from: &[f64; GROUP], to: &mut [f64; GROUP]) {
        let mut any_outside = false;
        for &x in from {
            any_outside |= is_outside::<F>(x);
        }
        for (to, &x) in to.iter_mut().zip(from) {
            *to = F::fast(x);
        }
        if any_outside {
            replace_outside::<F>(from, to);
        }
    }
}

/// Without a branch, which `&&` would be. NaN is in no range.
#[inline(always)]
fn is_outside<F: Elementary>(x: f64) -> bool {
    !((x >= *F::FAST_RANGE.start()) & (x <= *F::FAST_RANGE.end()))
}

#[cold]
#[inline(never)]
fn replace_outside<F: Elementary>(from: &[f64; GROUP], to: &mut [f64; GROUP]) {
    for (to, &x) in to.iter_mut().zip(from) {
        if is_outside::<F>(x) {
            *to = F::slow(x);
        }
    }
}

struct Powi(i32);

/// By repeated squaring, like std, with the same bits. The loop over the bits of `n` is the outer
/// one, so that the inner ones are vectorised.
impl GroupFunction for Powi {
    #[inline(always)]
    fn of(&self, from: &[f64; GROUP], to: &mut [f64; GROUP]) {
        *to = [1.0; GROUP];
        let mut square = *from;
        let mut left = self.0.unsigned_abs();
        loop {
            if left & 1 == 1 {
                to.iter_mut().zip(&square).for_each(|(power, square)| *power *= square);
            }
            left >>= 1;
            if left == 0 {
                break;
            }
            square.iter_mut().for_each(|x| *x *= *x);
        }
        if self.0 < 0 {
            to.iter_mut().for_each(|x| *x = 1.0 / *x);
        }
    }
}
