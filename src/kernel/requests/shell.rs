//! The shell channel: requests in the order of their arrival.

use super::history::History;
use super::info;
use super::introspect;
use crate::base::log::log;
use crate::kernel::cell_source::{CellSource, Completeness};
use crate::kernel::evaluation::engine::Engine;
use crate::kernel::evaluation::execute::{Executor, Outcome};
use crate::kernel::output::Cell;
use crate::kernel::protocol::iopub::Publisher;
use crate::kernel::protocol::message::{self, Request};
use crate::kernel::report::Failure;
use jupyter_protocol::JupyterMessage;
use jupyter_zmq_client::KernelShellConnection;
use serde_json::{Map, Value, json};
use std::sync::{Arc, Mutex};
use tokio::sync::mpsc;

/// Everything that a request may need.
pub struct Shell {
    pub publisher: Publisher,
    pub engine: Engine,
    pub executor: Arc<Executor>,
    /// Why the engine did not start, once that is known.
    pub engine_failure: Arc<Mutex<Option<String>>>,
    /// The request being executed, so that its program can ask the user for input.
    pub executing: Arc<Mutex<Option<Request>>>,
}

/// Serves until a shutdown is requested.
pub async fn serve(connection: KernelShellConnection, shell: Shell) {
    let (mut sender, mut receiver) = connection.split();
    let (queue, mut requests) = mpsc::unbounded_channel();
    // Requests are received at once, so that those behind a failed one are known when it fails.
    tokio::spawn(async move {
        loop {
            match message::receive(&mut receiver).await {
                Ok(Ok(request)) => {
                    if queue.send(request).is_err() {
                        return;
                    }
                }
                Ok(Err(error)) => log!("parcourse kernel: ignored a message on shell: {error:#}"),
                Err(_) => tokio::time::sleep(std::time::Duration::from_millis(10)).await,
            }
        }
    });
    let mut session = Session { shell, execution_count: 0, history: History::default() };
    // Requests that were waiting when an execution failed. They are aborted.
    let mut behind_error = std::collections::VecDeque::new();
    loop {
        let (request, aborted) = match behind_error.pop_front() {
            Some(request) => (request, true),
            None => match requests.recv().await {
                Some(request) => (request, false),
                None => return,
            },
        };
        let publisher = session.shell.publisher.clone();
        publisher.status(&request, "busy").await;
        let (reply, failed) = if aborted && request.kind() == "execute_request" {
            // Without an execution count, like ipykernel's reply: JupyterLab would show it, and the
            // cell would look executed.
            (Some(request.reply(json!({ "status": "aborted" }))), false)
        } else {
            session.answer(&request).await
        };
        if failed && request.flag("stop_on_error", true) {
            // Wait a moment until the remaining requests of "Run All" have arrived.
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
            while let Ok(waiting) = requests.try_recv() {
                behind_error.push_back(waiting);
            }
        }
        if let Some(reply) = reply
            && let Err(error) = sender.send(reply).await
        {
            log!("parcourse kernel: failed to answer {}: {error}", request.kind());
        }
        publisher.status(&request, "idle").await;
        if request.kind() == "shutdown_request" {
            return;
        }
    }
}

/// Logs a message of unknown type.
pub fn log_unknown(kind: &str) -> Option<Value> {
    log!("parcourse kernel: ignored a message of unknown type {kind:?}");
    None
}

struct Session {
    shell: Shell,
    execution_count: u64,
    history: History,
}

impl Session {
    /// The reply, and whether an execution failed.
    async fn answer(&mut self, request: &Request) -> (Option<JupyterMessage>, bool) {
        let content = match request.kind() {
            "execute_request" => {
                let (content, metadata) = self.execute(request).await;
                let failed = content["status"] == "error";
                return (Some(request.reply(content).with_metadata(metadata)), failed);
            }
            "kernel_info_request" => Some(info::kernel_info()),
            "is_complete_request" => {
                Some(match CellSource::parse(request.text("code")).completeness() {
                    Completeness::Complete => json!({ "status": "complete" }),
                    Completeness::Incomplete { indent } => {
                        json!({ "status": "incomplete", "indent": indent })
                    }
                    Completeness::Invalid => json!({ "status": "invalid" }),
                })
            }
            "complete_request" => Some(self.introspect(request, introspect::complete).await),
            "inspect_request" => Some(self.introspect(request, introspect::inspect).await),
            "history_request" => Some(self.history.answer(&request.content)),
            "comm_info_request" => Some(json!({ "status": "ok", "comms": {} })),
            // This kernel has no comm targets, so it closes every comm.
            "comm_open" => {
                let content = json!({ "comm_id": request.text("comm_id"), "data": {} });
                self.shell.publisher.publish_for(request, "comm_close", content).await;
                None
            }
            "comm_msg" | "comm_close" => None,
            "shutdown_request" => {
                Some(json!({ "status": "ok", "restart": request.flag("restart", false) }))
            }
            other => log_unknown(other),
        };
        (content.map(|content| request.reply(content)), false)
    }

    async fn introspect(
        &self,
        request: &Request,
        question: fn(&mut evcxr::CommandContext, &str, usize) -> Value,
    ) -> Value {
        let code = request.text("code").to_owned();
        let cursor = request.content["cursor_pos"]
            .as_u64()
            .map_or(code.chars().count(), |position| position as usize);
        let answer = self
            .shell
            .engine
            .call(move |evaluator| question(evaluator.context(), &code, cursor))
            .await;
        answer.unwrap_or_else(|error| {
            Failure::new("EngineError", format!("{error:#}"), Vec::new()).content_with_status()
        })
    }

    async fn execute(&mut self, request: &Request) -> (Value, Value) {
        let code = request.text("code").to_owned();
        let silent = request.flag("silent", false);
        let store_history = request.flag("store_history", true) && !silent;
        let is_blank = code.trim().is_empty();
        if store_history && !is_blank {
            self.execution_count += 1;
            self.history.push(&code);
        }
        let count = self.execution_count;
        let publisher = self.shell.publisher.clone();
        publisher.set_parent(request);
        if !silent {
            publisher
                .publish_for(
                    request,
                    "execute_input",
                    json!({ "code": code, "execution_count": count }),
                )
                .await;
        }
        if let Ok(mut executing) = self.shell.executing.lock() {
            *executing = Some(request.clone());
        }
        let started =
            jupyter_protocol::Header::clone(&request.child("status", Value::Null).header).date;
        let outcome = if is_blank {
            Ok(None)
        } else {
            self.run(code, Cell { execution_count: count, silent, ..Cell::default() })
                .await
                .map(Some)
        };
        let mut metadata = json!({ "started": started });
        let failure = match outcome {
            Ok(None) => None,
            Ok(Some(outcome)) => {
                metadata["parcourse"] = outcome.timing.metadata();
                let phases = outcome
                    .results
                    .phases
                    .iter()
                    .map(|phase| json!([phase.name, phase.duration.as_secs_f64()]));
                metadata["parcourse"]["phases"] = phases.collect();
                self.show_results(request, &outcome, count, silent).await;
                outcome.failure
            }
            Err(error) => Some(self.engine_failure(&error)),
        };
        let content = match failure {
            Some(failure) => {
                publisher.publish_for(request, "error", failure.content()).await;
                let mut content = failure.content_with_status();
                content["execution_count"] = count.into();
                content
            }
            None => json!({
                "status": "ok", "execution_count": count, "payload": [],
                "user_expressions": self.user_expressions(request).await,
            }),
        };
        metadata["status"] = content["status"].clone();
        (content, metadata)
    }

    async fn run(&self, code: String, cell: Cell) -> anyhow::Result<Outcome> {
        let executor = self.shell.executor.clone();
        self.shell.engine.call(move |evaluator| executor.execute(evaluator, &code, cell)).await
    }

    /// Shows the engine's own results: the table of `:vars`, the output of `!ls`, the sentence of
    /// `:timing`.
    async fn show_results(&self, request: &Request, outcome: &Outcome, count: u64, silent: bool) {
        if !outcome.results.is_empty() && !silent {
            let data: Map<String, Value> = outcome
                .results
                .content_by_mime_type
                .iter()
                .map(|(mime, text)| (mime.clone(), Value::from(text.as_str())))
                .collect();
            let content = json!({ "execution_count": count, "data": data, "metadata": {} });
            self.shell.publisher.publish_for(request, "execute_result", content).await;
        }
        if outcome.results.timing.is_some() {
            let data = json!({ "text/plain": outcome.timing.sentence() });
            self.shell
                .publisher
                .publish_for(
                    request,
                    "display_data",
                    json!({ "data": data, "metadata": {}, "transient": {} }),
                )
                .await;
        }
    }

    /// Evaluates each expression like a cell, in the order given. The answer is its value or its
    /// error.
    async fn user_expressions(&self, request: &Request) -> Value {
        let mut answers = Map::new();
        let Some(expressions) = request.content["user_expressions"].as_object() else {
            return Value::Object(answers);
        };
        for (name, expression) in expressions {
            let Some(expression) = expression.as_str() else { continue };
            let cell = Cell {
                execution_count: self.execution_count,
                silent: true,
                capture: true,
                ..Cell::default()
            };
            let answer = match self.run(expression.to_owned(), cell).await {
                Ok(Outcome { failure: Some(failure), .. }) => failure.content_with_status(),
                Ok(outcome) => {
                    let data = outcome.captured.unwrap_or_else(|| json!({}));
                    json!({ "status": "ok", "data": data, "metadata": {} })
                }
                Err(error) => self.engine_failure(&error).content_with_status(),
            };
            answers.insert(name.clone(), answer);
        }
        Value::Object(answers)
    }

    fn engine_failure(&self, error: &anyhow::Error) -> Failure {
        let reason = self.shell.engine_failure.lock().ok().and_then(|reason| reason.clone());
        Failure::new("EngineError", reason.unwrap_or_else(|| format!("{error:#}")), Vec::new())
    }
}
