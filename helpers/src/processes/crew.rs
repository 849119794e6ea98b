//! The workers of one `map`, and who gives them work: ranges of items go out, answers come in, the
//! dead are noticed and replaced.

use super::chunk::Chunk;
use super::fork::Ended;
use super::raw::{Landing, Raw};
use super::worker::{News, Worker, wait};
use crate::display::ProgressBar;
use crate::interrupt;
use crate::pool::Cause;
use std::collections::VecDeque;
use std::io;
use std::ops::Range;
use std::time::Duration;

/// How soon an interrupt is noticed.
const STEP: Duration = Duration::from_millis(20);
/// Who has taken so long for a chunk is asked to share it.
const SLOW: Duration = Duration::from_millis(10);
/// So many workers, besides all that were there, may die one after the other before they have begun
/// anything. Then it is not bad luck.
const STILLBORN: usize = 3;

/// One `map`.
pub(super) struct Crew<'run> {
    /// Those that are there; the others are hired when they are needed.
    pub(super) workers: Vec<Worker>,
    pub(super) size: usize,
    pub(super) hire: &'run dyn Fn() -> io::Result<Worker>,
    /// What a worker needs for these items.
    pub(super) bytes_for: &'run dyn Fn(Range<usize>) -> Vec<u8>,
    pub(super) raw: Option<&'static Raw>,
    pub(super) chunk: Chunk,
    pub(super) progress: Option<ProgressBar>,
    /// Whether to go on after failures.
    pub(super) go_on: bool,
}

/// What has become of items.
pub(super) enum Answer {
    /// Values of some items, or the reasons why there are none.
    Values(Range<usize>, Vec<u8>),
    /// The value of one item: numbers, all in place.
    Large(usize, Box<dyn Landing>),
    /// There is no value, because the worker has died.
    Failed(usize, Cause),
}

impl Answer {
    /// What a worker says, if it is an answer.
    pub(super) fn of(news: News) -> Result<Answer, News> {
        match news {
            News::Values(items, bytes) => Ok(Answer::Values(items, bytes)),
            News::Large(index, value) => Ok(Answer::Large(index, value)),
            other => Err(other),
        }
    }
}

impl Crew<'_> {
    /// Has all items done; gives back the workers that live. `take` says whether there was no
    /// failure.
    ///
    /// # Errors
    ///
    /// When no worker can be started.
    ///
    /// # Panics
    ///
    /// Unwinds when interrupted, after all workers were ended.
    pub(super) fn run(
        mut self,
        len: usize,
        take: &mut dyn FnMut(Answer) -> bool,
    ) -> io::Result<Vec<Worker>> {
        let mut todo: VecDeque<Range<usize>> = VecDeque::new();
        if len > 0 {
            todo.push_back(0..len);
        }
        self.workers.iter().for_each(|worker| worker.set_stop(false));
        let mut stillborn = 0;
        let mut stopped = false;
        loop {
            interrupt::check();
            self.hand_out(&mut todo)?;
            self.recall(&todo);
            if todo.is_empty() && self.workers.iter().all(Worker::is_idle) {
                return Ok(std::mem::take(&mut self.workers));
            }
            wait(&mut self.workers, self.raw, STEP);
            let mut failed = false;
            let mut position = 0;
            while let Some(worker) = self.workers.get_mut(position) {
                for news in std::mem::take(&mut worker.news) {
                    let (items, went_well) = match news {
                        News::Done { items, left, took } => {
                            self.chunk.learn(items, took);
                            if !left.is_empty() && !stopped {
                                todo.push_front(left);
                                worker.set_stop(false);
                            }
                            continue;
                        }
                        News::Values(items, bytes) => {
                            (items.len(), take(Answer::Values(items, bytes)))
                        }
                        News::Large(index, value) => (1, take(Answer::Large(index, value))),
                    };
                    failed |= !went_well;
                    self.progress.iter_mut().for_each(|bar| bar.advance(items));
                }
                if !worker.is_gone() {
                    position += 1;
                    continue;
                }
                let mut dead = self.workers.remove(position);
                match post_mortem(&mut dead, &mut todo, stillborn >= STILLBORN + self.size) {
                    Some((index, cause)) => {
                        failed = true;
                        take(Answer::Failed(index, cause));
                        self.progress.iter_mut().for_each(|bar| bar.advance(1));
                        stillborn = 0;
                    }
                    None => stillborn += 1,
                }
            }
            if failed && !self.go_on {
                stopped = true;
                todo.clear();
                self.workers.iter().for_each(|worker| worker.set_stop(true));
            }
        }
    }

    /// When a worker has nothing to do because another sits on items that turn out to be slow: the
    /// other gives back what it has not begun.
    fn recall(&self, todo: &VecDeque<Range<usize>>) {
        if todo.is_empty() && self.chunk.is_adaptive() && self.workers.iter().any(Worker::is_idle) {
            self.workers
                .iter()
                .filter(|worker| worker.sits_on_items(SLOW))
                .for_each(|worker| worker.set_stop(true));
        }
    }

    /// Gives work to those who have none, or too little; hires who is missing.
    fn hand_out(&mut self, todo: &mut VecDeque<Range<usize>>) -> io::Result<()> {
        for depth in 1..=self.chunk.depth() {
            for number in 0..self.size {
                if todo.is_empty() {
                    return Ok(());
                }
                if number == self.workers.len() {
                    match (self.hire)() {
                        Ok(worker) => self.workers.push(worker),
                        // Fewer will do.
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

impl Drop for Crew<'_> {
    /// When unwinding: all end at the same time.
    fn drop(&mut self) {
        kill_all(&mut self.workers);
    }
}

/// Ends them all at the same time, before each is waited for.
pub(super) fn kill_all(workers: &mut [Worker]) {
    workers.iter_mut().for_each(Worker::kill);
}

/// The next items to be given out.
fn next(todo: &mut VecDeque<Range<usize>>, chunk: &Chunk, workers: usize) -> Range<usize> {
    let left = todo.iter().map(Range::len).sum();
    let front = todo.front_mut().expect("there is work left");
    let items = front.start..front.end.min(front.start + chunk.next(left, workers));
    front.start = items.end;
    if front.start == front.end {
        todo.pop_front();
    }
    items
}

/// What a worker has died of, and on which item, if on any; what it leaves undone is to be done by
/// others.
fn post_mortem(
    dead: &mut Worker,
    todo: &mut VecDeque<Range<usize>>,
    somebody_is_to_blame: bool,
) -> Option<(usize, Cause)> {
    let ended = dead.end();
    let undone: Vec<Range<usize>> =
        dead.assigned().iter().filter(|items| !items.is_empty()).cloned().collect();
    let first = undone.first()?;
    let culprit = dead
        .current()
        .filter(|index| first.contains(index))
        .or(somebody_is_to_blame.then_some(first.start));
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

/// What a worker has died of.
pub(super) fn cause(pid: u32, ended: Ended) -> Cause {
    match ended {
        Ended::Exited(code) => Cause::Exited { pid, code },
        Ended::Killed(signal) => Cause::Killed { pid, signal },
    }
}
