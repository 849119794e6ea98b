//! The chart that is drawn while the work goes on.

use super::log::Recording;
use super::stream::TaskStream;
use crate::display::{Bundle, Handle, Rich, display, display_with_id};
use crate::output::protocol;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

/// As [`record`](super::record), and draws the chart while `f` runs: it appears after a quarter of
/// a second, and is drawn anew three or four times a second. A task is in it when it has ended.
///
/// A thread of its own draws it, for at most a twentieth of the time. On the stock kernel only the
/// final state appears, as does the text form outside of a notebook.
///
/// # Panics
///
/// Panics of `f` come through, as does an interrupt; the chart then shows what was done until then.
///
/// # Examples
///
/// ```
/// use parcourse::prelude::*;
/// let (lengths, stream) = tasks::live(|| {
///     ["computer", "thesis", "mom"].par_iter().map(|word| tasks::task(word, || word.len())).collect::<Vec<_>>()
/// });
/// assert_eq!(lengths, [8, 6, 3]);
/// assert_eq!(stream.entries().len(), 3);
/// ```
pub fn live<R>(f: impl FnOnce() -> R) -> (R, TaskStream) {
    let recording = Recording::begin();
    let stop = AtomicBool::new(false);
    thread::scope(|scope| {
        // Without a thread for it there is still the final state.
        let watcher = protocol::on_our_kernel()
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

/// Draws until it is told to stop; gives back the handle of what it has drawn.
fn watch(recording: &Recording, stop: &AtomicBool) -> Option<Handle> {
    let mut handle: Option<Handle> = None;
    let mut next = Instant::now() + PERIOD;
    while !stop.load(Ordering::Acquire) {
        let now = Instant::now();
        if now < next {
            // May also end early, or because it is time to stop.
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

/// Shows the final state, whether `f` came to its end or not.
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
