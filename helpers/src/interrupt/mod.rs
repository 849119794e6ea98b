//! Stopping a long computation without losing the notebook's variables.
//!
//! When you interrupt a cell, the kernel sends SIGINT to the process that runs your code. Left
//! alone, that ends the process, and every variable with it. While one of this crate's long
//! operations runs (a pool's `map`, [`sleep`], a loop over [`progress`](crate::display::progress),
//! or your own code inside [`scope`]), the signal only sets a flag. The operation looks at the flag
//! at every step, stops, and unwinds out of the cell as a panic would, but silently: the variables
//! of earlier cells stay.
//!
//! A computation that never looks at the flag cannot be stopped this way. Call [`check`] in its
//! loop.
//!
//! ```
//! use parcourse::prelude::*;
//! let sum = interrupt::scope(|| {
//!     let mut sum = 0u64;
//!     for i in 0..1_000_000u64 {
//!         interrupt::check(); // about a nanosecond
//!         sum += i;
//!     }
//!     sum
//! });
//! # assert_eq!(sum, 499_999_500_000);
//! ```
//!
//! All this happens only on the Parcourse kernel, which says so with `PARCOURSE_KERNEL=1`.
//! Elsewhere no signal handler is installed: the stock kernel kills the process on interrupt, a
//! program at a terminal dies of Ctrl-C as usual.

mod signal;

use crate::base::thread_activity;
use crate::output::protocol;
use std::panic::resume_unwind;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

pub(crate) use signal::{Scope, leave_to_parent, lock_for_fork};

/// What an interrupted operation unwinds with: the payload that `catch_unwind` or a thread's `join`
/// gives.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Interrupted;

/// Whether the kernel has been told that this interrupt was answered; once per interrupt is enough.
static ANNOUNCED: AtomicBool = AtomicBool::new(false);

/// Runs `f` so that an interrupt sets a flag instead of ending the process; `f` has to look at it
/// with [`check`].
///
/// Scopes nest, and cover all threads of the process. When the outermost one ends, whatever handled
/// SIGINT before does so again. Entering and leaving costs two system calls, below a microsecond
/// together.
///
/// # Panics
///
/// Unwinds with [`Interrupted`] when an interrupt has come and `f` returned without having noticed.
///
/// # Examples
///
/// ```
/// use parcourse::interrupt;
/// let halves = interrupt::scope(|| {
///     std::iter::successors(Some(1.0), |x| {
///         interrupt::check();
///         (*x > 1e-6).then_some(x / 2.0)
///     })
///     .count()
/// });
/// assert_eq!(halves, 21);
/// ```
pub fn scope<R>(f: impl FnOnce() -> R) -> R {
    let _scope = Scope::enter();
    let result = f();
    check();
    result
}

/// Whether an interrupt has come and is still to be answered. Always false outside of a [`scope`].
#[inline]
pub fn requested() -> bool {
    signal::REQUESTED.load(Ordering::Relaxed)
}

/// Unwinds out of the cell if an interrupt has come; otherwise costs about a nanosecond: one load
/// from memory.
///
/// # Panics
///
/// Unwinds with [`Interrupted`] as payload. No panic message is printed, destructors run, the
/// notebook's variables stay.
#[inline]
pub fn check() {
    // A destructor that runs because of a panic must not start a second one: that would abort the
    // process.
    if requested() && !std::thread::panicking() {
        unwind()
    }
}

#[cold]
fn unwind() -> ! {
    if !ANNOUNCED.swap(true, Ordering::AcqRel) {
        protocol::send_interrupted();
    }
    resume_unwind(Box::new(Interrupted))
}

/// Waits, as Python's `time.sleep` does, and can be interrupted. Other threads go on meanwhile.
///
/// An interrupt is noticed within 10 ms. The end is as punctual as [`std::thread::sleep`].
///
/// # Panics
///
/// Unwinds with [`Interrupted`] when interrupted.
///
/// # Examples
///
/// ```
/// use parcourse::prelude::*;
/// let start = Instant::now();
/// sleep(Duration::from_millis(20));
/// assert!(start.elapsed() >= Duration::from_millis(20));
/// ```
pub fn sleep(duration: Duration) {
    const STEP: Duration = Duration::from_millis(10);
    thread_activity::report();
    scope(|| {
        let start = Instant::now();
        while let Some(left) = duration.checked_sub(start.elapsed()).filter(|left| !left.is_zero())
        {
            std::thread::sleep(left.min(STEP));
            check();
        }
    })
}
