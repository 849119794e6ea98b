//! Items from an iterator, results as an iterator.
//!
//! Items are taken from the iterator in chunks, each of which a worker gets for its own; how it gets them is its pool's business.

use super::chunk::Chunk;
use super::crew::{Answer, cause, kill_all};
use super::raw::Raw;
use super::run::{cannot_start, each_value};
use super::value::Value;
use super::worker::{News, Worker, wait};
use crate::interrupt::{self, Scope};
use crate::pool::{Cause, Failure};
use crate::threads::report::abridged;
use std::collections::{BTreeMap, VecDeque};
use std::fmt;
use std::io;
use std::marker::PhantomData;
use std::time::{Duration, Instant};

/// How soon an interrupt is noticed.
const STEP: Duration = Duration::from_millis(20);
/// No more items than this are in one chunk.
const MOST: usize = 4096;

/// Where workers come from and go to.
pub(super) trait Staff<T> {
    /// A worker that does these items, which are numbered from `start`. Copies of the process may take the items out, nobody else.
    fn begin(&self, start: usize, items: &mut [Option<T>]) -> io::Result<Worker>;

    /// The worker has done its items.
    fn end(&self, worker: Worker);
}

/// The results, in the order of the items or as they come.
pub(super) struct Imap<I: Iterator, S, R> {
    staff: S,
    items: Option<I>,
    in_order: bool,
    size: usize,
    chunk: Chunk,
    /// What is to be done once more.
    again: VecDeque<Batch<I::Item>>,
    workers: Vec<Worker>,
    /// What each of the workers is at.
    batches: Vec<Batch<I::Item>>,
    /// How many items were taken, and how many results were given.
    taken: usize,
    given: usize,
    results: BTreeMap<usize, Result<R, Failure>>,
    _results: PhantomData<R>,
}

/// Items for a worker. They stay here too, for their names.
struct Batch<T> {
    start: usize,
    items: Vec<Option<T>>,
    /// How long it took to get them.
    pulling: Duration,
}

impl<I: Iterator<Item: fmt::Debug>, S: Staff<I::Item>, R: Value> Imap<I, S, R> {
    pub(super) fn new(staff: S, size: usize, chunk: Chunk, in_order: bool, items: I) -> Imap<I, S, R> {
        Imap {
            staff,
            items: Some(items),
            in_order,
            size,
            chunk,
            again: VecDeque::new(),
            workers: Vec::new(),
            batches: Vec::new(),
            taken: 0,
            given: 0,
            results: BTreeMap::new(),
            _results: PhantomData,
        }
    }

    /// The next items; `None` at their end.
    fn pull(&mut self) -> Option<Batch<I::Item>> {
        if let Some(batch) = self.again.pop_front() {
            return Some(batch);
        }
        let size = self.chunk.next(MOST, 1);
        // Not too far ahead of who takes the results.
        if self.taken - self.given >= 2 * size * self.size {
            return None;
        }
        let begin = Instant::now();
        let items: Vec<Option<I::Item>> = self.items.as_mut()?.take(size).map(Some).collect();
        if items.len() < size {
            self.items = None;
        }
        let start = self.taken;
        self.taken += items.len();
        (!items.is_empty()).then(|| Batch { start, items, pulling: begin.elapsed() })
    }

    #[track_caller]
    fn fill(&mut self) {
        while self.workers.len() < self.size {
            let Some(mut batch) = self.pull() else { return };
            match self.staff.begin(batch.start, &mut batch.items) {
                Ok(worker) => {
                    self.workers.push(worker);
                    self.batches.push(batch);
                }
                Err(_) if !self.workers.is_empty() => return self.again.push_front(batch),
                Err(error) => cannot_start(&error),
            }
        }
    }

    /// Waits for news and takes them in.
    fn listen(&mut self) {
        let raw = Raw::of::<R>();
        wait(&mut self.workers, raw, STEP);
        let mut position = 0;
        while let Some(worker) = self.workers.get_mut(position) {
            let batch = &mut self.batches[position];
            let mut is_done = false;
            for news in std::mem::take(&mut worker.news) {
                match Answer::of(news) {
                    Ok(answer) => each_value(answer, raw, |index, value: Result<R, Cause>| {
                        self.results.insert(index, value.map_err(|cause| batch.failure(index, cause)));
                    }),
                    Err(News::Done { items, took, .. }) => {
                        self.chunk.learn(items, took.max(batch.pulling));
                        is_done = true;
                    }
                    Err(_) => unreachable!("all others are answers"),
                }
            }
            if is_done {
                self.batches.remove(position);
                self.staff.end(self.workers.remove(position));
            } else if worker.is_gone() {
                let batch = self.batches.remove(position);
                let worker = self.workers.remove(position);
                self.post_mortem(worker, batch);
            } else {
                position += 1;
            }
        }
    }

    /// One item has failed; those that were done but not sent, and those that come after it, are done once more.
    fn post_mortem(&mut self, mut dead: Worker, mut batch: Batch<I::Item>) {
        let ended = dead.end();
        let Some(undone) = dead.assigned().front().cloned().filter(|undone| !undone.is_empty()) else { return };
        let culprit = dead.current().filter(|index| undone.contains(index)).unwrap_or(undone.start);
        self.results.insert(culprit, Err(batch.failure(culprit, cause(dead.pid(), ended))));
        let after = batch.split_off(culprit + 1);
        batch.items.truncate(culprit - batch.start);
        let before = batch.split_off(undone.start);
        [after, before].into_iter().filter(|part| !part.items.is_empty()).for_each(|part| self.again.push_front(part));
    }
}

impl<T: fmt::Debug> Batch<T> {
    fn failure(&self, index: usize, cause: Cause) -> Failure {
        let item = self.items[index - self.start].as_ref().map(|item| abridged(item));
        Failure { index, item: item.unwrap_or_default(), cause }
    }

    fn split_off(&mut self, start: usize) -> Batch<T> {
        Batch { start, items: self.items.split_off(start - self.start), pulling: Duration::ZERO }
    }
}

impl<I: Iterator<Item: fmt::Debug>, S: Staff<I::Item>, R: Value> Iterator for Imap<I, S, R> {
    type Item = (usize, R);

    #[track_caller]
    fn next(&mut self) -> Option<(usize, R)> {
        let _scope = Scope::enter();
        loop {
            interrupt::check();
            self.fill();
            let first = self.results.first_entry().filter(|entry| !self.in_order || *entry.key() == self.given);
            if let Some(entry) = first {
                let (index, result) = entry.remove_entry();
                self.given += 1;
                match result {
                    Ok(value) => return Some((index, value)),
                    Err(failure) => panic!("{failure}"),
                }
            }
            if self.workers.is_empty() {
                return None;
            }
            self.listen();
        }
    }
}

impl<I: Iterator, S, R> Drop for Imap<I, S, R> {
    /// What is still in work is not wanted.
    fn drop(&mut self) {
        kill_all(&mut self.workers);
    }
}
