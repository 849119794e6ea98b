//! How the threads of a pool share the items of one `map`.
//!
//! Every thread takes the next chunk of items from a common counter, so items are begun in their
//! order. A chunk is one item at first and doubles while it takes less than 50 µs: then the counter
//! and the clock cost nothing, however short the items are, and longer items are always taken one
//! by one. Towards the end chunks become smaller, so that all threads end at the same time.
//!
//! If the items of a chunk turn out to be slow after all, its thread does not keep them: the chunk
//! lies in its [`LocalRange`], from which it takes a few at a time, and other threads steal the
//! back half once the counter has reached the end.
//!
//! Nothing here knows the types of items and results, except [`ResultBuffer`]: a function computes
//! some items and writes their results to their final place ([`Work`]).

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

/// How long a chunk should take.
const TARGET_CHUNK_TIME: Duration = Duration::from_micros(50);
/// A thread takes its chunk from its local range in at least this many parts.
const PARTS: usize = 8;

/// What one `map` does with its items.
#[derive(Clone, Copy)]
pub(super) struct Work<'a> {
    pub(super) len: usize,
    /// Computes these items, writes their results to the buffer, and counts those that it has
    /// written.
    pub(super) compute: &'a (dyn Fn(Range<usize>, &mut usize) + Sync),
    /// Drops these results.
    pub(super) drop: &'a (dyn Fn(Range<usize>) + Sync),
    /// The text for an item.
    pub(super) name: &'a (dyn Fn(usize) -> String + Sync),
}

/// Memory for the results of a `map`. The vector stays empty until
/// [`into_vec`](ResultBuffer::into_vec) is called.
pub(super) struct ResultBuffer<R> {
    results: Vec<R>,
    start: *mut R,
}

// SAFETY: threads only write results to the buffer and drop them, each element by one thread.
unsafe impl<R: Send> Sync for ResultBuffer<R> {}

impl<R> ResultBuffer<R> {
    pub(super) fn new(len: usize) -> ResultBuffer<R> {
        let mut results = Vec::with_capacity(len);
        ResultBuffer { start: results.as_mut_ptr(), results }
    }

    /// Applies `f` to these items of `items` and writes the results. Counts what it has written,
    /// even if `f` panics.
    ///
    /// # Safety
    ///
    /// The buffer is as long as `items`, and no other thread writes to this range.
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
    /// The index is within the buffer, and no other thread writes to it.
    pub(super) unsafe fn write(&self, index: usize, result: R) {
        // SAFETY: as the caller says.
        unsafe { self.start.add(index).write(result) }
    }

    /// # Safety
    ///
    /// These results were written, and are not used after this.
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
    /// They were written.
    pub(super) unsafe fn into_vec(mut self, len: usize) -> Vec<R> {
        // SAFETY: as the caller says.
        unsafe { self.results.set_len(len) };
        self.results
    }
}

/// One `map` that is running.
pub(super) struct MapRun<'a> {
    work: Work<'a>,
    chunk_size: Option<usize>,
    next: AtomicUsize,
    stop: AtomicBool,
    local_ranges: Vec<LocalRange>,
    progress: Option<Mutex<ProgressBar>>,
    /// The items whose results were written.
    written: Mutex<Vec<Range<usize>>>,
    failed: Mutex<Option<FailedItem>>,
}

/// The items of its chunk that a thread has not begun. On a cache line of its own, because the
/// thread writes to it all the time.
#[repr(align(128))]
struct LocalRange(Mutex<Range<usize>>);

/// An item whose function panicked.
pub(super) struct FailedItem {
    pub(super) index: usize,
    pub(super) payload: Box<dyn Any + Send>,
    pub(super) location: String,
}

impl<'a> MapRun<'a> {
    pub(super) fn new(
        work: Work<'a>,
        num_workers: usize,
        chunk_size: Option<usize>,
        progress: Option<ProgressBar>,
    ) -> MapRun<'a> {
        MapRun {
            work,
            chunk_size,
            next: AtomicUsize::new(0),
            stop: AtomicBool::new(false),
            local_ranges: std::iter::repeat_with(|| LocalRange(Mutex::new(0..0)))
                .take(num_workers)
                .collect(),
            progress: progress.map(Mutex::new),
            written: Mutex::default(),
            failed: Mutex::default(),
        }
    }

    /// One thread's work: chunk after chunk, until none is left or there is a reason to stop.
    pub(super) fn work(&self, thread: usize) {
        let mut written = Vec::new();
        let mut chunk = self.chunk_size.unwrap_or(1);
        let mut begin = Instant::now();
        while let Some(range) = self.take_chunk(chunk).or_else(|| self.steal(thread)) {
            thread_activity::report();
            self.compute(thread, range, &mut written);
            if self.chunk_size.is_none() {
                let end = Instant::now();
                match end - begin {
                    short if short < TARGET_CHUNK_TIME / 8 => chunk = chunk.saturating_mul(4),
                    short if short < TARGET_CHUNK_TIME => chunk = chunk.saturating_mul(2),
                    long if long > 2 * TARGET_CHUNK_TIME => chunk = chunk.div_ceil(2),
                    _ => {}
                }
                begin = end;
            }
        }
        lock(&self.written).append(&mut written);
    }

    /// The next items from the counter.
    fn take_chunk(&self, chunk: usize) -> Option<Range<usize>> {
        if self.is_stopped() {
            return None;
        }
        // Relaxed is enough, here and below: the results reach the caller through a mutex.
        let left = self
            .work
            .len
            .checked_sub(self.next.load(Ordering::Relaxed))
            .filter(|&left| left > 0)?;
        let fair = left.div_ceil(self.local_ranges.len());
        let chunk = self.chunk_size.unwrap_or(chunk.min(fair)).min(left);
        // Others may have taken some of these meanwhile, and then the chunk is a little shorter;
        // the counter passes the end by at most one chunk per thread.
        let start = self.next.fetch_add(chunk, Ordering::Relaxed);
        (start < self.work.len).then(|| start..(start + chunk).min(self.work.len))
    }

    /// The back half of the items that another thread has not begun.
    fn steal(&self, thread: usize) -> Option<Range<usize>> {
        let others = (1..self.local_ranges.len())
            .map(|step| &self.local_ranges[(thread + step) % self.local_ranges.len()]);
        for LocalRange(range) in others {
            let mut items = lock(range);
            if !items.is_empty() && !self.is_stopped() {
                let middle = items.start + items.len() / 2;
                let back = middle..items.end;
                items.end = middle;
                return Some(back);
            }
        }
        None
    }

    /// The next items from this thread's local range.
    fn take_local(&self, thread: usize, part: usize) -> Option<Range<usize>> {
        let mut items = lock(&self.local_ranges[thread].0);
        let front = items.start..items.end.min(items.start + part);
        items.start = front.end;
        (!front.is_empty() && !self.is_stopped()).then_some(front)
    }

    /// Computes the items of a chunk, except those that other threads steal.
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
            *lock(&self.local_ranges[thread].0) = chunk;
            while let Some(range) = self.take_local(thread, part) {
                self.part(range, done);
            }
        });
        if let Err((payload, location)) = outcome {
            self.stop.store(true, Ordering::Relaxed);
            self.record_failure(FailedItem { index: written[last].end, payload, location });
        }
    }

    /// Computes consecutive items; `done` is the end of those whose results were written.
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

    /// Keeps the failure to report: an interrupt before all others, otherwise the one with the
    /// smallest index.
    fn record_failure(&self, new: FailedItem) {
        let rank =
            |failed: &FailedItem| (!failed.payload.is::<interrupt::Interrupted>(), failed.index);
        let mut failed = lock(&self.failed);
        if failed.as_ref().is_none_or(|old| rank(&new) < rank(old)) {
            *failed = Some(new);
        }
    }

    #[inline]
    fn is_stopped(&self) -> bool {
        self.stop.load(Ordering::Relaxed) || interrupt::requested()
    }

    /// The number of results, without a gap: all of them, unless there was an interrupt. Or the
    /// item that failed; then all results are dropped.
    pub(super) fn finish(self) -> Result<usize, FailedItem> {
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

/// Calls `f`, which computes one item after the other. A panic is the failure of one item; an
/// interrupt is passed on.
#[inline(never)]
pub(super) fn attempt(f: &mut dyn FnMut()) -> Option<Cause> {
    let (payload, location) = panic_capture::catch(f).err()?;
    if payload.is::<interrupt::Interrupted>() {
        resume_unwind(payload);
    }
    Some(Cause::of_panic(&*payload, location))
}

/// Calls `f`, as a task if a task stream is being recorded.
#[inline]
pub(super) fn recorded<R>(f: impl FnOnce() -> R, name: impl FnOnce() -> String) -> R {
    if tasks::recording() { tasks::task(name(), f) } else { f() }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
