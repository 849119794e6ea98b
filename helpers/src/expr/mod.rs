//! Whole-array expressions without temporary arrays: vectorised, parallel, and the same bits on any
//! number of threads.
//!
//! `(&a).sin() * (&a).ln()` on arrays of ndarray creates a new array per operation, writes it to
//! memory and reads it back. [`lazy`] makes an expression from an array instead: nothing is
//! computed until you ask for a sum or an array. Then all operations run on a few hundred elements
//! at a time, in the first-level cache, before the next few hundred are read. numexpr does this for
//! NumPy, and numba for array expressions.
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
//! Expressions accept arrays and views of ndarray, of any dimension and in any layout, slices and
//! vectors; of `f64`, or of other numbers, which are converted to `f64` as they are read. All
//! arrays of an expression must have the same shape: only plain numbers are broadcast
//! (`array.broadcast(shape)` of ndarray returns a view that can be used here). See [`Lazy`] for the
//! operations.
//!
//! # Parallel, and still the same
//!
//! From 16,384 elements on, rayon's threads do the work, in chunks of 8192. [`Lazy::serial`] keeps
//! it on one thread. Chunks do not depend on the number of threads, and neither does the order of
//! additions: within a chunk, blocks of 512 in 16 lanes; everything else in a tree of pairs. So
//! sums have the same bits on 1 thread and on 64, and in every run; and their rounding error grows
//! with the logarithm of their length, while that of a loop grows with the length.
//!
//! # How the functions are computed
//!
//! The crate is compiled for the oldest processor of its kind, and checks at run time what is
//! available: AVX-512, AVX2 with FMA, or NEON. [`instruction_set`] returns the choice. sin, cos,
//! exp and ln are branch-free, so that the compiler computes 2, 4 or 8 of them at a time, and
//! differ from those of std by at most 2 units in the last place (exp: 1), tested with millions of
//! arguments. Arguments that need more care (infinities, NaN, subnormal numbers, negative
//! logarithms, angles beyond 10⁹) go to the functions of std one by one. AVX-512, AVX2 and NEON do
//! the same IEEE operations in the same order, so they give the same bits. Without a fused
//! multiply-add (x86 from before 2013), the functions are those of std: slower, and different in
//! the last bits. Reading order: `lazy`, `nodes` and `leaf`, `run`, `reduce` and `output`, then
//! `kernels`.
//!
//! # Why not a crate
//!
//! When this was written (2026), no maintained crate did it. `wide` 1.7 chooses instructions at
//! compile time; its functions, inside a function compiled for AVX2, took four times as long as
//! these. `simdeez` 3 computes sin and cos of `f64` one by one, `sleef` needs a nightly compiler,
//! `numkong` lacks exp and ln, `magetypes` is for `f32`, and `pulp`, `macerator` and
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
