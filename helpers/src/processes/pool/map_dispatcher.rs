//! Runs one `map`: sends ranges of items to the workers, receives the results, and replaces workers
//! that die.

use super::chunk_sizer::ChunkSizer;
use crate::display::ProgressBar;
use crate::interrupt::{self, POLL_INTERVAL};
use crate::pool::Cause;
use crate::processes::fork::ExitStatus;
use crate::processes::transport::numbers::{NumberFormat, RecvBuffer};
use crate::processes::worker::parent_side::{Worker, WorkerEvent, wait};
use std::collections::VecDeque;
use std::io;
use std::ops::Range;
use std::time::Duration;

/// A worker that has taken this long for a chunk is asked to share it.
const SLOW_CHUNK_TIME: Duration = Duration::from_millis(10);
/// This many workers, in addition to all that were there, may die one after the other before they
/// have begun an item. Then it is not bad luck.
const MAX_STARTUP_FAILURES: usize = 3;

/// One `map`.
pub(crate) struct MapDispatcher<'run> {
    /// The workers that exist; others are started when they are needed.
    pub(crate) workers: Vec<Worker>,
    pub(crate) size: usize,
    pub(crate) spawn: &'run dyn Fn() -> io::Result<Worker>,
    /// What a worker needs for these items.
    pub(crate) bytes_for: &'run dyn Fn(Range<usize>) -> Vec<u8>,
    pub(crate) numbers: Option<&'static NumberFormat>,
    pub(crate) chunk: ChunkSizer,
    pub(crate) progress: Option<ProgressBar>,
    /// Whether to go on after failures.
    pub(crate) continue_on_failure: bool,
}

/// The results of items.
pub(crate) enum Response {
    /// The values of some items, or why there are none.
    Values(Range<usize>, Vec<u8>),
    /// The value of one item: numbers, all in place.
    Large(usize, Box<dyn RecvBuffer>),
    /// There is no value because the worker has died.
    Failed(usize, Cause),
}

impl Response {
    /// The results that a worker has sent, if the event contains any.
    pub(crate) fn of(event: WorkerEvent) -> Result<Response, WorkerEvent> {
        match event {
            WorkerEvent::Values(items, bytes) => Ok(Response::Values(items, bytes)),
            WorkerEvent::Large(index, value) => Ok(Response::Large(index, value)),
            other => Err(other),
        }
    }
}

impl MapDispatcher<'_> {
    /// Computes all items; returns the workers that are alive. `take` returns whether there was no
    /// failure.
    ///
    /// # Errors
    ///
    /// When no worker can be started.
    ///
    /// # Panics
    ///
    /// Unwinds when interrupted, after all workers were ended.
    pub(crate) fn run(
        mut self,
        len: usize,
        take: &mut dyn FnMut(Response) -> bool,
    ) -> io::Result<Vec<Worker>> {
        let mut todo: VecDeque<Range<usize>> = VecDeque::new();
        if len > 0 {
            todo.push_back(0..len);
        }
        self.workers.iter().for_each(|worker| worker.set_stop(false));
        let mut startup_failures = 0;
        let mut stopped = false;
        loop {
            interrupt::check();
            self.hand_out(&mut todo)?;
            self.rebalance(&todo);
            if todo.is_empty() && self.workers.iter().all(Worker::is_idle) {
                return Ok(std::mem::take(&mut self.workers));
            }
            wait(&mut self.workers, self.numbers, POLL_INTERVAL);
            let mut failed = false;
            let mut position = 0;
            while let Some(worker) = self.workers.get_mut(position) {
                for event in std::mem::take(&mut worker.events) {
                    let (items, went_well) = match event {
                        WorkerEvent::Done { items, left, took } => {
                            self.chunk.learn(items, took);
                            if !left.is_empty() && !stopped {
                                todo.push_front(left);
                                worker.set_stop(false);
                            }
                            continue;
                        }
                        WorkerEvent::Values(items, bytes) => {
                            (items.len(), take(Response::Values(items, bytes)))
                        }
                        WorkerEvent::Large(index, value) => {
                            (1, take(Response::Large(index, value)))
                        }
                    };
                    failed |= !went_well;
                    self.progress.iter_mut().for_each(|bar| bar.advance(items));
                }
                if !worker.is_disconnected() {
                    position += 1;
                    continue;
                }
                let mut dead = self.workers.remove(position);
                match reap(
                    &mut dead,
                    &mut todo,
                    startup_failures >= MAX_STARTUP_FAILURES + self.size,
                ) {
                    Some((index, cause)) => {
                        failed = true;
                        take(Response::Failed(index, cause));
                        self.progress.iter_mut().for_each(|bar| bar.advance(1));
                        startup_failures = 0;
                    }
                    None => startup_failures += 1,
                }
            }
            if failed && !self.continue_on_failure {
                stopped = true;
                todo.clear();
                self.workers.iter().for_each(|worker| worker.set_stop(true));
            }
        }
    }

    /// When a worker is idle because another one has items that turn out to be slow: the other
    /// returns those that it has not begun.
    fn rebalance(&self, todo: &VecDeque<Range<usize>>) {
        if todo.is_empty() && self.chunk.is_adaptive() && self.workers.iter().any(Worker::is_idle) {
            self.workers
                .iter()
                .filter(|worker| worker.is_slow(SLOW_CHUNK_TIME))
                .for_each(|worker| worker.set_stop(true));
        }
    }

    /// Gives work to workers that have none, or too little; starts workers that are missing.
    fn hand_out(&mut self, todo: &mut VecDeque<Range<usize>>) -> io::Result<()> {
        for depth in 1..=self.chunk.depth() {
            for number in 0..self.size {
                if todo.is_empty() {
                    return Ok(());
                }
                if number == self.workers.len() {
                    match (self.spawn)() {
                        Ok(worker) => self.workers.push(worker),
                        // Fewer workers will do.
                        Err(_) if !self.workers.is_empty() => break,
                        Err(error) => return Err(error),
                    }
                }
                if self.workers[number].assigned().len() < depth {
                    let items = next(todo, &self.chunk, self.size);
                    let bytes = (self.bytes_for)(items.clone());
                    self.workers[number].assign(items, &bytes);
                }
            }
        }
        Ok(())
    }
}

impl Drop for MapDispatcher<'_> {
    /// When unwinding: all end at the same time.
    fn drop(&mut self) {
        kill_all(&mut self.workers);
    }
}

/// Ends all workers at the same time, before waiting for each.
pub(crate) fn kill_all(workers: &mut [Worker]) {
    workers.iter_mut().for_each(Worker::kill);
}

/// The next items to compute.
fn next(todo: &mut VecDeque<Range<usize>>, chunk: &ChunkSizer, workers: usize) -> Range<usize> {
    let left = todo.iter().map(Range::len).sum();
    let front = todo.front_mut().expect("there is work left");
    let items = front.start..front.end.min(front.start + chunk.next(left, workers));
    front.start = items.end;
    if front.start == front.end {
        todo.pop_front();
    }
    items
}

/// Why a worker has died, and on which item, if on any; its unfinished items are put back.
fn reap(
    dead: &mut Worker,
    todo: &mut VecDeque<Range<usize>>,
    blame_first_item: bool,
) -> Option<(usize, Cause)> {
    let ended = dead.end();
    let undone: Vec<Range<usize>> =
        dead.assigned().iter().filter(|items| !items.is_empty()).cloned().collect();
    let first = undone.first()?;
    let culprit = dead
        .current()
        .filter(|index| first.contains(index))
        .or(blame_first_item.then_some(first.start));
    for items in undone.into_iter().rev() {
        let parts = match culprit.filter(|culprit| items.contains(culprit)) {
            Some(culprit) => [items.start..culprit, culprit + 1..items.end],
            None => [items.clone(), items.end..items.end],
        };
        parts
            .into_iter()
            .rev()
            .filter(|part| !part.is_empty())
            .for_each(|part| todo.push_front(part));
    }
    Some((culprit?, cause(dead.pid(), ended)))
}

/// Why a worker has died.
pub(crate) fn cause(pid: u32, ended: ExitStatus) -> Cause {
    match ended {
        ExitStatus::Exited(code) => Cause::Exited { pid, code },
        ExitStatus::Killed(signal) => Cause::Killed { pid, signal },
    }
}
