//! Recording, and being recorded.

use super::log::{Recording, push, recording};
use super::stream::TaskStream;
use std::fmt::Display;
use std::time::Instant;

/// Calls `f` and records the tasks that end meanwhile: those of the crate's pools, and those named
/// by [`task`].
///
/// [The module](crate::tasks) describes the cost, which each task pays. Memory: about 100 bytes per
/// task. Beyond 262,144 tasks of one thread, tasks are only counted, and the stream says so.
///
/// # Panics
///
/// Panics of `f` propagate, as does an interrupt; they end the recording.
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

/// Runs `f` as a task of this name: if a recording is running, it appears in the task stream, in
/// the row of its thread.
///
/// Tasks of one kind share a colour; the kind is the name without the numbers at its end. A task
/// within a task is drawn on top of it, and its time is not counted twice. A task that panics is
/// recorded, too.
///
/// Threads appear under their names; rayon's threads are `rayon 0`, `rayon 1` and so on, unless the
/// pool has named them.
///
/// The name is formatted only while recording. `format_args!("row {row}")` avoids creating a
/// `String` otherwise.
///
/// # Examples
///
/// ```
/// use parcourse::prelude::*;
/// let square = |i: u64| tasks::task(format_args!("square {i}"), || i * i);
/// let squares: Vec<u64> = (0..100).into_par_iter().map(square).collect();
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

/// Starts a task of this name.
pub(crate) fn begin<N: Display>(name: N) -> Task<N> {
    Task { name, start: Instant::now() }
}

/// A running task; it ends when this is dropped.
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
