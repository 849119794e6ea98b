//! How the threads of a pool share the items of one `map`.
//!
//! Every thread takes the next chunk of items from a common counter, so that items are begun in
//! their order. A chunk is one item at first and doubles while it takes less than 50 µs: then the
//! counter and the clock cost nothing, however short the items, and items that take longer are
//! always taken one by one. Towards the end chunks become smaller, so that all threads end at the
//! same time.
//!
//! If the items of a chunk turn out to be slow all the same, the thread does not sit on them: its
//! chunk lies open in its [`Tray`], from which it takes a few at a time, and others help themselves
//! to the back half when the counter has run out.
//!
//! Nothing here knows the types of items and results: what depends on them is a function that
//! computes some items and writes their results to where they stay ([`Work`]).

use crate::base::{panic_capture, thread_activity};
use crate::display::ProgressBar;
use crate::pool::Cause;
use crate::{interrupt, tasks};
use std::any::Any;
use std::ops::Range;
use std::panic::resume_unwind;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// What a chunk should take.
const CHUNK: Duration = Duration::from_micros(50);
/// A chunk is taken from its tray in so many parts, at least.
const PARTS: usize = 8;

/// What is to be done with the items of one `map`.
#[derive(Clone, Copy)]
pub(super) struct Work<'a> {
    pub(super) len: usize,
    /// Computes these items, writes their results to their places, and counts those that are
    /// written.
    pub(super) compute: &'a (dyn Fn(Range<usize>, &mut usize) + Sync),
    /// Drops these results.
    pub(super) drop: &'a (dyn Fn(Range<usize>) + Sync),
    /// The text for an item.
    pub(super) name: &'a (dyn Fn(usize) -> String + Sync),
}

/// Room for the results of a `map`. It counts as empty until [`filled`](Room::filled) is called.
pub(super) struct Room<R> {
    results: Vec<R>,
    start: *mut R,
}

// SAFETY: what threads do with the room is to write results to it and to drop them, each place by
// one thread.
unsafe impl<R: Send> Sync for Room<R> {}

impl<R> Room<R> {
    pub(super) fn new(len: usize) -> Room<R> {
        let mut results = Vec::with_capacity(len);
        Room { start: results.as_mut_ptr(), results }
    }

    /// Applies `f` to these items of `items` and writes the results to their places. Counts what is
    /// written, also if `f` panics.
    ///
    /// # Safety
    ///
    /// There is room for as many results as there are items, and nobody else writes to these
    /// places.
    #[inline]
    pub(super) unsafe fn fill<'items, T>(
        &self,
        items: &'items [T],
        range: Range<usize>,
        written: &mut usize,
        f: &impl Fn(usize, &'items T) -> R,
    ) {
        struct Count<'count>(&'count mut usize, usize);
        impl Drop for Count<'_> {
            fn drop(&mut self) {
                *self.0 += self.1;
            }
        }
        let start = range.start;
        // Kept in a register.
        let mut count = Count(written, 0);
        for (index, item) in (start..).zip(&items[range]) {
            // SAFETY: as the caller says.
            unsafe { self.start.add(index).write(f(index, item)) };
            count.1 += 1;
        }
    }

    /// # Safety
    ///
    /// There is room for a result at this place, and nobody else writes to it.
    pub(super) unsafe fn write(&self, index: usize, result: R) {
        // SAFETY: as the caller says.
        unsafe { self.start.add(index).write(result) }
    }

    /// # Safety
    ///
    /// These results are there, and nobody uses them after this.
    pub(super) unsafe fn drop(&self, range: Range<usize>) {
        // SAFETY: as the caller says.
        unsafe {
            std::ptr::slice_from_raw_parts_mut(self.start.add(range.start), range.len())
                .drop_in_place()
        }
    }

    /// The first `len` results.
    ///
    /// # Safety
    ///
    /// They are there.
    pub(super) unsafe fn filled(mut self, len: usize) -> Vec<R> {
        // SAFETY: as the caller says.
        unsafe { self.results.set_len(len) };
        self.results
    }
}

/// One `map`.
pub(super) struct Run<'a> {
    work: Work<'a>,
    chunk_size: Option<usize>,
    next: AtomicUsize,
    stop: AtomicBool,
    trays: Vec<Tray>,
    progress: Option<Mutex<ProgressBar>>,
    /// The items whose results are there.
    written: Mutex<Vec<Range<usize>>>,
    failed: Mutex<Option<Failed>>,
}

/// What a thread still has to do of its chunk. A cache line of its own, because its thread writes
/// to it all the time.
#[repr(align(128))]
struct Tray(Mutex<Range<usize>>);

/// An item whose function panicked.
pub(super) struct Failed {
    pub(super) index: usize,
    pub(super) payload: Box<dyn Any + Send>,
    pub(super) place: String,
}

impl<'a> Run<'a> {
    pub(super) fn new(
        work: Work<'a>,
        shares: usize,
        chunk_size: Option<usize>,
        progress: Option<ProgressBar>,
    ) -> Run<'a> {
        Run {
            work,
            chunk_size,
            next: AtomicUsize::new(0),
            stop: AtomicBool::new(false),
            trays: std::iter::repeat_with(|| Tray(Mutex::new(0..0))).take(shares).collect(),
            progress: progress.map(Mutex::new),
            written: Mutex::default(),
            failed: Mutex::default(),
        }
    }

    /// One thread's work: chunk after chunk, until there is none or a reason to stop.
    pub(super) fn work(&self, thread: usize) {
        let mut written = Vec::new();
        let mut chunk = self.chunk_size.unwrap_or(1);
        let mut begin = Instant::now();
        while let Some(range) = self.claim(chunk).or_else(|| self.steal(thread)) {
            thread_activity::report();
            self.compute(thread, range, &mut written);
            if self.chunk_size.is_none() {
                let end = Instant::now();
                match end - begin {
                    short if short < CHUNK / 8 => chunk = chunk.saturating_mul(4),
                    short if short < CHUNK => chunk = chunk.saturating_mul(2),
                    long if long > 2 * CHUNK => chunk = chunk.div_ceil(2),
                    _ => {}
                }
                begin = end;
            }
        }
        lock(&self.written).append(&mut written);
    }

    /// The next items from the counter.
    fn claim(&self, chunk: usize) -> Option<Range<usize>> {
        if self.is_stopped() {
            return None;
        }
        // Relaxed is enough, here and below: the results reach the caller through a mutex.
        let left = self
            .work
            .len
            .checked_sub(self.next.load(Ordering::Relaxed))
            .filter(|&left| left > 0)?;
        let fair = left.div_ceil(self.trays.len());
        let chunk = self.chunk_size.unwrap_or(chunk.min(fair)).min(left);
        // Others may have taken some of these meanwhile, and then it is a few less; the counter
        // passes the end by no more than a chunk each.
        let start = self.next.fetch_add(chunk, Ordering::Relaxed);
        (start < self.work.len).then(|| start..(start + chunk).min(self.work.len))
    }

    /// The back half of what another thread has not begun.
    fn steal(&self, thread: usize) -> Option<Range<usize>> {
        let others =
            (1..self.trays.len()).map(|step| &self.trays[(thread + step) % self.trays.len()]);
        for Tray(tray) in others {
            let mut items = lock(tray);
            if !items.is_empty() && !self.is_stopped() {
                let middle = items.start + items.len() / 2;
                let back = middle..items.end;
                items.end = middle;
                return Some(back);
            }
        }
        None
    }

    /// The front of what this thread has in its tray.
    fn take(&self, thread: usize, part: usize) -> Option<Range<usize>> {
        let mut items = lock(&self.trays[thread].0);
        let front = items.start..items.end.min(items.start + part);
        items.start = front.end;
        (!front.is_empty() && !self.is_stopped()).then_some(front)
    }

    /// Does the items of a chunk, or those of them that nobody else takes.
    fn compute(&self, thread: usize, chunk: Range<usize>, written: &mut Vec<Range<usize>>) {
        if written.last().is_none_or(|range| range.end != chunk.start) {
            written.push(chunk.start..chunk.start);
        }
        let last = written.len() - 1;
        let done = &mut written[last].end;
        let outcome = panic_capture::catch(|| {
            if self.chunk_size.is_some() || chunk.len() == 1 {
                return chunk.for_each(|index| self.part(index..index + 1, done));
            }
            let part = chunk.len().div_ceil(PARTS);
            *lock(&self.trays[thread].0) = chunk;
            while let Some(range) = self.take(thread, part) {
                self.part(range, done);
            }
        });
        if let Err((payload, place)) = outcome {
            self.stop.store(true, Ordering::Relaxed);
            self.note(Failed { index: written[last].end, payload, place });
        }
    }

    /// Does items that follow each other; `done` is the end of those whose results are there.
    fn part(&self, range: Range<usize>, done: &mut usize) {
        if self.is_stopped() {
            return;
        }
        let number = range.len();
        if tasks::recording() {
            range.for_each(|index| {
                tasks::task((self.work.name)(index), || (self.work.compute)(index..index + 1, done))
            });
        } else {
            (self.work.compute)(range, done);
        }
        if let Some(bar) = &self.progress {
            lock(bar).advance(number);
        }
    }

    /// Keeps the failure that will be reported: an interrupt before all others, otherwise the
    /// smallest index.
    fn note(&self, new: Failed) {
        let rank = |failed: &Failed| (!failed.payload.is::<interrupt::Interrupted>(), failed.index);
        let mut failed = lock(&self.failed);
        if failed.as_ref().is_none_or(|old| rank(&new) < rank(old)) {
            *failed = Some(new);
        }
    }

    #[inline]
    fn is_stopped(&self) -> bool {
        self.stop.load(Ordering::Relaxed) || interrupt::requested()
    }

    /// How many results are there, without a gap: all of them, unless there was an interrupt. Or
    /// what failed; then there are none.
    pub(super) fn finish(self) -> Result<usize, Failed> {
        let mut written = self.written.into_inner().unwrap_or_else(PoisonError::into_inner);
        written.sort_unstable_by_key(|range| range.start);
        let failed = self.failed.into_inner().unwrap_or_else(PoisonError::into_inner);
        let mut len = 0;
        for range in written {
            if failed.is_none() && range.start == len {
                len = range.end;
            } else {
                (self.work.drop)(range);
            }
        }
        failed.map_or(Ok(len), Err)
    }
}

/// Calls `f`, which does one item after the other. A panic is the failure of one item; an interrupt
/// goes on.
#[inline(never)]
pub(super) fn attempt(f: &mut dyn FnMut()) -> Option<Cause> {
    let (payload, place) = panic_capture::catch(f).err()?;
    if payload.is::<interrupt::Interrupted>() {
        resume_unwind(payload);
    }
    Some(Cause::of_panic(&*payload, place))
}

/// Calls `f`, and writes that down as a task where a task stream is recorded.
#[inline]
pub(super) fn recorded<R>(f: impl FnOnce() -> R, name: impl FnOnce() -> String) -> R {
    if tasks::recording() { tasks::task(name(), f) } else { f() }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
