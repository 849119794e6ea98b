//! The result of a submitted task.

use super::slot::Outcome;
use super::{Failure, Slot};
use std::any::Any;
use std::fmt;
use std::marker::PhantomData;
use std::panic::{RefUnwindSafe, UnwindSafe};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// The result of a submitted function, now or later: what `submit` of a pool returns. Python's
/// `concurrent.futures.Future`.
///
/// (This is not a future of Rust's `async`, which does nothing until it is awaited: the work of
/// this one has begun, or waits for a free worker.)
///
/// Every method that waits can be interrupted. Dropping a future does not wait: in a pool of
/// threads the function goes on and its result is discarded; a pool of processes ends it. A thread
/// that waits for a function of its own pool runs it itself if no other thread has begun it, and
/// may then wait longer than the given time.
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
    untyped: UntypedFuture,
    value: PhantomData<fn() -> R>,
}

/// What futures of all types have in common.
pub(crate) struct UntypedFuture {
    slot: Arc<Slot>,
    /// Called before waiting: runs the task here if waiting for a worker could take forever.
    help: Option<Box<dyn Fn() + Send + Sync>>,
    /// Called when the future is dropped before there is a result.
    cancel: Option<Box<dyn FnOnce() + Send + Sync>>,
}

impl<R: 'static> Future<R> {
    /// The slot is filled with a value of type `R`.
    pub(crate) fn new(untyped: UntypedFuture) -> Future<R> {
        Future { untyped, value: PhantomData }
    }

    /// Whether the function has ended, so that [`get`](Future::get) would not wait.
    pub fn is_ready(&self) -> bool {
        self.untyped.slot.is_filled()
    }

    /// Waits until the function has ended, at most for this duration; returns whether it has.
    pub fn wait_for(&self, duration: Duration) -> bool {
        self.untyped.wait_for(duration)
    }

    /// Waits for the result.
    ///
    /// # Panics
    ///
    /// If the function panicked, with its message and location; with a pool of processes also if
    /// the process died.
    #[track_caller]
    pub fn get(self) -> R {
        value(self.untyped.get())
    }

    /// Waits for the result, or for the reason why there is none.
    ///
    /// # Errors
    ///
    /// If the function panicked; with a pool of processes also if the process died.
    pub fn try_get(self) -> Result<R, Failure> {
        self.untyped.try_get().map(value)
    }

    /// Waits for the result, at most for this duration; then returns the future, to be asked again.
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

impl UntypedFuture {
    pub(crate) fn new(slot: Arc<Slot>) -> UntypedFuture {
        UntypedFuture { slot, help: None, cancel: None }
    }

    /// Makes the future call `help` before it waits.
    pub(crate) fn on_wait(mut self, help: impl Fn() + Send + Sync + 'static) -> UntypedFuture {
        self.help = Some(Box::new(help));
        self
    }

    /// Makes the future call `cancel` when it is dropped before there is a result.
    pub(crate) fn on_cancel(
        mut self,
        cancel: impl FnOnce() + Send + Sync + 'static,
    ) -> UntypedFuture {
        self.cancel = Some(Box::new(cancel));
        self
    }

    #[inline(never)]
    fn wait_for(&self, duration: Duration) -> bool {
        // A duration beyond the end of the clock means forever.
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
        self.slot.take().expect("only this future takes the result, once")
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

// The result arrives as a whole or not at all.
impl<R> UnwindSafe for Future<R> {}
impl<R> RefUnwindSafe for Future<R> {}

impl Drop for UntypedFuture {
    fn drop(&mut self) {
        if let Some(cancel) = self.cancel.take()
            && !self.slot.is_filled()
        {
            cancel();
        }
    }
}

impl<R> fmt::Debug for Future<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Future")
            .field("is_ready", &self.untyped.slot.is_filled())
            .finish_non_exhaustive()
    }
}
