//! Stopping a long computation without losing the notebook's variables.
//!
//! When you interrupt a cell, the kernel sends SIGINT to the process that runs your code. Left
//! alone, that ends the process, and every variable with it. While one of this crate's long
//! operations runs (a pool's `map`, [`sleep`], a loop over [`progress`](crate::display::progress),
//! or your own code inside [`scope`]), the signal only sets a flag. The operation checks the flag
//! at every step, stops, and unwinds out of the cell like a panic, but silently: the variables of
//! earlier cells stay.
//!
//! A computation that never checks the flag cannot be stopped this way. Call [`check`] in its loop.
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
//! All this happens only on the Parcourse kernel, which sets `PARCOURSE_KERNEL=1`. Elsewhere no
//! signal handler is installed: the stock kernel kills the process on interrupt, and Ctrl-C ends a
//! program at a terminal as usual.

mod signal;

use crate::base::thread_activity;
use crate::output::protocol;
use std::panic::resume_unwind;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

pub(crate) use signal::{Scope, leave_to_parent, lock_for_fork};

/// The payload of the panic with which an interrupted operation unwinds; `catch_unwind` and a
/// thread's `join` return it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Interrupted;

/// How often operations check for an interrupt while they wait.
pub(crate) const POLL_INTERVAL: Duration = Duration::from_millis(10);

/// Whether the kernel knows that this interrupt was answered; one message per interrupt is enough.
static ANNOUNCED: AtomicBool = AtomicBool::new(false);

/// Runs `f`; meanwhile an interrupt sets a flag instead of ending the process. `f` has to check the
/// flag with [`check`].
///
/// Scopes nest, and cover all threads of the process. When the outermost one ends, the previous
/// handler of SIGINT is restored. Entering and leaving costs two system calls, together less than a
/// microsecond.
///
/// # Panics
///
/// Unwinds with [`Interrupted`] if an interrupt arrived and `f` returned without noticing it.
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

/// Whether an interrupt has arrived and was not answered yet. Always false outside a [`scope`].
#[inline]
pub fn requested() -> bool {
    signal::REQUESTED.load(Ordering::Relaxed)
}

/// Unwinds out of the cell if an interrupt has arrived; otherwise costs about a nanosecond: one
/// load from memory.
///
/// # Panics
///
/// Unwinds with [`Interrupted`] as payload. No panic message is printed, destructors run, and the
/// notebook's variables stay.
#[inline]
pub fn check() {
    // A destructor that runs during a panic must not start a second one: that would abort the
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

/// Waits like Python's `time.sleep`, and can be interrupted. Other threads go on meanwhile.
///
/// Notices an interrupt within 10 ms. Ends as punctually as [`std::thread::sleep`].
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
    thread_activity::report();
    scope(|| {
        let start = Instant::now();
        while let Some(left) = duration.checked_sub(start.elapsed()).filter(|left| !left.is_zero())
        {
            std::thread::sleep(left.min(POLL_INTERVAL));
            check();
        }
    })
}
