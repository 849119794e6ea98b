//! Items from an iterator, results as an iterator.
//!
//! Each worker gets chunks of items; how it gets them depends on the kind of pool.

use super::chunk_sizer::ChunkSizer;
use super::idle_workers::IdleWorkers;
use super::map_dispatcher::{cause, kill_all};
use super::map_results::cannot_start;
use crate::base::panic_message::truncated_debug;
use crate::interrupt::{self, POLL_INTERVAL, Scope};
use crate::pool::{Cause, Failure};
use crate::processes::transport::value::{self, EncodedValue, Format, Value};
use crate::processes::worker::parent_side::{Worker, WorkerEvent, wait};
use crate::processes::worker::remote_fn::RemoteFn;
use crate::processes::worker::spawn::spawn_once;
use std::any::Any;
use std::cell::RefCell;
use std::collections::{BTreeMap, VecDeque};
use std::fmt;
use std::io;
use std::marker::PhantomData;
use std::ops::Range;
use std::time::{Duration, Instant};

/// The maximal number of items in a chunk.
const MAX_CHUNK_LEN: usize = 4096;

/// Where items and workers come from. Items are known by their index.
pub(crate) trait WorkerSource {
    /// Takes this many items from the iterator, or fewer at its end; returns how many.
    fn pull(&mut self, number: usize) -> usize;

    /// Starts a worker that computes these items.
    fn begin(&mut self, items: Range<usize>) -> io::Result<Worker>;

    /// Called when the worker has computed its items.
    fn end(&mut self, worker: Worker);

    /// The text for an item.
    fn name(&self, index: usize) -> String;

    /// Drops these items, which are not needed any more.
    fn forget(&mut self, items: Range<usize>);
}

/// Items that were taken from the iterator and are still needed.
pub(crate) struct Items<I: Iterator> {
    iterator: Option<I>,
    taken: RefCell<VecDeque<Option<I::Item>>>,
    /// The index of the first of them.
    first: usize,
}

impl<I: Iterator<Item: fmt::Debug>> Items<I> {
    pub(crate) fn new(iterator: I) -> Items<I> {
        Items { iterator: Some(iterator), taken: RefCell::default(), first: 0 }
    }

    fn pull(&mut self, number: usize) -> usize {
        let taken = self.taken.get_mut();
        let before = taken.len();
        if let Some(iterator) = &mut self.iterator {
            taken.extend(iterator.take(number).map(Some));
            if taken.len() - before < number {
                self.iterator = None;
            }
        }
        taken.len() - before
    }

    /// Moves the item out.
    fn take(&self, index: usize) -> I::Item {
        self.taken.borrow_mut()[index - self.first].take().expect("an item is taken once")
    }

    fn name(&self, index: usize) -> String {
        self.taken.borrow()[index - self.first]
            .as_ref()
            .map_or_else(String::new, |item| truncated_debug(item))
    }

    fn forget(&mut self, items: Range<usize>) {
        let taken = self.taken.get_mut();
        items.for_each(|index| taken[index - self.first] = None);
        while taken.front().is_some_and(Option::is_none) {
            taken.pop_front();
            self.first += 1;
        }
    }
}

/// For workers that are started for one chunk each, and find it in their copy of the memory.
pub(crate) struct ForkedSource<I: Iterator, F, R> {
    pub(crate) items: Items<I>,
    pub(crate) f: F,
    pub(crate) result: PhantomData<fn() -> R>,
}

impl<I: Iterator<Item: fmt::Debug>, R: Value, F: Fn(I::Item) -> R> WorkerSource
    for ForkedSource<I, F, R>
{
    fn pull(&mut self, number: usize) -> usize {
        self.items.pull(number)
    }

    fn begin(&mut self, items: Range<usize>) -> io::Result<Worker> {
        let name = |index| self.items.name(index);
        spawn_once(items, Format::of::<R>(), &name, &mut |stream| {
            while let Some(index) = stream.next() {
                stream.put((self.f)(self.items.take(index)));
            }
        })
    }

    fn end(&mut self, worker: Worker) {
        drop(worker);
    }

    fn name(&self, index: usize) -> String {
        self.items.name(index)
    }

    fn forget(&mut self, items: Range<usize>) {
        self.items.forget(items);
    }
}

/// For workers that stay and are sent their items.
pub(crate) struct PersistentSource<I: Iterator, K> {
    pub(crate) items: Items<I>,
    pub(crate) idle: K,
    pub(crate) remote_fn: RemoteFn,
}

impl<I: Iterator<Item: Value + fmt::Debug>, K: AsRef<IdleWorkers>> WorkerSource
    for PersistentSource<I, K>
{
    fn pull(&mut self, number: usize) -> usize {
        self.items.pull(number)
    }

    fn begin(&mut self, range: Range<usize>) -> io::Result<Worker> {
        let (items, first) = (self.items.taken.borrow(), self.items.first);
        let put = |index: usize, writer: &mut value::Writer| {
            writer.put(items[index - first].as_ref().expect("it is needed"))
        };
        self.idle.as_ref().begin(range.clone(), &self.remote_fn.bytes(range, &put))
    }

    fn end(&mut self, worker: Worker) {
        self.idle.as_ref().give_back([worker]);
    }

    fn name(&self, index: usize) -> String {
        self.items.name(index)
    }

    fn forget(&mut self, items: Range<usize>) {
        self.items.forget(items);
    }
}

/// The results, in the order of the items or as they come.
pub(crate) struct Imap<S, R> {
    stream: Box<dyn Streaming>,
    source: S,
    /// Results that have arrived and that the caller has not taken yet, and the index of the first.
    ready: std::vec::IntoIter<R>,
    next: usize,
}

/// The interface of [`ImapStream`]: a cell can drop it without knowing its type.
trait Streaming {
    /// Some values, and the index of the first.
    fn next(&mut self, source: &mut dyn WorkerSource) -> Option<(usize, Result<Values, Failure>)>;
}

struct ImapStream {
    in_order: bool,
    size: usize,
    chunk: ChunkSizer,
    decode: Decode,
    format: Format,
    is_at_end: bool,
    /// What must be computed again.
    again: VecDeque<Batch>,
    workers: Vec<Worker>,
    /// What each of the workers computes.
    batches: Vec<Batch>,
    /// The number of items taken, and of results given to the caller.
    taken: usize,
    given: usize,
    /// Results that have arrived, by the index of the first of each run.
    results: BTreeMap<usize, Result<Values, Failure>>,
}

/// A `Vec` of values of consecutive items, and their number.
type Values = (Box<dyn Any>, usize);

/// Decodes the next value, and those after it until something else comes, up to this number.
type Decode = fn(Format, EncodedValue, usize) -> Result<Values, Cause>;

fn decode<R: Value>(format: Format, arrived: EncodedValue, max: usize) -> Result<Values, Cause> {
    value::take_many::<R>(format, arrived, max).map(|values| {
        let count = values.len();
        (Box::new(values) as _, count)
    })
}

/// Items for a worker.
struct Batch {
    items: Range<usize>,
    /// How long it took to get them.
    pulling: Duration,
}

impl<S: WorkerSource, R: Value> Imap<S, R> {
    pub(crate) fn new(source: S, size: usize, chunk: ChunkSizer, in_order: bool) -> Imap<S, R> {
        Imap {
            stream: new_stream(size, chunk, in_order, Format::of::<R>(), decode::<R>),
            source,
            ready: Vec::new().into_iter(),
            next: 0,
        }
    }
}

#[inline(never)]
fn new_stream(
    size: usize,
    chunk: ChunkSizer,
    in_order: bool,
    format: Format,
    decode: Decode,
) -> Box<dyn Streaming> {
    Box::new(ImapStream {
        in_order,
        size,
        chunk,
        decode,
        format,
        is_at_end: false,
        again: VecDeque::new(),
        workers: Vec::new(),
        batches: Vec::new(),
        taken: 0,
        given: 0,
        results: BTreeMap::new(),
    })
}

impl ImapStream {
    /// The next items; `None` at their end.
    fn pull(&mut self, source: &mut dyn WorkerSource) -> Option<Batch> {
        if let Some(batch) = self.again.pop_front() {
            return Some(batch);
        }
        let size = self.chunk.next(MAX_CHUNK_LEN, 1);
        // Not too far ahead of the caller.
        if self.is_at_end || self.taken - self.given >= 2 * size * self.size {
            return None;
        }
        let begin = Instant::now();
        let number = source.pull(size);
        self.is_at_end = number < size;
        let start = self.taken;
        self.taken += number;
        (number > 0).then(|| Batch { items: start..self.taken, pulling: begin.elapsed() })
    }

    fn fill(&mut self, source: &mut dyn WorkerSource) -> io::Result<()> {
        while self.workers.len() < self.size {
            let Some(batch) = self.pull(source) else { break };
            match source.begin(batch.items.clone()) {
                Ok(worker) => {
                    self.workers.push(worker);
                    self.batches.push(batch);
                }
                Err(error) => {
                    self.again.push_front(batch);
                    return if self.workers.is_empty() { Err(error) } else { Ok(()) };
                }
            }
        }
        Ok(())
    }

    /// Waits for events and handles them.
    fn listen(&mut self, source: &mut dyn WorkerSource) {
        wait(&mut self.workers, self.format.numbers(), POLL_INTERVAL);
        let mut position = 0;
        while let Some(worker) = self.workers.get_mut(position) {
            let batch = &self.batches[position];
            let mut is_done = false;
            for event in std::mem::take(&mut worker.events) {
                let mut add = |index: usize, arrived: EncodedValue, max: usize| {
                    let values = (self.decode)(self.format, arrived, max)
                        .map_err(|cause| Failure { index, item: source.name(index), cause });
                    let count = values.as_ref().map_or(1, |(_, count)| *count);
                    self.results.insert(index, values);
                    count
                };
                match event {
                    WorkerEvent::Values(mut items, bytes) => {
                        let mut rest = &bytes[..];
                        while !items.is_empty() {
                            items.start +=
                                add(items.start, EncodedValue::Bytes(&mut rest), items.len());
                        }
                    }
                    WorkerEvent::Large(index, buffer) => {
                        add(index, EncodedValue::Numbers(buffer), 1);
                    }
                    WorkerEvent::Done { items, took, .. } => {
                        self.chunk.learn(items, took.max(batch.pulling));
                        is_done = true;
                    }
                }
            }
            if is_done {
                source.forget(self.batches.remove(position).items);
                source.end(self.workers.remove(position));
            } else if worker.is_disconnected() {
                let batch = self.batches.remove(position);
                let worker = self.workers.remove(position);
                self.reap(worker, batch, source);
            } else {
                position += 1;
            }
        }
    }

    /// One item has failed; those that were computed but not sent, and those after it, are computed
    /// again.
    fn reap(&mut self, mut dead: Worker, batch: Batch, source: &mut dyn WorkerSource) {
        let ended = dead.end();
        let Some(undone) = dead.assigned().front().cloned().filter(|undone| !undone.is_empty())
        else {
            return source.forget(batch.items);
        };
        let culprit = dead.current().filter(|index| undone.contains(index)).unwrap_or(undone.start);
        let failure =
            Failure { index: culprit, item: source.name(culprit), cause: cause(dead.pid(), ended) };
        self.results.insert(culprit, Err(failure));
        source.forget(batch.items.start..undone.start);
        source.forget(culprit..culprit + 1);
        for items in [culprit + 1..batch.items.end, undone.start..culprit] {
            if !items.is_empty() {
                self.again.push_front(Batch { items, pulling: Duration::ZERO });
            }
        }
    }
}

impl Streaming for ImapStream {
    fn next(&mut self, source: &mut dyn WorkerSource) -> Option<(usize, Result<Values, Failure>)> {
        let _scope = Scope::enter();
        loop {
            interrupt::check();
            if let Err(error) = self.fill(source) {
                cannot_start(&error);
            }
            let first = self
                .results
                .first_entry()
                .filter(|entry| !self.in_order || *entry.key() == self.given);
            if let Some(entry) = first {
                let (index, result) = entry.remove_entry();
                self.given += result.as_ref().map_or(1, |(_, count)| *count);
                return Some((index, result));
            }
            if self.workers.is_empty() {
                return None;
            }
            self.listen(source);
        }
    }
}

impl<S: WorkerSource, R: Value> Iterator for Imap<S, R> {
    type Item = (usize, R);

    #[track_caller]
    fn next(&mut self) -> Option<(usize, R)> {
        interrupt::check();
        loop {
            if let Some(value) = self.ready.next() {
                self.next += 1;
                return Some((self.next - 1, value));
            }
            let (index, values) = next(&mut *self.stream, &mut self.source)?;
            let values: Box<Vec<R>> = values.downcast().expect("values of this type");
            (self.next, self.ready) = (index, values.into_iter());
        }
    }
}

#[inline(never)]
#[track_caller]
fn next(
    stream: &mut dyn Streaming,
    source: &mut dyn WorkerSource,
) -> Option<(usize, Box<dyn Any>)> {
    let (index, result) = stream.next(source)?;
    match result {
        Ok((values, _)) => Some((index, values)),
        Err(failure) => panic!("{failure}"),
    }
}

impl Drop for ImapStream {
    /// Ends the workers: their results are not wanted any more.
    fn drop(&mut self) {
        kill_all(&mut self.workers);
    }
}
