//! What was submitted to a pool, and who watches the processes that do it: as many threads as the
//! pool has processes, while there is something to do.

use super::crew::{Answer, cause};
use super::run::each_value;
use super::value::{self, Arrived, Format, Value};
use super::worker::{News, Worker, wait};
use crate::base::panic_capture;
use crate::base::panic_message::panic_message;
use crate::base::per_process::PerProcess;
use crate::pool::{Cause, Failure, Future, Slot, UntypedFuture};
use std::any::Any;
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
/// Starts a worker.
type Begin = Box<dyn FnOnce() -> io::Result<Worker> + Send>;
/// Gets the worker back.
type End = Box<dyn FnOnce(Worker) + Send>;
/// Makes a value of what has come.
type Boxed = fn(Format, Arrived) -> Result<Box<dyn Any + Send>, Cause>;

fn boxed<R: Value + Send>(format: Format, arrived: Arrived) -> Result<Box<dyn Any + Send>, Cause> {
    value::take::<R>(format, arrived).map(|value| Box::new(value) as _)
}

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
    pub(super) fn submit<R: Value + Send>(&self, begin: Begin, end: End) -> Future<R> {
        Future::new(self.submit_erased(Format::of::<R>(), boxed::<R>, begin, end))
    }

    #[track_caller]
    fn submit_erased(&self, format: Format, boxed: Boxed, begin: Begin, end: End) -> UntypedFuture {
        panic_capture::install_hook();
        let slot = Slot::new();
        let is_abandoned = Arc::new(AtomicBool::new(false));
        let (result, is_unwanted) = (slot.clone(), is_abandoned.clone());
        self.push(Box::new(move || {
            let outcome = panic_capture::catch(|| watch(begin, end, format, boxed, &is_unwanted));
            let outcome = outcome
                .unwrap_or_else(|(payload, location)| panicked(panic_message(&*payload), location));
            result.fill(outcome.map_err(Failure::of_submitted));
        }));
        UntypedFuture::new(slot).on_cancel(move || is_abandoned.store(true, Ordering::Relaxed))
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

fn panicked<R>(message: &str, location: String) -> Result<R, Cause> {
    Err(Cause::Panicked { message: message.to_string(), location })
}

/// Waits for the one result of a worker.
fn watch(
    begin: Begin,
    end: End,
    format: Format,
    boxed: Boxed,
    is_unwanted: &AtomicBool,
) -> Result<Box<dyn Any + Send>, Cause> {
    if is_unwanted.load(Ordering::Relaxed) {
        return panicked("nobody wants the result", String::new());
    }
    let mut worker = match begin() {
        Ok(worker) => [worker],
        Err(error) => {
            return panicked(&format!("failed to start a process: {error}"), String::new());
        }
    };
    let mut result = None;
    while !is_unwanted.load(Ordering::Relaxed) {
        wait(&mut worker, format.raw(), STEP);
        for news in std::mem::take(&mut worker[0].news) {
            match Answer::of(news) {
                Ok(answer) => each_value(answer, &mut |_, arrived| {
                    result = Some(arrived.and_then(|arrived| boxed(format, arrived)))
                }),
                Err(News::Done { .. }) => {
                    let [worker] = worker;
                    end(worker);
                    return result
                        .unwrap_or_else(|| panicked("the worker has not answered", String::new()));
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
