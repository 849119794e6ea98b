//! The list of what was done, while somebody asks for it.

use std::fmt::Display;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

/// One task that a worker has done.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Event {
    /// The name of the thread, or `process 1234`.
    pub(crate) worker: String,
    pub(crate) name: String,
    pub(crate) start: Instant,
    pub(crate) end: Instant,
}

/// How many ask for a recording.
static ASKING: AtomicUsize = AtomicUsize::new(0);
static EVENTS: Mutex<Vec<Event>> = Mutex::new(Vec::new());

/// Whether events are wanted; one load from memory.
#[inline]
pub(crate) fn recording() -> bool {
    ASKING.load(Ordering::Relaxed) > 0
}

/// Adds an event, if events are wanted.
pub(crate) fn add(event: Event) {
    if recording() {
        EVENTS.lock().unwrap_or_else(PoisonError::into_inner).push(event);
    }
}

/// Keeps everybody from adding events, while the process is copied: the copy's lock must not be in another thread's hands.
pub(crate) fn hold() -> impl Sized {
    EVENTS.lock().unwrap_or_else(PoisonError::into_inner)
}

/// In a copy of the process: whether the original wants to know.
pub(crate) fn set_recording(recording: bool) {
    ASKING.store(recording.into(), Ordering::Relaxed);
}

/// In a copy of the process: what was recorded since the last call, for the original.
pub(crate) fn take() -> Vec<Event> {
    std::mem::take(&mut EVENTS.lock().unwrap_or_else(PoisonError::into_inner))
}

/// Does `f` as a task of this name: it appears in the task stream, if one is recorded, in the row of the thread that did it.
pub fn task<R>(name: impl Display, f: impl FnOnce() -> R) -> R {
    if !recording() {
        return f();
    }
    let start = Instant::now();
    let result = f();
    let worker = std::thread::current().name().unwrap_or("a thread").to_string();
    add(Event { worker, name: name.to_string(), start, end: Instant::now() });
    result
}
