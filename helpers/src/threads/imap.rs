//! Items from an iterator, results as an iterator: [`Pool::imap`] and [`Pool::imap_unordered`].
//!
//! Both hand out chunks of items as submitted tasks, two per thread at most. Chunks grow as in
//! `map`, with one difference: what the iterator takes to produce the items counts as well, so that
//! nobody waits for a chunk of items that arrive one by one.
//!
//! Results lie on the heap here, so that nothing but [`Items`] needs to know the types of items and
//! results.

use super::report::abridged_to;
use super::{Pool, quiet};
use crate::interrupt::{self, Scope};
use crate::pool::{Cause, Failure, Outcome, Waiting};
use crate::tasks;
use std::any::Any;
use std::collections::VecDeque;
use std::fmt;
use std::marker::PhantomData;
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
pub struct Imap<I, F, R>(Results<I, F, R>);

/// The results of [`Pool::imap_unordered`].
pub struct ImapUnordered<I, F, R>(Results<I, F, R>);

struct Results<I, F, R> {
    stream: Box<dyn Stream + Send>,
    items: Items<I, F, R>,
}

/// Results as they come, of items that `pull` takes from an iterator.
trait Stream {
    fn next(&mut self, pull: Pull) -> Option<(usize, Outcome)>;
}

/// Takes so many items, or fewer at their end; says how many they are.
type Pull<'a> = &'a mut dyn FnMut(usize) -> (usize, Chunk);

/// Does the items of a chunk.
type Chunk = Box<dyn FnOnce(&mut Attempts) + Send>;

/// What depends on types.
struct Items<I, F, R> {
    iterator: Option<I>,
    f: Arc<F>,
    result: PhantomData<fn() -> R>,
}

impl<I, F, R> Results<I, F, R>
where
    I: Iterator<Item: Send + fmt::Debug + 'static>,
    R: Send + 'static,
    F: Fn(I::Item) -> R + Send + Sync + 'static,
{
    fn new(stream: Box<dyn Stream + Send>, f: F, items: I) -> Results<I, F, R> {
        Results {
            stream,
            items: Items { iterator: Some(items), f: Arc::new(f), result: PhantomData },
        }
    }

    #[track_caller]
    fn next(&mut self) -> Option<(usize, R)> {
        let (index, value) = next(&mut *self.stream, &mut |number| self.items.pull(number))?;
        match value.downcast() {
            Ok(value) => Some((index, *value)),
            Err(_) => unreachable!("a value of the function's type"),
        }
    }
}

#[inline(never)]
#[track_caller]
fn next(stream: &mut dyn Stream, pull: Pull) -> Option<(usize, Box<dyn Any + Send>)> {
    let (index, outcome) = stream.next(pull)?;
    interrupt::check();
    match outcome {
        Ok(value) => Some((index, value)),
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
        let (len, f) = (items.len(), self.f.clone());
        let chunk = move |attempts: &mut Attempts| {
            let mut items = items.into_iter();
            attempts.each(&mut |attempts| {
                while let Some(item) = items.next()
                    && attempts.begin(&item)
                {
                    attempts.done(Box::new(f(item)));
                }
            });
        };
        (len, Box::new(chunk))
    }
}

/// The items of one chunk, in work.
struct Attempts<'a> {
    /// The number of the item in work.
    index: usize,
    /// The text for it: now, because the function gets the item for good.
    name: String,
    /// Ends with the item, if it is recorded.
    task: Option<tasks::Task<String>>,
    stop: &'a AtomicBool,
    hand_on: &'a mut dyn FnMut(usize, Outcome),
}

impl<'a> Attempts<'a> {
    /// Does a chunk whose first item has this number, as long as that is wanted, and hands on its
    /// results.
    fn of(
        chunk: Chunk,
        start: usize,
        stop: &'a AtomicBool,
        hand_on: &'a mut dyn FnMut(usize, Outcome),
    ) {
        chunk(&mut Attempts { index: start, name: String::new(), task: None, stop, hand_on });
    }

    /// `f` begins one item after the other. Where it panics, it is called once more, for the items
    /// that follow.
    #[inline(never)]
    fn each(&mut self, f: &mut dyn FnMut(&mut Attempts)) {
        while let Err((payload, place)) = quiet::catch(|| f(self)) {
            self.task = None;
            let cause = Cause::of_panic(&*payload, place);
            self.hand_on(Err(Failure { index: self.index, item: self.name.clone(), cause }));
        }
    }

    /// Says whether the item is still wanted.
    #[inline(never)]
    fn begin(&mut self, item: &dyn fmt::Debug) -> bool {
        if self.stop.load(Ordering::Relaxed) || interrupt::requested() {
            return false;
        }
        self.name.clear();
        abridged_to(&mut self.name, item);
        if tasks::recording() {
            self.task = Some(tasks::begin(self.name.clone()));
        }
        true
    }

    #[inline(never)]
    fn done(&mut self, value: Box<dyn Any + Send>) {
        self.task = None;
        self.hand_on(Ok(value));
    }

    fn hand_on(&mut self, result: Outcome) {
        (self.hand_on)(self.index, result);
        self.index += 1;
    }
}

/// Where chunks come from.
struct Source {
    pool: Pool,
    is_at_end: bool,
    /// How many items were taken.
    taken: usize,
    chunk: usize,
    /// How long it took to get the last chunk's items.
    pulling: Duration,
    stop: Arc<AtomicBool>,
}

impl Source {
    fn new(pool: Pool) -> Source {
        let chunk = pool.fixed_chunk_size().unwrap_or(1);
        Source {
            pool,
            is_at_end: false,
            taken: 0,
            chunk,
            pulling: Duration::ZERO,
            stop: Arc::default(),
        }
    }

    fn most_chunks(&self) -> usize {
        2 * self.pool.num_threads()
    }

    /// The next items, their number, and that of the first; `None` at their end.
    fn pull(&mut self, pull: Pull) -> Option<(usize, usize, Chunk)> {
        if self.is_at_end {
            return None;
        }
        let begin = Instant::now();
        let (number, chunk) = pull(self.chunk);
        self.pulling = begin.elapsed();
        self.is_at_end = number < self.chunk;
        let start = self.taken;
        self.taken += number;
        (number > 0).then_some((start, number, chunk))
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

impl Drop for Source {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
    }
}

struct InOrder {
    source: Source,
    /// Chunks that are being worked on, in order.
    begun: VecDeque<Waiting>,
    ready: std::vec::IntoIter<Outcome>,
    given: usize,
}

/// A chunk's results, and how long it took.
type Done = (Vec<Outcome>, Duration);

impl InOrder {
    fn fill(&mut self, pull: Pull) {
        while self.begun.len() < self.source.most_chunks() {
            let Some((start, number, chunk)) = self.source.pull(pull) else { break };
            let stop = self.source.stop.clone();
            self.begun.push_back(self.source.pool.submit_boxed(Box::new(move || {
                let begin = Instant::now();
                let mut results = Vec::with_capacity(number);
                Attempts::of(chunk, start, &stop, &mut |_, result| results.push(result));
                let done: Done = (results, begin.elapsed());
                Box::new(done)
            })));
        }
    }
}

impl Stream for InOrder {
    fn next(&mut self, pull: Pull) -> Option<(usize, Outcome)> {
        loop {
            if let Some(result) = self.ready.next() {
                self.given += 1;
                return Some((self.given - 1, result));
            }
            let _scope = Scope::enter();
            self.fill(pull);
            let (results, working) =
                *self.begun.pop_front()?.get().downcast::<Done>().expect("what was submitted");
            interrupt::check();
            self.source.learn(results.len(), working);
            self.ready = results.into_iter();
        }
    }
}

struct AsTheyCome {
    source: Source,
    /// How many chunks were begun whose end was not yet noticed.
    begun: usize,
    sender: Sender<Message>,
    receiver: Receiver<Message>,
}

enum Message {
    Result(usize, Outcome),
    /// The end of a chunk of so many items.
    End(usize, Duration),
}

impl AsTheyCome {
    fn fill(&mut self, pull: Pull) {
        while self.begun < self.source.most_chunks() {
            let Some((start, number, chunk)) = self.source.pull(pull) else { break };
            let (stop, sender) = (self.source.stop.clone(), self.sender.clone());
            // The results come through the channel, which is gone if nobody wants them.
            drop(self.source.pool.submit_boxed(Box::new(move || {
                let begin = Instant::now();
                Attempts::of(chunk, start, &stop, &mut |index, result| {
                    drop(sender.send(Message::Result(index, result)))
                });
                let _ = sender.send(Message::End(number, begin.elapsed()));
                Box::new(())
            })));
            self.begun += 1;
        }
    }

    /// The next message. A thread of a pool does that pool's work meanwhile.
    fn receive(&self) -> Message {
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

impl Stream for AsTheyCome {
    fn next(&mut self, pull: Pull) -> Option<(usize, Outcome)> {
        let _scope = Scope::enter();
        loop {
            self.fill(pull);
            if self.begun == 0 {
                return None;
            }
            match self.receive() {
                Message::Result(index, result) => return Some((index, result)),
                Message::End(items, working) => {
                    self.begun -= 1;
                    self.source.learn(items, working);
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
        ready: Vec::new().into_iter(),
        given: 0,
    })
}

#[inline(never)]
fn as_they_come(pool: Pool) -> Box<dyn Stream + Send> {
    let (sender, receiver) = mpsc::channel();
    Box::new(AsTheyCome { source: Source::new(pool), begun: 0, sender, receiver })
}

impl<I, F, R> Imap<I, F, R>
where
    I: Iterator<Item: Send + fmt::Debug + 'static>,
    R: Send + 'static,
    F: Fn(I::Item) -> R + Send + Sync + 'static,
{
    pub(super) fn new(pool: &Pool, f: F, items: I) -> Imap<I, F, R> {
        Imap(Results::new(in_order(pool.clone()), f, items))
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

impl<I, F, R> ImapUnordered<I, F, R>
where
    I: Iterator<Item: Send + fmt::Debug + 'static>,
    R: Send + 'static,
    F: Fn(I::Item) -> R + Send + Sync + 'static,
{
    pub(super) fn new(pool: &Pool, f: F, items: I) -> ImapUnordered<I, F, R> {
        ImapUnordered(Results::new(as_they_come(pool.clone()), f, items))
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
        self.0.next()
    }
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
