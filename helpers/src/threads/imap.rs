//! Items from an iterator, results as an iterator: [`Pool::imap`] and [`Pool::imap_unordered`].
//!
//! Both hand out chunks of items as submitted tasks, two per thread at most. Chunks grow as in `map`, with one difference: what the
//! iterator takes to produce the items counts as well, so that nobody waits for a chunk of items that arrive one by one.

use super::report::abridged;
use super::{Pool, quiet, run};
use crate::interrupt::{self, Scope};
use crate::pool::{Cause, Failure, Future};
use std::collections::VecDeque;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::time::{Duration, Instant};

/// What a chunk should take.
const CHUNK: Duration = Duration::from_micros(50);
/// No more results than this are kept in one chunk.
const MOST: usize = 1024;
/// How soon an interrupt is noticed.
const STEP: Duration = Duration::from_millis(10);

/// The results of [`Pool::imap`].
pub struct Imap<I, F, R> {
    source: Source<I, F>,
    /// Chunks that are being worked on, in order.
    begun: VecDeque<Future<Done<R>>>,
    ready: std::vec::IntoIter<Result<R, Failure>>,
}

/// The results of [`Pool::imap_unordered`].
pub struct ImapUnordered<I, F, R> {
    source: Source<I, F>,
    /// How many chunks were begun whose end was not yet noticed.
    begun: usize,
    sender: Sender<Message<R>>,
    receiver: Receiver<Message<R>>,
}

enum Message<R> {
    Result(usize, Result<R, Failure>),
    /// The end of a chunk of so many items.
    End(usize, Duration),
}

/// A chunk's results, and how long it took.
type Done<R> = (Vec<Result<R, Failure>>, Duration);

/// Where chunks come from.
struct Source<I, F> {
    pool: Pool,
    f: Arc<F>,
    items: Option<I>,
    /// How many items were taken.
    taken: usize,
    chunk: usize,
    /// How long it took to get the last chunk's items.
    pulling: Duration,
    stop: Arc<AtomicBool>,
}

impl<I: Iterator, F> Source<I, F> {
    fn new(pool: Pool, f: F, items: I) -> Source<I, F> {
        let chunk = pool.fixed_chunk_size().unwrap_or(1);
        Source { pool, f: Arc::new(f), items: Some(items), taken: 0, chunk, pulling: Duration::ZERO, stop: Arc::default() }
    }

    fn most_chunks(&self) -> usize {
        2 * self.pool.num_threads()
    }

    /// The next items; `None` at their end.
    fn pull(&mut self) -> Option<(usize, Vec<I::Item>)> {
        let begin = Instant::now();
        let items: Vec<I::Item> = self.items.as_mut()?.take(self.chunk).collect();
        self.pulling = begin.elapsed();
        if items.len() < self.chunk {
            self.items = None;
        }
        let start = self.taken;
        self.taken += items.len();
        (!items.is_empty()).then_some((start, items))
    }

    /// Learns from a chunk of so many items that took so long.
    fn learn(&mut self, items: usize, working: Duration) {
        // Chunks from before the last change say nothing new.
        if self.pool.fixed_chunk_size().is_some() || items != self.chunk {
            return;
        }
        match working.max(self.pulling) {
            short if short < CHUNK => self.chunk = (2 * self.chunk).min(MOST),
            long if long > 2 * CHUNK => self.chunk = self.chunk.div_ceil(2),
            _ => {}
        }
    }
}

impl<I, F> Drop for Source<I, F> {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
    }
}

/// Does one item; `None` if that is not wanted any more.
fn attempt<T: fmt::Debug, R>(f: &impl Fn(T) -> R, index: usize, item: T, stop: &AtomicBool) -> Option<Result<R, Failure>> {
    if stop.load(Ordering::Relaxed) || interrupt::requested() {
        return None;
    }
    // Now, because the function gets the item for good.
    let name = abridged(&item);
    let result = quiet::catch(|| run::recorded(|| f(item), || name.clone()));
    Some(result.map_err(|(payload, place)| Failure { index, item: name, cause: Cause::of_panic(&*payload, place) }))
}

#[track_caller]
fn value<R>(result: Result<R, Failure>) -> R {
    interrupt::check();
    match result {
        Ok(value) => value,
        Err(failure) => panic!("{failure}"),
    }
}

impl<I, F, R> Imap<I, F, R>
where
    I: Iterator<Item: Send + fmt::Debug + 'static>,
    R: Send + 'static,
    F: Fn(I::Item) -> R + Send + Sync + 'static,
{
    pub(super) fn new(pool: Pool, f: F, items: I) -> Imap<I, F, R> {
        Imap { source: Source::new(pool, f, items), begun: VecDeque::new(), ready: Vec::new().into_iter() }
    }

    fn fill(&mut self) {
        while self.begun.len() < self.source.most_chunks() {
            let Some((start, items)) = self.source.pull() else { break };
            let (f, stop) = (self.source.f.clone(), self.source.stop.clone());
            self.begun.push_back(self.source.pool.submit(move || {
                let begin = Instant::now();
                let results = (start..).zip(items).map_while(|(index, item)| attempt(&*f, index, item, &stop)).collect();
                (results, begin.elapsed())
            }));
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
        loop {
            if let Some(result) = self.ready.next() {
                return Some(value(result));
            }
            let _scope = Scope::enter();
            self.fill();
            let (results, working) = self.begun.pop_front()?.get();
            interrupt::check();
            self.source.learn(results.len(), working);
            self.ready = results.into_iter();
        }
    }
}

impl<I, F, R> ImapUnordered<I, F, R>
where
    I: Iterator<Item: Send + fmt::Debug + 'static>,
    R: Send + 'static,
    F: Fn(I::Item) -> R + Send + Sync + 'static,
{
    pub(super) fn new(pool: Pool, f: F, items: I) -> ImapUnordered<I, F, R> {
        let (sender, receiver) = mpsc::channel();
        ImapUnordered { source: Source::new(pool, f, items), begun: 0, sender, receiver }
    }

    fn fill(&mut self) {
        while self.begun < self.source.most_chunks() {
            let Some((start, items)) = self.source.pull() else { break };
            let (f, stop, sender) = (self.source.f.clone(), self.source.stop.clone(), self.sender.clone());
            // The results come through the channel, which is gone if nobody wants them.
            drop(self.source.pool.submit(move || {
                let begin = Instant::now();
                let number = items.len();
                for (index, item) in (start..).zip(items) {
                    let Some(result) = attempt(&*f, index, item, &stop) else { break };
                    let _ = sender.send(Message::Result(index, result));
                }
                let _ = sender.send(Message::End(number, begin.elapsed()));
            }));
            self.begun += 1;
        }
    }

    /// The next message. A thread of a pool does that pool's work meanwhile.
    fn receive(&self) -> Message<R> {
        loop {
            interrupt::check();
            let helped = rayon::yield_now();
            let step = match helped {
                Some(rayon::Yield::Executed) => Duration::ZERO,
                Some(rayon::Yield::Idle) => STEP / 50,
                None => STEP,
            };
            match self.receiver.recv_timeout(step) {
                Ok(message) => return message,
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => unreachable!("this end holds a sender, too"),
            }
        }
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
        let _scope = Scope::enter();
        loop {
            self.fill();
            if self.begun == 0 {
                return None;
            }
            match self.receive() {
                Message::Result(index, result) => return Some((index, value(result))),
                Message::End(items, working) => {
                    self.begun -= 1;
                    self.source.learn(items, working);
                }
            }
        }
    }
}

impl<I, F, R> fmt::Debug for Imap<I, F, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Imap").field("pool", &self.source.pool).finish_non_exhaustive()
    }
}

impl<I, F, R> fmt::Debug for ImapUnordered<I, F, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ImapUnordered").field("pool", &self.source.pool).finish_non_exhaustive()
    }
}
