//! What was submitted to a pool, and who watches the processes that do it: as many threads as the pool has processes, while there is
//! something to do.

use super::crew::{Answer, cause};
use super::per_process::PerProcess;
use super::raw::Raw;
use super::run::each_value;
use super::value::Value;
use super::worker::{News, Worker, wait};
use crate::pool::{Cause, Failure, Future, Slot};
use crate::threads::quiet;
use crate::threads::report::message;
use std::collections::VecDeque;
use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

/// How soon it is noticed that nobody wants the result any more.
const STEP: Duration = Duration::from_millis(10);

/// The only item of a submitted function.
pub(super) const ONLY: std::ops::Range<usize> = 0..1;

type Job = Box<dyn FnOnce() + Send>;

#[derive(Clone)]
pub(super) struct Jobs {
    size: usize,
    state: Arc<PerProcess<Mutex<State>>>,
}

#[derive(Default)]
struct State {
    waiting: VecDeque<Job>,
    threads: usize,
}

impl Jobs {
    pub(super) fn new(size: usize) -> Jobs {
        Jobs { size, state: Arc::new(PerProcess::new(Mutex::default())) }
    }

    /// Has a worker, which `begin` starts and `end` gets back, do something that has one result.
    #[track_caller]
    pub(super) fn submit<R: Value + Send>(
        &self,
        begin: impl FnOnce() -> io::Result<Worker> + Send + 'static,
        end: impl FnOnce(Worker) + Send + 'static,
    ) -> Future<R> {
        quiet::install();
        let slot = Slot::new();
        let is_abandoned = Arc::new(AtomicBool::new(false));
        let (result, is_unwanted) = (slot.clone(), is_abandoned.clone());
        self.push(Box::new(move || {
            let outcome = quiet::catch(|| watch(begin, end, &is_unwanted));
            let outcome = outcome.unwrap_or_else(|(payload, place)| panicked(message(&*payload), place));
            result.fill(outcome.map_err(Failure::of_submitted));
        }));
        Future::new(slot).abandoned_by(move || is_abandoned.store(true, Ordering::Relaxed))
    }

    #[track_caller]
    fn push(&self, job: Job) {
        let mut state = self.lock();
        state.waiting.push_back(job);
        if state.threads < self.size {
            let jobs = self.clone();
            match thread::Builder::new().name("submitted".into()).spawn(move || jobs.work()) {
                Ok(_) => state.threads += 1,
                Err(_) if state.threads > 0 => {}
                Err(error) => panic!("failed to start a thread: {error}"),
            }
        }
    }

    /// A thread's work: one job after the other, until there is none.
    fn work(&self) {
        loop {
            let mut state = self.lock();
            let Some(job) = state.waiting.pop_front() else {
                state.threads -= 1;
                return;
            };
            drop(state);
            job();
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.get(Mutex::default).lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn panicked<R>(message: &str, place: String) -> Result<R, Cause> {
    Err(Cause::Panicked { message: message.to_string(), place })
}

/// Waits for the one result of a worker.
fn watch<R: Value>(begin: impl FnOnce() -> io::Result<Worker>, end: impl FnOnce(Worker), is_unwanted: &AtomicBool) -> Result<R, Cause> {
    if is_unwanted.load(Ordering::Relaxed) {
        return panicked("nobody wants the result", String::new());
    }
    let raw = Raw::of::<R>();
    let mut worker = match begin() {
        Ok(worker) => [worker],
        Err(error) => return panicked(&format!("failed to start a process: {error}"), String::new()),
    };
    let mut result = None;
    while !is_unwanted.load(Ordering::Relaxed) {
        wait(&mut worker, raw, STEP);
        for news in std::mem::take(&mut worker[0].news) {
            match Answer::of(news) {
                Ok(answer) => each_value(answer, raw, |_, value| result = Some(value)),
                Err(News::Done { .. }) => {
                    let [worker] = worker;
                    end(worker);
                    return result.unwrap_or_else(|| panicked("the worker has not answered", String::new()));
                }
                Err(_) => unreachable!("all others are answers"),
            }
        }
        if worker[0].is_gone() {
            let ended = worker[0].end();
            return Err(cause(worker[0].pid(), ended));
        }
    }
    panicked("nobody wants the result", String::new())
}
