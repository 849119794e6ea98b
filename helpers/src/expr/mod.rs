//! Whole-array expressions without temporary arrays: vectorised, parallel, and the same bits on any
//! number of threads.
//!
//! `(&a).sin() * (&a).ln()` on arrays of ndarray makes one new array per operation, writes it to
//! memory and reads it back. [`lazy`] makes an expression of an array instead: nothing is computed
//! until a sum or an array is asked for, and then all operations are done on a few hundred elements
//! at a time, in the first cache, before the next few hundred are read. It is what numexpr does for
//! NumPy, and what numba does with array expressions.
//!
//! ```
//! use parcourse::prelude::*;
//! let a: Array1<f64> = Array1::linspace(1.0, 10.0, 100_000);
//! let x = lazy(&a);
//! let sum = (x.sin() * x.ln() * x.square()).sum(); // reads `a` once, writes nothing
//! let b = (2.0 * x + 1.0).sqrt().to_array(); // writes `b`, nothing else
//! assert_eq!(b.len(), a.len());
//! assert!((sum - a.iter().map(|x| x.sin() * x.ln() * x * x).sum::<f64>()).abs() < 1e-6);
//! ```
//!
//! # What can be in an expression
//!
//! Arrays and views of ndarray, of any dimension and in any layout, slices and vectors; of `f64`,
//! or of other numbers, which become `f64` as they are read. All arrays of an expression have the
//! same shape: nothing is broadcast but plain numbers (`array.broadcast(shape)` of ndarray gives a
//! view that can be used here). Operations: see [`Lazy`].
//!
//! # Parallel, and still the same
//!
//! From 16,384 elements on, the work is done by rayon's threads, in chunks of 8192.
//! [`Lazy::serial`] keeps it in one. Chunks do not depend on the number of threads, and neither
//! does the order in which numbers are added: within a chunk, blocks of 512 in 16 lanes, everything
//! else in a tree of pairs. So sums have the same bits on 1 thread and on 64, and in every run; and
//! their rounding error grows with the logarithm of their length, where that of a loop grows with
//! the length.
//!
//! # How the functions are computed
//!
//! The crate is compiled for the oldest processor of its kind, and looks at run time what there is:
//! AVX-512, AVX2 with FMA, or NEON. [`instruction_set`] says which. sin, cos, exp and ln are
//! branch-free, so that the compiler does 2, 4 or 8 of them at a time, and differ from those of std
//! by at most 2 units in the last place (exp: 1), tested with millions of arguments. Arguments that
//! need more care (infinities, NaN, subnormal numbers, negative logarithms, angles beyond 10⁹) are
//! handed to the functions of std one by one. AVX-512, AVX2 and NEON do the same IEEE operations in
//! the same order, so they give the same bits. Without a fused multiply-add (x86 from before 2013)
//! the functions are those of std: slow, and other last bits.
//!
//! # Why not a crate
//!
//! None of the maintained ones did it when this was written (2026). `wide` 1.7 chooses instructions
//! when it is compiled; its functions, put into a function compiled for AVX2, took four times as
//! long as these. `simdeez` 3 computes sin and cos of `f64` one by one, `sleef` needs a nightly
//! compiler, `numkong` lacks exp and ln, `magetypes` is for `f32`, and `pulp`, `macerator` and
//! `fearless_simd` have no such functions.
mod kernels;
mod lazy;
mod leaf;
mod nodes;
mod output;
mod reduce;
mod run;

pub(crate) use kernels::pairwise;
pub use kernels::{InstructionSet, instruction_set};
pub use lazy::{Lazy, lazy};
pub use leaf::{Leaf, Number, Source};
pub use nodes::{Binary, Expression, Map, Unary};
pub use output::Target;
