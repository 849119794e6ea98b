//! The evcxr engine on a thread of its own.
//!
//! The engine is not made to be shared between threads, and starting it takes seconds. It lives on
//! one thread, which takes jobs in order; whoever hands in a job waits for its answer. The same
//! thread starts the user process, which is killed when that thread ends.

use super::evaluator::{Evaluator, Settings};
use crate::base::log::log;
use anyhow::{Context, Result, anyhow};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::Duration;
use tokio::sync::oneshot;

type Job = Box<dyn FnOnce(&mut Evaluator) + Send>;

/// An engine that has had nothing to do for so long gets warm.
const IDLE: Duration = Duration::from_millis(300);

/// Hands jobs to the engine's thread; clones share it.
#[derive(Clone)]
pub struct Engine {
    jobs: mpsc::Sender<Job>,
}

impl Engine {
    /// Starts the engine; jobs wait until it is ready. When it cannot start, every job gets the
    /// reason.
    pub fn start(settings: Settings) -> (Engine, oneshot::Receiver<Result<()>>) {
        let (jobs, receiver) = mpsc::channel::<Job>();
        let (ready, is_ready) = oneshot::channel();
        let run = move || match Evaluator::create(&settings) {
            Ok(evaluator) => {
                let _ = ready.send(Ok(()));
                work(evaluator, &receiver);
            }
            // Dropping the receiver makes every job fail; the reason is kept by whoever waits for
            // readiness.
            Err(error) => drop(ready.send(Err(error))),
        };
        std::thread::Builder::new()
            .name("engine".to_owned())
            // rust-analyzer recurses deeply.
            .stack_size(64 << 20)
            .spawn(run)
            .expect("a thread can be started");
        (Engine { jobs }, is_ready)
    }

    /// Runs a job on the engine and waits for its answer.
    pub async fn call<T: Send + 'static>(
        &self,
        job: impl FnOnce(&mut Evaluator) -> T + Send + 'static,
    ) -> Result<T> {
        let (sender, answer) = oneshot::channel();
        let job: Job = Box::new(move |evaluator| drop(sender.send(job(evaluator))));
        self.jobs.send(job).map_err(|_| anyhow!("the engine is not running"))?;
        answer.await.context("the engine failed at this request; see the kernel's log")
    }
}

fn work(mut evaluator: Evaluator, jobs: &mpsc::Receiver<Job>) {
    loop {
        let next = if evaluator.is_cold() {
            jobs.recv_timeout(IDLE)
        } else {
            jobs.recv().map_err(RecvTimeoutError::from)
        };
        match next {
            // The engine is other people's code: a bug in it costs the request, not the session.
            Ok(job) => {
                if std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| job(&mut evaluator)))
                    .is_err()
                {
                    log!("parcourse kernel: the engine panicked");
                }
            }
            Err(RecvTimeoutError::Timeout) => evaluator.warm_up(),
            Err(RecvTimeoutError::Disconnected) => return,
        }
    }
}
