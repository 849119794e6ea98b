//! A pool of processes that are made for each task.

use super::chunk::Chunk;
use super::crew::{Answer, Crew, kill_all};
use super::desk::{Answers, Desk, Request};
use super::raw::Raw;
use super::value::{self, Value};
use super::worker::Worker;
use crate::cores::cores;
use crate::display::ProgressBar;
use crate::interrupt::{self, Scope};
use crate::pool::{Arguments, Cause, Failure};
use crate::threads::report::abridged;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::fmt;

/// A number of processes to do things with at the same time: Python's `multiprocessing.Pool`, with the method `fork`.
#[derive(Clone, Debug)]
pub struct Pool {
    num_processes: usize,
    chunk_size: Option<usize>,
    progress: bool,
}

impl Pool {
    /// A pool of exactly so many processes, however many cores there are.
    ///
    /// # Panics
    ///
    /// With 0 processes nothing would ever be done.
    #[track_caller]
    pub fn new(num_processes: usize) -> Pool {
        assert!(num_processes > 0, "a pool needs at least one process: Pool::new(0)");
        Pool { num_processes, chunk_size: None, progress: false }
    }

    /// How many processes the pool has.
    pub fn num_processes(&self) -> usize {
        self.num_processes
    }

    /// Applies `f` to every item, several at the same time, and gives back the results in the order of the items.
    #[track_caller]
    pub fn map<'items, T, R, F>(&self, f: F, items: &'items [T]) -> Vec<R>
    where
        T: fmt::Debug,
        R: Serialize + DeserializeOwned + 'static,
        F: Fn(&'items T) -> R,
    {
        all(self.run(&|index| f(&items[index]), &|index| abridged(&items[index]), items.len(), false))
    }

    #[track_caller]
    fn run<R: Value>(
        &self,
        compute: &dyn Fn(usize) -> R,
        name: &dyn Fn(usize) -> String,
        len: usize,
        go_on: bool,
    ) -> Vec<Option<Result<R, Failure>>> {
        let raw = Raw::of::<R>();
        let answer = |request: Request, answers: &mut Answers| {
            let _ = { request.items }.all(|index| answers.add(raw, name, || compute(index)));
        };
        let hire = || Worker::hire(|desk: &Desk| desk.serve(answer));
        let crew = Crew {
            workers: Vec::new(),
            size: self.num_processes.min(len),
            hire: &hire,
            bytes_for: &|_| Vec::new(),
            raw,
            chunk: Chunk::new(self.chunk_size),
            progress: self.progress.then(|| ProgressBar::new(len)),
            go_on,
        };
        let (results, mut workers) = run_crew(crew, name, len);
        kill_all(&mut workers);
        results
    }
}

impl Default for Pool {
    /// A pool of as many processes as there are usable [`cores()`].
    fn default() -> Pool {
        Pool::new(cores().usable)
    }
}

/// Has a crew do its work, and understands the answers. An item that was not begun because another has failed has no result.
#[track_caller]
pub(super) fn run_crew<R: Value>(crew: Crew, name: &dyn Fn(usize) -> String, len: usize) -> (Vec<Option<Result<R, Failure>>>, Vec<Worker>) {
    // Keeps SIGINT from ending the process until all children are ended.
    let _scope = Scope::enter();
    let raw = crew.raw;
    let mut results: Vec<Option<Result<R, Failure>>> = std::iter::repeat_with(|| None).take(len).collect();
    let mut put = |index: usize, result: Result<R, Cause>| {
        let went_well = result.is_ok();
        results[index] = Some(result.map_err(|cause| Failure { index, item: name(index), cause }));
        went_well
    };
    let workers = crew.run(len, |answer| match answer {
        Answer::Values(items, bytes) => {
            let mut rest = &bytes[..];
            items.fold(true, |went_well, index| put(index, value::take(raw, &mut rest)) && went_well)
        }
        Answer::Large(index, value) => match value.downcast() {
            Ok(value) => put(index, Ok(*value)),
            Err(_) => unreachable!("made for a result of this type"),
        },
        Answer::Failed(index, cause) => put(index, Err(cause)),
    });
    match workers {
        Ok(workers) => {
            interrupt::check();
            (results, workers)
        }
        Err(error) => panic!("failed to start a process: {error}"),
    }
}

/// The results, if all items have one; otherwise panics in the name of the failed item with the smallest index.
#[track_caller]
pub(super) fn all<R>(results: Vec<Option<Result<R, Failure>>>) -> Vec<R> {
    if let Some(failure) = results.iter().flatten().find_map(|result| result.as_ref().err()) {
        panic!("{failure}");
    }
    results.into_iter().map(|result| result.and_then(Result::ok).expect("no failure: every item has a result")).collect()
}
