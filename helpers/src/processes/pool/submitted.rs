//! Functions that were submitted to a pool, and the threads that watch the processes running them:
//! at most one per process, and none without work.

use super::map_dispatcher::{Response, cause};
use super::map_results::each_value;
use crate::base::panic_capture;
use crate::base::panic_message::panic_message;
use crate::base::per_process::PerProcess;
use crate::interrupt::POLL_INTERVAL;
use crate::pool::{Cause, Failure, Future, Slot, UntypedFuture};
use crate::processes::transport::value::{self, EncodedValue, Format, Value};
use crate::processes::worker::parent_side::{Worker, WorkerEvent, wait};
use std::any::Any;
use std::collections::VecDeque;
use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;

/// The only item of a submitted function.
pub(crate) const SINGLE_ITEM: std::ops::Range<usize> = 0..1;

type Job = Box<dyn FnOnce() + Send>;
/// Starts a worker.
type StartWorker = Box<dyn FnOnce() -> io::Result<Worker> + Send>;
/// Takes the worker back.
type ReturnWorker = Box<dyn FnOnce(Worker) + Send>;
/// Decodes a value.
type Decode = fn(Format, EncodedValue) -> Result<Box<dyn Any + Send>, Cause>;

fn decode<R: Value + Send>(
    format: Format,
    arrived: EncodedValue,
) -> Result<Box<dyn Any + Send>, Cause> {
    value::take::<R>(format, arrived).map(|value| Box::new(value) as _)
}

#[derive(Clone)]
pub(crate) struct JobQueue {
    size: usize,
    state: Arc<PerProcess<Mutex<State>>>,
}

#[derive(Default)]
struct State {
    waiting: VecDeque<Job>,
    threads: usize,
}

impl JobQueue {
    pub(crate) fn new(size: usize) -> JobQueue {
        JobQueue { size, state: Arc::new(PerProcess::new(Mutex::default())) }
    }

    /// Submits a function with one result: `begin` starts a worker for it, `end` takes the worker
    /// back.
    #[track_caller]
    pub(crate) fn submit<R: Value + Send>(
        &self,
        begin: StartWorker,
        end: ReturnWorker,
    ) -> Future<R> {
        Future::new(self.submit_erased(Format::of::<R>(), decode::<R>, begin, end))
    }

    #[track_caller]
    fn submit_erased(
        &self,
        format: Format,
        decode: Decode,
        begin: StartWorker,
        end: ReturnWorker,
    ) -> UntypedFuture {
        panic_capture::install_hook();
        let slot = Slot::new();
        let was_dropped = Arc::new(AtomicBool::new(false));
        let (result, is_cancelled) = (slot.clone(), was_dropped.clone());
        self.push(Box::new(move || {
            let outcome = panic_capture::catch(|| watch(begin, end, format, decode, &is_cancelled));
            let outcome = outcome
                .unwrap_or_else(|(payload, location)| panicked(panic_message(&*payload), location));
            result.fill(outcome.map_err(Failure::of_submitted));
        }));
        UntypedFuture::new(slot).on_cancel(move || was_dropped.store(true, Ordering::Relaxed))
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

    /// A thread's work: one job after the other, until none is left.
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
    begin: StartWorker,
    end: ReturnWorker,
    format: Format,
    decode: Decode,
    is_cancelled: &AtomicBool,
) -> Result<Box<dyn Any + Send>, Cause> {
    if is_cancelled.load(Ordering::Relaxed) {
        return panicked("the result is not wanted", String::new());
    }
    let mut worker = match begin() {
        Ok(worker) => [worker],
        Err(error) => {
            return panicked(&format!("failed to start a process: {error}"), String::new());
        }
    };
    let mut result = None;
    while !is_cancelled.load(Ordering::Relaxed) {
        wait(&mut worker, format.numbers(), POLL_INTERVAL);
        for event in std::mem::take(&mut worker[0].events) {
            match Response::of(event) {
                Ok(response) => each_value(response, &mut |_, arrived| {
                    result = Some(arrived.and_then(|arrived| decode(format, arrived)))
                }),
                Err(WorkerEvent::Done { .. }) => {
                    let [worker] = worker;
                    end(worker);
                    return result.unwrap_or_else(|| {
                        panicked("the worker has not sent a result", String::new())
                    });
                }
                Err(_) => unreachable!("all others are responses"),
            }
        }
        if worker[0].is_disconnected() {
            let ended = worker[0].end();
            return Err(cause(worker[0].pid(), ended));
        }
    }
    panicked("the result is not wanted", String::new())
}
