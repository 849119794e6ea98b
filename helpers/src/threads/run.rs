//! How the threads of a pool share the items of one `map`.
//!
//! Every thread takes the next chunk of items from a common counter, so that items are begun in their order. A chunk is one item at first
//! and doubles while it takes less than 50 µs: then the counter and the clock cost nothing, however short the items, and items that take
//! longer are always taken one by one. Towards the end chunks become smaller, so that all threads end at the same time.
//!
//! If the items of a chunk turn out to be slow all the same, the thread does not sit on them: its chunk lies open in its [`Tray`], from
//! which it takes a few at a time, and others help themselves to the back half when the counter has run out.

use super::{quiet, seen};
use crate::display::ProgressBar;
use crate::{interrupt, tasks};
use std::any::Any;
use std::ops::Range;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// What a chunk should take.
const CHUNK: Duration = Duration::from_micros(50);
/// A chunk is taken from its tray in so many parts, at least.
const PARTS: usize = 8;

/// One `map`.
pub(super) struct Run<'a, R, F> {
    f: F,
    /// The text for an item.
    name: &'a (dyn Fn(usize) -> String + Sync),
    len: usize,
    chunk_size: Option<usize>,
    next: AtomicUsize,
    stop: AtomicBool,
    trays: Vec<Tray>,
    progress: Option<Mutex<ProgressBar>>,
    pieces: Mutex<Vec<Piece<R>>>,
    failed: Mutex<Option<Failed>>,
}

/// What a thread still has to do of its chunk. A cache line of its own, because its thread writes to it all the time.
#[repr(align(128))]
struct Tray(Mutex<Range<usize>>);

/// The results of items that follow each other.
struct Piece<R> {
    start: usize,
    results: Vec<R>,
}

/// An item whose function panicked.
pub(super) struct Failed {
    pub(super) index: usize,
    pub(super) payload: Box<dyn Any + Send>,
    pub(super) place: String,
}

impl<'a, R: Send, F: Fn(usize) -> R + Sync> Run<'a, R, F> {
    pub(super) fn new(
        f: F,
        name: &'a (dyn Fn(usize) -> String + Sync),
        len: usize,
        shares: usize,
        chunk_size: Option<usize>,
        progress: Option<ProgressBar>,
    ) -> Run<'a, R, F> {
        Run {
            f,
            name,
            len,
            chunk_size,
            next: AtomicUsize::new(0),
            stop: AtomicBool::new(false),
            trays: std::iter::repeat_with(|| Tray(Mutex::new(0..0))).take(shares).collect(),
            progress: progress.map(Mutex::new),
            pieces: Mutex::default(),
            failed: Mutex::default(),
        }
    }

    /// One thread's work: chunk after chunk, until there is none or a reason to stop.
    pub(super) fn work(&self, thread: usize) {
        let mut pieces = Vec::new();
        let mut chunk = self.chunk_size.unwrap_or(1);
        let mut begin = Instant::now();
        while let Some(range) = self.claim(chunk).or_else(|| self.steal(thread)) {
            seen::note();
            self.compute(thread, range, &mut pieces);
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
        lock(&self.pieces).append(&mut pieces);
    }

    /// The next items from the counter.
    fn claim(&self, chunk: usize) -> Option<Range<usize>> {
        if self.is_stopped() {
            return None;
        }
        // Relaxed is enough, here and below: the results reach the caller through a mutex.
        let left = self.len.checked_sub(self.next.load(Ordering::Relaxed)).filter(|&left| left > 0)?;
        let fair = left.div_ceil(self.trays.len());
        let chunk = self.chunk_size.unwrap_or(chunk.min(fair)).min(left);
        // Others may have taken some of these meanwhile, and then it is a few less; the counter passes the end by no more than a chunk each.
        let start = self.next.fetch_add(chunk, Ordering::Relaxed);
        (start < self.len).then(|| start..(start + chunk).min(self.len))
    }

    /// The back half of what another thread has not begun.
    fn steal(&self, thread: usize) -> Option<Range<usize>> {
        let others = (1..self.trays.len()).map(|step| &self.trays[(thread + step) % self.trays.len()]);
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
    fn compute(&self, thread: usize, chunk: Range<usize>, pieces: &mut Vec<Piece<R>>) {
        if pieces.last().is_none_or(|piece| piece.start + piece.results.len() != chunk.start) {
            pieces.push(Piece { start: chunk.start, results: Vec::with_capacity(chunk.len()) });
        }
        let last = pieces.len() - 1;
        let Piece { start, results } = &mut pieces[last];
        let outcome = quiet::catch(|| {
            if self.chunk_size.is_some() || chunk.len() == 1 {
                return chunk.for_each(|index| self.part(index..index + 1, results));
            }
            let part = chunk.len().div_ceil(PARTS);
            *lock(&self.trays[thread].0) = chunk;
            while let Some(range) = self.take(thread, part) {
                self.part(range, results);
            }
        });
        if let Err((payload, place)) = outcome {
            self.stop.store(true, Ordering::Relaxed);
            self.note(Failed { index: *start + results.len(), payload, place });
        }
    }

    fn part(&self, range: Range<usize>, results: &mut Vec<R>) {
        if self.is_stopped() {
            return;
        }
        let number = range.len();
        if tasks::recording() {
            results.extend(range.map(|index| tasks::task((self.name)(index), || (self.f)(index))));
        } else {
            results.extend(range.map(&self.f));
        }
        if let Some(bar) = &self.progress {
            lock(bar).advance(number);
        }
    }

    /// Keeps the failure that will be reported: an interrupt before all others, otherwise the smallest index.
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

    /// All results in order (fewer after an interrupt), or what failed.
    pub(super) fn finish(self) -> Result<Vec<R>, Failed> {
        if let Some(failed) = self.failed.into_inner().unwrap_or_else(PoisonError::into_inner) {
            return Err(failed);
        }
        let mut pieces = self.pieces.into_inner().unwrap_or_else(PoisonError::into_inner);
        pieces.sort_unstable_by_key(|piece| piece.start);
        let mut pieces = pieces.into_iter();
        let mut all = pieces.next().map(|first| first.results).unwrap_or_default();
        all.reserve_exact(self.len - all.len());
        pieces.for_each(|mut piece| all.append(&mut piece.results));
        Ok(all)
    }
}

/// Calls `f`, and writes that down as a task where a task stream is recorded.
#[inline]
pub(super) fn recorded<R>(f: impl FnOnce() -> R, name: impl FnOnce() -> String) -> R {
    if tasks::recording() { tasks::task(name(), f) } else { f() }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
