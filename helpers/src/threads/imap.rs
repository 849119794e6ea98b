//! Items from an iterator, results as an iterator: [`Pool::imap`] and [`Pool::imap_unordered`].
//!
//! Both submit chunks of items as tasks, at most two per thread. Chunks grow as in `map`, with one
//! difference: the time that the iterator takes to produce the items counts as well, so that items
//! that arrive one by one are not held back until a chunk is full.
//!
//! Only [`ImapUnordered`] and [`Items`] know the types of items and results; everything else is
//! compiled once. A chunk collects its results in a vector of their type: one of its own, for
//! results in order, otherwise the one that all chunks share.

use super::Pool;
use crate::base::panic_capture;
use crate::base::panic_message::append_truncated_debug;
use crate::interrupt::{self, POLL_INTERVAL, Scope};
use crate::pool::{Cause, Failure, UntypedFuture};
use crate::tasks;
use std::any::Any;
use std::collections::VecDeque;
use std::fmt;
use std::ops::Range;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// How long a chunk should take.
const TARGET_CHUNK_TIME: Duration = Duration::from_micros(50);
const MAX_CHUNK_LEN: usize = 1024;

impl Pool {
    /// Applies `f` to the items of an iterator, and returns an iterator over the results, in the
    /// same order.
    ///
    /// Lazy: takes an item from the iterator when a thread may need it soon, at most two chunks per
    /// thread ahead of the result that is asked for. So the items may be endless, and only a few
    /// are in memory at any time. Dropping the iterator of the results skips items that were not
    /// begun.
    ///
    /// Costs more than [`map`](Pool::map), about a microsecond per chunk, and formats every item
    /// (for the message if it fails).
    ///
    /// # Panics
    ///
    /// `next` panics if `f` panicked on the item whose result is next.
    ///
    /// # Examples
    ///
    /// ```
    /// use parcourse::prelude::*;
    /// let squares = Pool::new(2).imap(|x| x * x, 1u64..);
    /// assert_eq!(squares.take_while(|square| *square < 20).collect::<Vec<_>>(), [1, 4, 9, 16]);
    /// ```
    pub fn imap<I, R, F>(&self, f: F, items: I) -> Imap<I::IntoIter, F, R>
    where
        I: IntoIterator,
        I::Item: Send + fmt::Debug + 'static,
        R: Send + 'static,
        F: Fn(I::Item) -> R + Send + Sync + 'static,
    {
        Imap::new(self, f, items.into_iter())
    }

    /// Like [`imap`](Pool::imap), but returns each result as soon as it is available, with the
    /// position of its item.
    ///
    /// # Panics
    ///
    /// `next` panics as soon as `f` has panicked.
    ///
    /// # Examples
    ///
    /// ```
    /// use parcourse::prelude::*;
    /// let waits = [50, 1];
    /// let mut done = Pool::new(2).imap_unordered(|ms| sleep(Duration::from_millis(ms)), waits);
    /// assert_eq!(done.next(), Some((1, ())));
    /// assert_eq!(done.next(), Some((0, ())));
    /// assert_eq!(done.next(), None);
    /// ```
    pub fn imap_unordered<I, R, F>(&self, f: F, items: I) -> ImapUnordered<I::IntoIter, F, R>
    where
        I: IntoIterator,
        I::Item: Send + fmt::Debug + 'static,
        R: Send + 'static,
        F: Fn(I::Item) -> R + Send + Sync + 'static,
    {
        ImapUnordered::new(self, f, items.into_iter())
    }
}

/// The results of [`Pool::imap`].
pub struct Imap<I, F, R>(ImapUnordered<I, F, R>);

/// The results of [`Pool::imap_unordered`].
pub struct ImapUnordered<I, F, R> {
    stream: Box<dyn Stream + Send>,
    items: Items<I, F, R>,
    /// Results that have arrived and that the caller has not taken yet.
    ready: std::vec::IntoIter<(usize, R)>,
    /// How many of them come before the next failure.
    before_failure: usize,
}

/// Chunks of items in work.
trait Stream {
    /// Waits for results, or for a failure; `None` at the end.
    fn next(&mut self, pull: Pull) -> Option<Result<Arrived, Failure>>;
}

enum Arrived {
    /// This many results come before the next failure; those of a new chunk are in the box.
    InOrder(usize, Option<Box<dyn Any + Send>>),
    /// Results are in the buffer that all chunks share.
    Unordered,
}

/// Takes this many items from the iterator, or fewer at its end; returns how many.
type Pull<'a> = &'a mut dyn FnMut(usize) -> (usize, Chunk);

/// Computes the items of a chunk. Returns the results that are not in the shared buffer.
type Chunk = Box<dyn FnOnce(&mut ChunkRun) -> Box<dyn Any + Send> + Send>;

struct Items<I, F, R> {
    iterator: Option<I>,
    f: Arc<F>,
    /// Unordered results of all chunks.
    shared: Arc<Mutex<Vec<(usize, R)>>>,
}

impl<I, F, R> ImapUnordered<I, F, R>
where
    I: Iterator<Item: Send + fmt::Debug + 'static>,
    R: Send + 'static,
    F: Fn(I::Item) -> R + Send + Sync + 'static,
{
    pub(super) fn new(pool: &Pool, f: F, items: I) -> ImapUnordered<I, F, R> {
        ImapUnordered::with(unordered(pool.clone()), f, items)
    }

    fn with(stream: Box<dyn Stream + Send>, f: F, items: I) -> ImapUnordered<I, F, R> {
        let items = Items { iterator: Some(items), f: Arc::new(f), shared: Arc::default() };
        ImapUnordered { stream, items, ready: Vec::new().into_iter(), before_failure: 0 }
    }
}

impl<I, F, R> Imap<I, F, R>
where
    I: Iterator<Item: Send + fmt::Debug + 'static>,
    R: Send + 'static,
    F: Fn(I::Item) -> R + Send + Sync + 'static,
{
    pub(super) fn new(pool: &Pool, f: F, items: I) -> Imap<I, F, R> {
        Imap(ImapUnordered::with(in_order(pool.clone()), f, items))
    }
}

impl<I, F, R> Iterator for ImapUnordered<I, F, R>
where
    I: Iterator<Item: Send + fmt::Debug + 'static>,
    R: Send + 'static,
    F: Fn(I::Item) -> R + Send + Sync + 'static,
{
    type Item = (usize, R);

    #[track_caller]
    fn next(&mut self) -> Option<(usize, R)> {
        interrupt::check();
        loop {
            if self.before_failure > 0
                && let Some(result) = self.ready.next()
            {
                self.before_failure -= 1;
                return Some(result);
            }
            let results = match next(&mut *self.stream, &mut |number| self.items.pull(number))? {
                Arrived::InOrder(number, results) => {
                    self.before_failure = number;
                    let Some(results) = results else { continue };
                    *results.downcast().expect("results of this type")
                }
                Arrived::Unordered => {
                    self.before_failure = usize::MAX;
                    std::mem::take(&mut *lock(&self.items.shared))
                }
            };
            self.ready = results.into_iter();
        }
    }
}

impl<I, F, R> Iterator for Imap<I, F, R>
where
    I: Iterator<Item: Send + fmt::Debug + 'static>,
    R: Send + 'static,
    F: Fn(I::Item) -> R + Send + Sync + 'static,
{
    type Item = R;

    #[track_caller]
    fn next(&mut self) -> Option<R> {
        self.0.next().map(|(_, result)| result)
    }
}

#[inline(never)]
#[track_caller]
fn next(stream: &mut dyn Stream, pull: Pull) -> Option<Arrived> {
    match stream.next(pull)? {
        Ok(arrived) => Some(arrived),
        Err(failure) => panic!("{failure}"),
    }
}

impl<I, F, R> Items<I, F, R>
where
    I: Iterator<Item: Send + fmt::Debug + 'static>,
    R: Send + 'static,
    F: Fn(I::Item) -> R + Send + Sync + 'static,
{
    fn pull(&mut self, number: usize) -> (usize, Chunk) {
        let items: Vec<I::Item> = self
            .iterator
            .as_mut()
            .map_or_else(Vec::new, |iterator| iterator.take(number).collect());
        if items.len() < number {
            self.iterator = None;
        }
        let (len, f, shared) = (items.len(), self.f.clone(), self.shared.clone());
        let chunk = move |run: &mut ChunkRun| -> Box<dyn Any + Send> {
            let mut items = items.into_iter();
            let mut results: Vec<(usize, R)> = Vec::with_capacity(run.capacity(len));
            run.each(&mut |run| {
                while let Some(item) = items.next()
                    && run.begin(&item)
                {
                    let result = f(item);
                    let index = run.end();
                    if run.events.is_none() {
                        results.push((index, result));
                    } else {
                        let mut shared = lock(&shared);
                        shared.push((index, result));
                        let was_empty = shared.len() == 1;
                        drop(shared);
                        if was_empty {
                            run.announce();
                        }
                    }
                }
            });
            Box::new(results)
        };
        (len, Box::new(chunk))
    }
}

/// A chunk in work.
struct ChunkRun<'a> {
    /// The index of the item in work.
    index: usize,
    /// The text for it, made in advance because the function consumes the item.
    name: String,
    /// Ends with the item, if it is recorded.
    task: Option<tasks::Task<String>>,
    cancelled: &'a AtomicBool,
    /// Where unordered results, and their failures, are announced one by one.
    events: Option<Sender<Event>>,
    /// Failures among results in order.
    failures: VecDeque<Failure>,
}

impl ChunkRun<'_> {
    /// How many results the chunk's own vector needs room for.
    fn capacity(&self, items: usize) -> usize {
        if self.events.is_some() { 0 } else { items }
    }

    /// `f` computes one item after the other. When it panics, it is called again, for the items
    /// that follow.
    #[inline(never)]
    fn each(&mut self, f: &mut dyn FnMut(&mut ChunkRun)) {
        while let Err((payload, location)) = panic_capture::catch(|| f(self)) {
            let cause = Cause::of_panic(&*payload, location);
            let failure = Failure { index: self.end(), item: self.name.clone(), cause };
            match &self.events {
                Some(events) => drop(events.send(Event::Failed(failure))),
                None => self.failures.push_back(failure),
            }
        }
    }

    /// Begins an item; returns false if its result is not wanted any more.
    #[inline(never)]
    fn begin(&mut self, item: &dyn fmt::Debug) -> bool {
        if self.cancelled.load(Ordering::Relaxed) || interrupt::requested() {
            return false;
        }
        self.name.clear();
        append_truncated_debug(&mut self.name, item);
        if tasks::recording() {
            self.task = Some(tasks::begin(self.name.clone()));
        }
        true
    }

    /// Ends the item in work; returns its index.
    #[inline(never)]
    fn end(&mut self) -> usize {
        self.task = None;
        self.index += 1;
        self.index - 1
    }

    /// Wakes the caller: there are results in the shared buffer again.
    #[inline(never)]
    fn announce(&self) {
        self.events.iter().for_each(|events| drop(events.send(Event::Results)));
    }
}

/// Submits chunks.
struct Source {
    pool: Pool,
    is_at_end: bool,
    /// How many items were taken from the iterator.
    taken: usize,
    chunk_len: usize,
    /// How long it took to get the items of the last chunk.
    pulling: Duration,
    cancelled: Arc<AtomicBool>,
}

/// A chunk that is done.
struct Done {
    items: Range<usize>,
    results: Box<dyn Any + Send>,
    failures: VecDeque<Failure>,
    took: Duration,
}

impl Source {
    fn new(pool: Pool) -> Source {
        let chunk_len = pool.fixed_chunk_size().unwrap_or(1);
        Source {
            pool,
            is_at_end: false,
            taken: 0,
            chunk_len,
            pulling: Duration::ZERO,
            cancelled: Arc::default(),
        }
    }

    fn max_chunks(&self) -> usize {
        2 * self.pool.num_threads()
    }

    /// Submits the next chunk, whose result is a [`Done`]; `None` at the end of the items.
    fn submit(&mut self, pull: Pull, events: Option<Sender<Event>>) -> Option<UntypedFuture> {
        if self.is_at_end {
            return None;
        }
        let begin = Instant::now();
        let (len, chunk) = pull(self.chunk_len);
        self.pulling = begin.elapsed();
        self.is_at_end = len < self.chunk_len;
        let start = self.taken;
        self.taken += len;
        if len == 0 {
            return None;
        }
        let cancelled = self.cancelled.clone();
        Some(self.pool.submit_boxed(Box::new(move || {
            let begin = Instant::now();
            let mut run = ChunkRun {
                index: start,
                name: String::new(),
                task: None,
                cancelled: &cancelled,
                events,
                failures: VecDeque::new(),
            };
            let results = chunk(&mut run);
            let (failures, took) = (run.failures, begin.elapsed());
            if let Some(events) = run.events {
                let _ = events.send(Event::ChunkDone(len, took));
            }
            Box::new(Done { items: start..run.index, results, failures, took })
        })))
    }

    /// Learns from a chunk how long the next ones should be.
    fn learn(&mut self, items: usize, working: Duration) {
        // Chunks from before the last change say nothing new.
        if self.pool.fixed_chunk_size().is_some() || items != self.chunk_len {
            return;
        }
        match working.max(self.pulling) {
            short if short < TARGET_CHUNK_TIME => {
                self.chunk_len = (2 * self.chunk_len).min(MAX_CHUNK_LEN)
            }
            long if long > 2 * TARGET_CHUNK_TIME => self.chunk_len = self.chunk_len.div_ceil(2),
            _ => {}
        }
    }
}

impl Drop for Source {
    fn drop(&mut self) {
        self.cancelled.store(true, Ordering::Relaxed);
    }
}

struct InOrder {
    source: Source,
    /// Chunks in work, in order.
    begun: VecDeque<UntypedFuture>,
    /// The items of the current chunk that the caller has not got yet, and those of them that have
    /// failed.
    left: Range<usize>,
    failures: VecDeque<Failure>,
}

impl InOrder {
    /// The results of the next chunk.
    fn next_chunk(&mut self, pull: Pull) -> Option<Box<dyn Any + Send>> {
        let _scope = Scope::enter();
        while self.begun.len() < self.source.max_chunks()
            && let Some(chunk) = self.source.submit(pull, None)
        {
            self.begun.push_back(chunk);
        }
        let done = self.begun.pop_front()?.get();
        interrupt::check();
        let done: Done = *done.downcast().expect("what was submitted");
        self.source.learn(done.items.len(), done.took);
        (self.left, self.failures) = (done.items, done.failures);
        Some(done.results)
    }
}

impl Stream for InOrder {
    fn next(&mut self, pull: Pull) -> Option<Result<Arrived, Failure>> {
        let results = if self.left.is_empty() { Some(self.next_chunk(pull)?) } else { None };
        let failed = self.failures.front().map(|failure| failure.index);
        if results.is_none() && failed == Some(self.left.start) {
            self.left.start += 1;
            return self.failures.pop_front().map(Err);
        }
        let end = failed.unwrap_or(self.left.end);
        let number = end - self.left.start;
        self.left.start = end;
        Some(Ok(Arrived::InOrder(number, results)))
    }
}

struct Unordered {
    source: Source,
    /// How many chunks were begun whose end was not noticed yet.
    begun: usize,
    sender: Sender<Event>,
    receiver: Receiver<Event>,
}

enum Event {
    /// The shared buffer was empty, and now is not.
    Results,
    Failed(Failure),
    /// The end of a chunk: the number of its items, and how long it took. Its results were
    /// announced before.
    ChunkDone(usize, Duration),
}

impl Unordered {
    /// The next event. A thread of a pool does other work of that pool meanwhile.
    fn receive(&self) -> Event {
        loop {
            interrupt::check();
            let helped = rayon::yield_now();
            let interval = match helped {
                Some(rayon::Yield::Executed) => Duration::ZERO,
                Some(rayon::Yield::Idle) => POLL_INTERVAL / 50,
                None => POLL_INTERVAL,
            };
            match self.receiver.recv_timeout(interval) {
                Ok(event) => return event,
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => unreachable!("we hold a sender ourselves"),
            }
        }
    }
}

impl Stream for Unordered {
    fn next(&mut self, pull: Pull) -> Option<Result<Arrived, Failure>> {
        let _scope = Scope::enter();
        loop {
            // The results come through the shared buffer, not through the futures.
            while self.begun < self.source.max_chunks()
                && self.source.submit(pull, Some(self.sender.clone())).is_some()
            {
                self.begun += 1;
            }
            if self.begun == 0 {
                return None;
            }
            match self.receive() {
                Event::Results => return Some(Ok(Arrived::Unordered)),
                Event::Failed(failure) => return Some(Err(failure)),
                Event::ChunkDone(items, took) => {
                    self.begun -= 1;
                    self.source.learn(items, took);
                }
            }
        }
    }
}

#[inline(never)]
fn in_order(pool: Pool) -> Box<dyn Stream + Send> {
    Box::new(InOrder {
        source: Source::new(pool),
        begun: VecDeque::new(),
        left: 0..0,
        failures: VecDeque::new(),
    })
}

#[inline(never)]
fn unordered(pool: Pool) -> Box<dyn Stream + Send> {
    let (sender, receiver) = mpsc::channel();
    Box::new(Unordered { source: Source::new(pool), begun: 0, sender, receiver })
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl<I, F, R> fmt::Debug for Imap<I, F, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Imap").finish_non_exhaustive()
    }
}

impl<I, F, R> fmt::Debug for ImapUnordered<I, F, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ImapUnordered").finish_non_exhaustive()
    }
}
