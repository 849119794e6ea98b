//! Is the exercise solved? Assertions for learners: a line with a ✓ and the measured values, or a
//! panic whose message helps.
//!
//! `assert!` speaks to people who know the code. The cell below an exercise speaks to someone who
//! has just written it: it says what was found, what was expected, and gives a hint. It fails as
//! long as the exercise is not solved, so a runner and a grader see the same as the learner.
//! Reading order: `wording`, `condition`, then one file per macro.
//!
//! | macro | passes if |
//! |---|---|
//! | [`check!`](crate::check!) | a condition is true |
//! | [`check_eq!`](crate::check_eq!) | two values are equal; of sequences, the first difference is shown |
//! | [`check_close!`](crate::check_close!) | numbers agree within a relative tolerance |
//! | [`check_fast!`](crate::check_fast!) | one function is `factor` times as fast as another |
//! | [`check_memory!`](crate::check_memory!) | a call needs at most so much memory |
//! | [`check_threads!`](crate::check_threads!) | a call really uses several threads |
//!
//! ```
//! use parcourse::prelude::*;
//! fn totals(rain: &[i64]) -> Vec<i64> {
//!     rain.iter().scan(0, |sum, x| { *sum += x; Some(*sum) }).collect()
//! }
//! check_eq!(totals(&[1, 0, 5]), [1, 1, 6], hint = "each total contains the one before");
//! ```
//!
//! prints
//!
//! ```text
//! ✓ totals(&[1, 0, 5]) is [1, 1, 6]
//! ```
//!
//! or else panics, at the line of the check, with
//!
//! ```text
//! ✗ totals(&[1, 0, 5]) is [1, 0, 5], expected [1, 1, 6]
//!   Hint: each total contains the one before
//! ```
//!
//! # Options
//!
//! Options come last, in any order. `hint = "…"` is shown below a failure. `what = "…"` is the name
//! of the value in messages; by default they quote the source of the expression, which says little
//! if that is `f(x)` in a loop. Both are format strings: `what = "f({x})"`.
//!
//! # Noise
//!
//! Measurements are repeated, and the best one counts: other programs make things slower, larger
//! and more serial, never the opposite. Before a check fails for being slow, it tries for some
//! seconds.

mod close;
mod condition;
mod equal;
mod fast;
mod memory;
mod threads;
mod wording;

#[doc(hidden)]
pub use close::close;
pub use close::{Number, Numbers};
#[doc(hidden)]
pub use condition::condition;
#[doc(hidden)]
pub use equal::equal;
#[doc(hidden)]
pub use fast::fast;
#[doc(hidden)]
pub use memory::memory;
#[doc(hidden)]
pub use threads::threads;
#[doc(hidden)]
pub use wording::Wording;
