//! Asking for a recording, and being part of one.

use super::log::{Recording, push, recording};
use super::stream::TaskStream;
use std::fmt::Display;
use std::time::Instant;

/// Calls `f` and records the tasks that are done meanwhile: those of the crate's pools, and those
/// named by [`task`].
///
/// What it costs is said in [the module](crate::tasks); it is the tasks that pay. Memory: about 100
/// bytes per task. Of more than 262,144 tasks of one thread the rest is only counted, and the
/// stream says so.
///
/// # Panics
///
/// Panics of `f` come through, as does an interrupt; they end the recording.
///
/// # Examples
///
/// ```
/// use parcourse::prelude::*;
/// let ((), stream) = tasks::record(|| {
///     tasks::task("wash", || sleep(Duration::from_millis(4)));
///     tasks::task("peel", || sleep(Duration::from_millis(8)));
/// });
/// assert_eq!(stream.entries()[1].task, "peel");
/// assert!(stream.work() >= Duration::from_millis(12));
/// stream.gantt().title("In the kitchen").show();
/// ```
pub fn record<R>(f: impl FnOnce() -> R) -> (R, TaskStream) {
    let recording = Recording::begin();
    let value = f();
    let stream = TaskStream::so_far(&recording);
    (value, stream)
}

/// Does `f` as a task of this name: it appears in the task stream, if one is recorded, in the row
/// of the thread that did it.
///
/// Tasks of one kind have one colour; the kind is the name without the numbers at its end. A task
/// within a task is drawn on top of it, and its time is not counted twice. A task that panics is
/// recorded, too.
///
/// Threads are called by their names; rayon's are called `rayon 0`, `rayon 1` and so on, unless the
/// pool has given them names.
///
/// The name is written only if somebody records. `format_args!("row {row}")` saves making a
/// `String` otherwise.
///
/// # Examples
///
/// ```
/// use parcourse::prelude::*;
/// let squares: Vec<u64> = (0..100).into_par_iter().map(|i| tasks::task(format_args!("square {i}"), || i * i)).collect();
/// assert_eq!(squares[9], 81);
/// ```
#[inline]
pub fn task<R>(name: impl Display, f: impl FnOnce() -> R) -> R {
    if !recording() {
        return f();
    }
    let _task = begin(name);
    f()
}

/// Begins a task of this name.
pub(crate) fn begin<N: Display>(name: N) -> Task<N> {
    Task { name, start: Instant::now() }
}

/// A task in work; it is done when this is dropped, in whatever way.
pub(crate) struct Task<N: Display> {
    name: N,
    start: Instant,
}

impl<N: Display> Drop for Task<N> {
    fn drop(&mut self) {
        end(&self.name, self.start);
    }
}

#[inline(never)]
fn end(name: &dyn Display, start: Instant) {
    let end = Instant::now();
    push(name.to_string(), None, start, end);
}
