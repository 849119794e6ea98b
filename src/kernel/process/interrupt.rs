//! Stops what runs.
//!
//! The helper crate's long operations handle SIGINT: they stop between two items, and the variables
//! are kept. Other code can only be stopped with its process, which SIGINT ends by default. A
//! compilation is stopped by killing the compiler.

use crate::base::process;
use crate::kernel::output::Outputs;
use crate::kernel::output::relay::Relay;
use rustix::process::Signal;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

/// How long the program may take to react to SIGINT.
const REACTION_TIMEOUT: Duration = Duration::from_millis(700);
/// How often we try again to stop a compilation.
const RETRY_INTERVAL: Duration = Duration::from_millis(20);

pub struct Interrupts {
    outputs: Arc<Outputs>,
    relay: Arc<Relay>,
    /// Counts beginnings and ends of executions, so it is odd during an execution.
    execution: AtomicU64,
    requested: AtomicBool,
}

impl Interrupts {
    pub fn new(outputs: Arc<Outputs>, relay: Arc<Relay>) -> Interrupts {
        Interrupts {
            outputs,
            relay,
            execution: AtomicU64::new(0),
            requested: AtomicBool::new(false),
        }
    }

    /// Marks the beginning of an execution.
    pub fn begin(&self) {
        self.requested.store(false, Ordering::SeqCst);
        // Add 2 if the engine failed in the middle of an execution, so that the number is odd
        // again.
        let step = 1 + self.execution.load(Ordering::SeqCst) % 2;
        self.execution.fetch_add(step, Ordering::SeqCst);
    }

    /// Marks the end of the execution. Returns whether an interrupt was requested.
    pub fn end(&self) -> bool {
        self.execution.fetch_add(1, Ordering::SeqCst);
        self.requested.load(Ordering::SeqCst)
    }

    pub fn requested(&self) -> bool {
        self.requested.load(Ordering::SeqCst)
    }

    fn is_current(&self, execution: u64) -> bool {
        self.execution.load(Ordering::SeqCst) == execution
    }

    /// Asks the current execution to stop; a second request kills its process. Returns when it has
    /// stopped, or after [`REACTION_TIMEOUT`] if a helper handles the signal.
    pub fn request(&self) {
        let execution = self.execution.load(Ordering::SeqCst);
        if execution.is_multiple_of(2) {
            return;
        }
        let is_repeated = self.requested.swap(true, Ordering::SeqCst);
        // The engine may start another compilation, or be about to run one that is ready. Repeat
        // until something runs or the execution is over.
        while self.is_current(execution) && self.outputs.running_since().is_none() {
            self.stop_compiler();
            std::thread::sleep(RETRY_INTERVAL);
        }
        if self.is_current(execution) {
            self.stop_run(execution, is_repeated);
        }
    }

    fn stop_run(&self, execution: u64, is_repeated: bool) {
        if is_repeated {
            return self.relay.kill();
        }
        let handled =
            self.relay.user_process().is_some_and(|pid| process::handles(pid, Signal::INT));
        self.relay.signal(Signal::INT);
        std::thread::sleep(REACTION_TIMEOUT);
        if !self.is_current(execution) || self.outputs.running_since().is_none() {
            return;
        }
        if handled {
            self.outputs.note(
                "[interrupt: waiting for the running items to finish; interrupt again to stop \
                    the process and lose all variables]\n",
            );
        } else {
            self.relay.kill();
        }
    }

    /// Kills the compilers, cargo and shell commands that the engine is waiting for.
    fn stop_compiler(&self) {
        let user_process = self.relay.user_process();
        let ours = rustix::process::getpid();
        process::kill_all(&process::descendants(ours, |pid| Some(pid) == user_process));
    }
}
