//! Stopping what runs.
//!
//! Code inside one of the helpers' long operations handles SIGINT: the helper stops between two
//! items and the variables live on. Other code cannot be stopped without its process, which SIGINT
//! ends by default. A compilation is stopped by killing the compiler.

use super::descendants;
use crate::kernel::output::Outputs;
use crate::kernel::output::relay::Relay;
use rustix::process::Signal;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

/// How long the program may take to react before more is done.
const REACTION_TIMEOUT: Duration = Duration::from_millis(700);
/// How often a compilation is stopped again.
const RETRY_INTERVAL: Duration = Duration::from_millis(20);

pub struct Interrupts {
    outputs: Arc<Outputs>,
    relay: Arc<Relay>,
    /// Number of the execution under way, even when there is none; odd while one is.
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

    /// An execution begins.
    pub fn begin(&self) {
        self.requested.store(false, Ordering::SeqCst);
        // From one odd number to the next where the engine failed in the middle of an execution.
        let step = 1 + self.execution.load(Ordering::SeqCst) % 2;
        self.execution.fetch_add(step, Ordering::SeqCst);
    }

    /// The execution is over; whether it was asked to stop.
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

    /// Asks the execution under way to stop; a second request insists. Returns when it has stopped,
    /// or after [`REACTION_TIMEOUT`] where a helper has promised to stop.
    pub fn request(&self) {
        let execution = self.execution.load(Ordering::SeqCst);
        if execution % 2 == 0 {
            return;
        }
        let is_repeated = self.requested.swap(true, Ordering::SeqCst);
        // The engine may try another compilation, or have one that is just ready to run: stay until
        // something runs or all is over.
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
            self.relay.user_process().is_some_and(|pid| descendants::handles(pid, Signal::INT));
        self.relay.signal(Signal::INT);
        std::thread::sleep(REACTION_TIMEOUT);
        if !self.is_current(execution) || self.outputs.running_since().is_none() {
            return;
        }
        if handled {
            self.outputs.note(
                "[interrupt: waiting for the running items to end; interrupt again to stop \
                    the process and lose all variables]\n",
            );
        } else {
            self.relay.kill();
        }
    }

    /// Kills compilers, cargo and shell commands that the engine waits for.
    fn stop_compiler(&self) {
        let user_process = self.relay.user_process();
        let ours = rustix::process::getpid();
        descendants::kill_all(&descendants::descendants(ours, |pid| Some(pid) == user_process));
    }
}
