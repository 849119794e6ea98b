//! The result of a task that was submitted and goes on by itself.

use super::slot::Outcome;
use super::{Failure, Slot};
use std::any::Any;
use std::fmt;
use std::marker::PhantomData;
use std::panic::{RefUnwindSafe, UnwindSafe};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// The result of a submitted function, now or later: what `submit` of a pool gives back. Python's
/// `concurrent.futures.Future`.
///
/// (It is not a future of Rust's `async`, which does nothing until it is awaited: this one's work
/// has begun, or waits for a free worker.)
///
/// Every method that waits can be interrupted. Dropping a future does not wait: the function goes
/// on, without anybody to take its result, in a pool of threads; a pool of processes ends it. A
/// thread that waits for a function of its own pool does it itself, if nobody has begun it; it may
/// then wait longer than it was told.
///
/// # Examples
///
/// ```
/// use parcourse::prelude::*;
/// let sum = Pool::new(2).submit(|| (1..=1_000_000u64).sum::<u64>());
/// // … something else, meanwhile …
/// assert_eq!(sum.get(), 500_000_500_000);
/// ```
pub struct Future<R> {
    waiting: Waiting,
    value: PhantomData<fn() -> R>,
}

/// What futures of all types have in common.
pub(crate) struct Waiting {
    slot: Arc<Slot>,
    /// Called before waiting: does the task itself where waiting for a worker could take forever.
    help: Option<Box<dyn Fn() + Send + Sync>>,
    /// Called when the future is dropped before there is a result.
    abandon: Option<Box<dyn FnOnce() + Send + Sync>>,
}

impl<R: 'static> Future<R> {
    /// The slot is filled with a value of type `R`.
    pub(crate) fn new(waiting: Waiting) -> Future<R> {
        Future { waiting, value: PhantomData }
    }

    /// Whether the function is done (or has failed), so that [`get`](Future::get) would not wait.
    pub fn is_ready(&self) -> bool {
        self.waiting.slot.is_filled()
    }

    /// Waits until the function is done, at most for so long; says whether it is.
    pub fn wait_for(&self, duration: Duration) -> bool {
        self.waiting.wait_for(duration)
    }

    /// Waits for the result.
    ///
    /// # Panics
    ///
    /// If the function panicked, with its message and place; for a pool of processes also if the
    /// process died.
    #[track_caller]
    pub fn get(self) -> R {
        value(self.waiting.get())
    }

    /// Waits for the result, or for the reason why there is none.
    ///
    /// # Errors
    ///
    /// What the function panicked with; for a pool of processes also what the process died of.
    pub fn try_get(self) -> Result<R, Failure> {
        self.waiting.try_get().map(value)
    }

    /// Waits for the result, at most for so long. Then the future comes back, to be asked again.
    ///
    /// # Errors
    ///
    /// The future itself, when the time is up.
    ///
    /// # Panics
    ///
    /// As [`get`](Future::get).
    #[track_caller]
    pub fn get_timeout(self, duration: Duration) -> Result<R, Future<R>> {
        if self.wait_for(duration) { Ok(self.get()) } else { Err(self) }
    }
}

/// The value that the slot was filled with.
fn value<R: 'static>(value: Box<dyn Any + Send>) -> R {
    match value.downcast() {
        Ok(value) => *value,
        Err(_) => unreachable!("the value is of the future's type"),
    }
}

impl Waiting {
    pub(crate) fn new(slot: Arc<Slot>) -> Waiting {
        Waiting { slot, help: None, abandon: None }
    }

    /// A future that calls this before it waits.
    pub(crate) fn helped_by(mut self, help: impl Fn() + Send + Sync + 'static) -> Waiting {
        self.help = Some(Box::new(help));
        self
    }

    /// A future that calls this when it is dropped before there is a result.
    pub(crate) fn abandoned_by(
        mut self,
        abandon: impl FnOnce() + Send + Sync + 'static,
    ) -> Waiting {
        self.abandon = Some(Box::new(abandon));
        self
    }

    #[inline(never)]
    fn wait_for(&self, duration: Duration) -> bool {
        // A duration beyond the end of the clock is forever.
        self.wait(Instant::now().checked_add(duration))
    }

    #[inline(never)]
    #[track_caller]
    pub(crate) fn get(self) -> Box<dyn Any + Send> {
        match self.try_get() {
            Ok(value) => value,
            Err(failure) => panic!("{failure}"),
        }
    }

    #[inline(never)]
    fn try_get(self) -> Outcome {
        self.wait(None);
        self.slot.take().expect("only this future takes the result, and once")
    }

    fn wait(&self, until: Option<Instant>) -> bool {
        if let Some(help) = &self.help
            && !self.slot.is_filled()
        {
            help();
        }
        self.slot.wait(until)
    }
}

// The result arrives whole or not at all.
impl<R> UnwindSafe for Future<R> {}
impl<R> RefUnwindSafe for Future<R> {}

impl Drop for Waiting {
    fn drop(&mut self) {
        if let Some(abandon) = self.abandon.take()
            && !self.slot.is_filled()
        {
            abandon();
        }
    }
}

impl<R> fmt::Debug for Future<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Future")
            .field("is_ready", &self.waiting.slot.is_filled())
            .finish_non_exhaustive()
    }
}
