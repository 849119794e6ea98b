//! How long did it take, and how many cores were busy?
//!
//! [`time!`](crate::time!) is IPython's `%time`: it returns the value and prints what it cost.
//! [`timed!`](crate::timed!) returns the cost as a value, a [`Timing`], to compute or plot with.
//!
//! ```
//! use parcourse::prelude::*;
//! let total: u64 = time!((0..1_000_000u64).sum());
//! let (same, timing) = timed!((0..1_000_000u64).into_par_iter().sum::<u64>());
//! assert_eq!(total, same);
//! println!("{:.2} cores were busy", timing.cores_busy());
//! ```
//!
//! *Wall time* is the time that passes on a clock. *CPU time* is the time that cores spend working,
//! summed over all threads: it is larger than the wall time when several cores compute, and far
//! smaller when the program waits. Their ratio shows how parallel the computation was.
//!
//! Both measure a single run, on a machine that does other things, too. [`timeit!`](crate::timeit!)
//! repeats the run and returns the statistics, a [`Sample`]; [`compare!`](crate::compare!) does so
//! for several expressions side by side. [`scaling`] repeats it with 1, 2, 3, … threads and shows
//! what the threads are worth. Reading order: `timing`, `clock`, `repetitions`, `sampler`,
//! `sample`, then the macros and `scaling`.

mod clock;
mod compare;
mod repetitions;
mod sample;
mod sampler;
mod scaling;
mod timeit;
mod timing;

pub use crate::format::FineDuration;
pub use clock::Clock;
pub use compare::Comparison;
#[doc(hidden)]
pub use compare::ComparisonSampler;
#[doc(hidden)]
pub use repetitions::Options;
pub use sample::Sample;
#[doc(hidden)]
pub use sampler::Sampler;
pub use scaling::{Scaling, scaling};
pub use timing::{Stopwatch, Timing};

/// Evaluates an expression, prints the CPU and wall time it took to stdout, and returns its value.
///
/// Works with any expression, also a block: `?`, `return` and moves mean the same as without the
/// macro. The value is kept from the optimiser, so it is computed before the clock stops. Measuring
/// costs a few microseconds, without printing.
///
/// # Examples
///
/// ```
/// use parcourse::prelude::*;
/// let words = time!({
///     sleep(Duration::from_millis(5));
///     ["computer", "thesis", "mom"]
/// });
/// assert_eq!(words.len(), 3);
/// ```
///
/// prints
///
/// ```text
/// CPU times: user 21.0 µs, sys: 14.0 µs, total: 35.0 µs
/// Wall time: 5.09 ms
/// Cores:     0.01 of 2 busy
/// ```
#[macro_export]
macro_rules! time {
    ($expression:expr $(,)?) => {
        // A `match` instead of `let`: temporaries of the expression live as long as without the
        // macro.
        match ($crate::time::Stopwatch::start(), ::std::hint::black_box($expression)) {
            (stopwatch, value) => {
                let timing = stopwatch.stop();
                ::std::println!("{timing}");
                value
            }
        }
    };
}

/// Evaluates an expression and returns its value and its [`Timing`]; prints nothing.
///
/// # Examples
///
/// ```
/// use parcourse::prelude::*;
/// let (sum, timing) = timed!((1..=100).sum::<u32>());
/// assert_eq!(sum, 5050);
/// assert!(timing.wall < Duration::from_secs(60));
/// ```
#[macro_export]
macro_rules! timed {
    ($expression:expr $(,)?) => {
        match ($crate::time::Stopwatch::start(), ::std::hint::black_box($expression)) {
            (stopwatch, value) => {
                let timing = stopwatch.stop();
                (value, timing)
            }
        }
    };
}
