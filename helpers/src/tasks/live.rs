//! Drawing the chart while the work goes on.

use super::log::Recording;
use super::stream::TaskStream;
use crate::display::{Bundle, Handle, Rich, display, display_with_id};
use crate::output::protocol;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

/// Like [`record`](super::record), but also draws the chart while `f` runs: it appears after a
/// quarter of a second and is updated three or four times per second. A task appears when it has
/// ended.
///
/// A separate thread draws it, for at most a twentieth of the time. On the stock kernel only the
/// final state appears; outside of a notebook, its text form.
///
/// # Panics
///
/// Panics of `f` propagate, as does an interrupt; the chart then shows what was done until then.
///
/// # Examples
///
/// ```
/// use parcourse::prelude::*;
/// let (lengths, stream) = tasks::live(|| {
///     let words = ["computer", "thesis", "mom"];
///     words.par_iter().map(|word| tasks::task(word, || word.len())).collect::<Vec<_>>()
/// });
/// assert_eq!(lengths, [8, 6, 3]);
/// assert_eq!(stream.entries().len(), 3);
/// ```
pub fn live<R>(f: impl FnOnce() -> R) -> (R, TaskStream) {
    let recording = Recording::begin();
    let stop = AtomicBool::new(false);
    thread::scope(|scope| {
        // Without this thread, the final state is still shown.
        let watcher = protocol::on_parcourse_kernel()
            .then(|| {
                thread::Builder::new()
                    .name("task stream".into())
                    .spawn_scoped(scope, || watch(&recording, &stop))
                    .ok()
            })
            .flatten();
        let mut ending = Ending { recording: &recording, stop: &stop, watcher };
        let value = f();
        let stream = ending.show();
        std::mem::forget(ending);
        (value, stream)
    })
}

/// Between two drawings.
const PERIOD: Duration = Duration::from_millis(250);

/// Draws until it is told to stop; returns the handle of its output.
fn watch(recording: &Recording, stop: &AtomicBool) -> Option<Handle> {
    let mut handle: Option<Handle> = None;
    let mut next = Instant::now() + PERIOD;
    while !stop.load(Ordering::Acquire) {
        let now = Instant::now();
        if now < next {
            // May also return early, or because it is time to stop.
            thread::park_timeout(next - now);
            continue;
        }
        let bundle = TaskStream::so_far(recording).bundle();
        show(&mut handle, &bundle);
        next = Instant::now() + PERIOD.max(20 * now.elapsed());
    }
    handle
}

fn show(handle: &mut Option<Handle>, bundle: &Bundle) {
    match handle {
        Some(handle) => handle.update(bundle),
        None => *handle = Some(display_with_id(bundle)),
    }
}

/// Shows the final state, whether `f` completed or not.
struct Ending<'scope, 'env> {
    recording: &'env Recording,
    stop: &'env AtomicBool,
    watcher: Option<thread::ScopedJoinHandle<'scope, Option<Handle>>>,
}

impl Ending<'_, '_> {
    fn show(&mut self) -> TaskStream {
        self.stop.store(true, Ordering::Release);
        let watcher = self.watcher.take();
        let handle = watcher.and_then(|watcher| {
            watcher.thread().unpark();
            watcher.join().ok().flatten()
        });
        let stream = TaskStream::so_far(self.recording);
        match handle {
            Some(handle) => handle.update(&stream),
            None => display(&stream),
        }
        stream
    }
}

impl Drop for Ending<'_, '_> {
    fn drop(&mut self) {
        self.show();
    }
}
