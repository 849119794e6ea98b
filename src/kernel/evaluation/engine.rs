//! The evcxr engine on its own thread.
//!
//! The engine cannot be shared between threads, and starting it takes seconds. So it lives on one
//! thread, which runs jobs in order. That thread also starts the user process, which the system
//! kills when the thread ends.

use super::evaluator::{EngineSettings, Evaluator};
use crate::base::log::log;
use anyhow::{Context, Result, anyhow};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::Duration;
use tokio::sync::oneshot;

type Job = Box<dyn FnOnce(&mut Evaluator) + Send>;

/// After this time without a job, the engine warms up.
const IDLE: Duration = Duration::from_millis(300);

/// A handle that sends jobs to the engine's thread. Clones share the thread.
#[derive(Clone)]
pub struct Engine {
    jobs: mpsc::Sender<Job>,
}

impl Engine {
    /// Starts the engine. Jobs wait until it is ready. If it fails to start, all jobs fail.
    pub fn start(settings: EngineSettings) -> (Engine, oneshot::Receiver<Result<()>>) {
        let (jobs, receiver) = mpsc::channel::<Job>();
        let (ready, is_ready) = oneshot::channel();
        let run = move || match Evaluator::create(&settings) {
            Ok(evaluator) => {
                let _ = ready.send(Ok(()));
                work(evaluator, &receiver);
            }
            // Dropping the receiver makes every job fail. The reason goes to the waiting receiver.
            Err(error) => drop(ready.send(Err(error))),
        };
        std::thread::Builder::new()
            .name("engine".to_owned())
            // Because rust-analyzer recurses deeply.
            .stack_size(64 << 20)
            .spawn(run)
            .expect("a thread can be started");
        (Engine { jobs }, is_ready)
    }

    /// Runs a job on the engine's thread and waits for its result.
    pub async fn call<T: Send + 'static>(
        &self,
        job: impl FnOnce(&mut Evaluator) -> T + Send + 'static,
    ) -> Result<T> {
        let (sender, answer) = oneshot::channel();
        let job: Job = Box::new(move |evaluator| drop(sender.send(job(evaluator))));
        self.jobs.send(job).map_err(|_| anyhow!("the engine is not running"))?;
        answer.await.context("the engine failed during this request; see the kernel's log")
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
            // The engine is third-party code. A panic in it fails this request, not the session.
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
