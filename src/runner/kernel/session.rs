//! Executes cells on a kernel, one after the other, and collects what comes back.
//!
//! A cell is finished when both its reply (shell) and its `idle` status (iopub) have come: they
//! travel on different sockets, and either may be first. Nothing is waited for without a bound: not
//! the cell, not the second of the two, not the end of an interrupted cell.

use super::client::{Client, Incoming};
use super::outputs::Outputs;
use crate::runner::KernelKind;
use jupyter_protocol::{
    ExecuteReply, ExecuteRequest, ExecutionState, JupyterMessage, JupyterMessageContent,
};
use nbformat::v4::ExecutionMetadata;
use serde_json::Value;
use std::time::Duration;
use tokio::time::{Instant, sleep_until};

/// How long an interrupted cell may take to end before the kernel is killed.
const INTERRUPT_GRACE: Duration = Duration::from_secs(5);
/// How far apart reply and idle status may be, counted from the last message about the cell.
const HALF_FINISHED_LIMIT: Duration = Duration::from_secs(10);
/// The stock kernel forwards the cell's text from its own thread, which may lag behind the idle
/// status: the cell is done when iopub has been quiet for this long.
const STOCK_QUIET: Duration = Duration::from_millis(40);
/// Upper bound for that wait, because the stock kernel may have buffered a flood of text.
const STOCK_QUIET_LIMIT: Duration = Duration::from_secs(2);

/// How the execution of a cell ended.
#[derive(Debug)]
pub enum Ending {
    Finished,
    /// Interrupted after the timeout; `killed` if the kernel had to be killed because the interrupt
    /// did not work.
    TimedOut {
        killed: bool,
    },
    /// The kernel process ended; with the cause and the end of its log.
    Died(String),
    /// The kernel broke the protocol.
    Protocol(String),
}

/// One executed cell.
pub struct Execution {
    pub ending: Ending,
    pub reply: Option<ExecuteReply>,
    /// `parcourse` in the reply's metadata: times and memory measured by our kernel.
    pub measured: Option<Value>,
    pub outputs: Outputs,
    /// Prompts of requests for keyboard input.
    pub asked_for_input: Vec<String>,
    /// Errors that the stock kernel's engine hid: `panic`, `error`.
    pub audit: Vec<String>,
    pub timestamps: ExecutionMetadata,
    pub wall: Duration,
    request: String,
    idle: bool,
}

/// The executions on one kernel.
pub struct Session {
    kind: KernelKind,
    pub client: Client,
    pub executions: Vec<Execution>,
    audit_read: usize,
}

impl Session {
    pub fn new(kind: KernelKind, client: Client) -> Session {
        Session { kind, client, executions: Vec::new(), audit_read: 0 }
    }

    /// Executes one cell; the result is the last element of [`Session::executions`].
    pub async fn execute(&mut self, code: &str, timeout: Duration) {
        let request: JupyterMessage =
            ExecuteRequest { allow_stdin: false, ..ExecuteRequest::new(code.to_string()) }.into();
        let started = Instant::now();
        self.executions.push(Execution::new(&request));
        if let Err(error) = self.client.request(request).await {
            self.current().ending = Ending::Protocol(format!("{error:#}"));
            return;
        }
        let ending = self.wait(started + timeout).await;
        self.current().ending = ending;
        self.current().wall = started.elapsed();
        if self.kind == KernelKind::Evcxr && matches!(self.current().ending, Ending::Finished) {
            self.drain(STOCK_QUIET, STOCK_QUIET_LIMIT).await;
        }
        self.current().audit = self.read_audit();
    }

    fn current(&mut self) -> &mut Execution {
        let last = self.executions.len() - 1;
        &mut self.executions[last]
    }

    async fn wait(&mut self, deadline: Instant) -> Ending {
        let (mut deadline, mut interrupted) = (deadline, false);
        let mut last_message = Instant::now();
        loop {
            let (replied, idle) = (self.current().reply.is_some(), self.current().idle);
            if replied && idle {
                return if interrupted {
                    Ending::TimedOut { killed: false }
                } else {
                    Ending::Finished
                };
            }
            let half_finished = if replied || idle {
                last_message + HALF_FINISHED_LIMIT
            } else {
                deadline + HALF_FINISHED_LIMIT
            };
            // Check timeout and death first: a cell that floods us with output always has a message
            // ready.
            tokio::select! {
                biased;
                () = sleep_until(deadline) => {
                    if interrupted {
                        self.client.process.kill().await;
                        return Ending::TimedOut { killed: true };
                    }
                    self.client.interrupt().await;
                    (deadline, interrupted) = (Instant::now() + INTERRUPT_GRACE, true);
                }
                death = self.client.process.died() => {
                    // Its last messages may still be on the way.
                    self.drain(Duration::from_millis(50), Duration::from_millis(500)).await;
                    return Ending::Died(self.client.describe(&death));
                }
                () = sleep_until(half_finished) => {
                    let (came, missing) = if replied { ("a \
                        reply", "idle status") } else { ("an idle status", "reply") };
                    return Ending::Protocol(format!("the kernel sent {came} for the cell, but no \
                        {missing}"));
                }
                incoming = self.client.incoming.recv() => {
                    last_message = Instant::now();
                    match incoming {
                        Some(incoming) => self.take(incoming).await,
                        None => return Ending::Protocol("the connection to the kernel was \
                            closed".to_string()),
                    }
                }
            }
        }
    }

    /// Handles messages until none has arrived for `quiet`, at most for `limit`.
    async fn drain(&mut self, quiet: Duration, limit: Duration) {
        let end = Instant::now() + limit;
        while let Ok(Some(incoming)) =
            tokio::time::timeout_at(end.min(Instant::now() + quiet), self.client.incoming.recv())
                .await
        {
            self.take(incoming).await;
        }
    }

    /// Handles one message. Late output goes to the cell it belongs to.
    async fn take(&mut self, incoming: Incoming) {
        match incoming {
            Incoming::Shell(message) => {
                let Some(execution) = execution_of(&mut self.executions, &message) else { return };
                if let JupyterMessageContent::ExecuteReply(reply) = message.content {
                    execution.timestamps.shell_execute_reply =
                        Some(message.header.date.to_rfc3339());
                    let started =
                        message.metadata.get("started").and_then(Value::as_str).map(str::to_string);
                    execution.timestamps.shell_execute_reply_started = started;
                    execution.measured = message.metadata.get("parcourse").cloned();
                    execution.reply = Some(reply);
                }
            }
            Incoming::IoPub(message) => self.take_iopub(message),
            Incoming::Stdin(message) => {
                if let JupyterMessageContent::InputRequest(request) = &message.content {
                    if let Some(execution) = execution_of(&mut self.executions, &message) {
                        execution.asked_for_input.push(request.prompt.clone());
                    }
                    self.client.answer_input(&message).await;
                }
            }
            Incoming::Malformed => {}
        }
    }

    fn take_iopub(&mut self, message: JupyterMessage) {
        if let JupyterMessageContent::UpdateDisplayData(update) = &message.content {
            // Any later cell may update a display.
            if let Some(id) = &update.transient.display_id {
                self.executions.iter_mut().for_each(|execution| {
                    execution.outputs.update(id, &update.data, &update.metadata)
                });
            }
            return;
        }
        let Some(execution) = execution_of(&mut self.executions, &message) else { return };
        let date = Some(message.header.date.to_rfc3339());
        match &message.content {
            JupyterMessageContent::Status(status) => match status.execution_state {
                ExecutionState::Busy => execution.timestamps.iopub_status_busy = date,
                ExecutionState::Idle => {
                    (execution.timestamps.iopub_status_idle, execution.idle) = (date, true)
                }
                _ => {}
            },
            JupyterMessageContent::ExecuteInput(_) => {
                execution.timestamps.iopub_execute_input = date
            }
            _ => execution.outputs.take(message.content),
        }
    }

    /// Returns what the user process has recorded since the last cell.
    fn read_audit(&mut self) -> Vec<String> {
        let text = std::fs::read_to_string(&self.client.audit).unwrap_or_default();
        let complete = text.rfind('\n').map_or(0, |end| end + 1);
        let news =
            text[self.audit_read.min(complete)..complete].lines().map(str::to_string).collect();
        self.audit_read = complete;
        news
    }
}

/// Returns the execution that a message belongs to.
fn execution_of<'a>(
    executions: &'a mut [Execution],
    message: &JupyterMessage,
) -> Option<&'a mut Execution> {
    let parent = &message.parent_header.as_ref()?.msg_id;
    executions.iter_mut().rev().find(|execution| execution.request == *parent)
}

impl Execution {
    fn new(request: &JupyterMessage) -> Execution {
        let timestamps = ExecutionMetadata {
            iopub_execute_input: None,
            iopub_status_busy: None,
            shell_execute_reply: None,
            shell_execute_reply_started: None,
            iopub_status_idle: None,
            additional: Default::default(),
        };
        Execution {
            ending: Ending::Finished,
            reply: None,
            measured: None,
            outputs: Outputs::default(),
            asked_for_input: Vec::new(),
            audit: Vec::new(),
            timestamps,
            wall: Duration::ZERO,
            request: request.header.msg_id.clone(),
            idle: false,
        }
    }
}
