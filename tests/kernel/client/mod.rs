//! A Jupyter client for one kernel process, with blocking calls.
//!
//! Content is always JSON, so that tests see what was on the wire and not a library's
//! interpretation. Messages from all sockets go into one queue, with the time of their arrival.

mod cell;
mod process;
mod wire;

pub use cell::Cell;
pub use process::Setup;
pub use wire::{Channel, Received};

use crate::support::Sandbox;
use serde_json::{Value, json};
use std::collections::VecDeque;
use std::path::PathBuf;
use std::process::Child;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

/// How long anything may take on a busy machine.
pub const LONG: Duration = Duration::from_secs(120);

/// Makes a cell wait until the test opens it.
pub struct Gate(PathBuf);

impl Gate {
    pub fn new(kernel: &Kernel, name: &str) -> Gate {
        Gate(kernel.sandbox.path(name))
    }

    /// The statement with which a cell waits.
    pub fn wait(&self) -> String {
        format!(
            "while !std::path::Path::new({:?}).exists() {{ \
             std::thread::sleep(std::time::Duration::from_millis(1)); }}",
            self.0
        )
    }

    pub fn open(&self) {
        std::fs::write(&self.0, "").unwrap();
    }
}

/// A kernel process and the sockets to it. Killed when dropped.
pub struct Kernel {
    pub child: Child,
    pub sandbox: std::sync::Arc<Sandbox>,
    pub connection: jupyter_protocol::ConnectionInfo,
    pub log: std::path::PathBuf,
    sockets: wire::Sockets,
    incoming: Receiver<Received>,
    /// Messages that arrived while the test waited for something else.
    waiting: VecDeque<Received>,
}

impl Kernel {
    /// Starts a kernel in the notebooks' folder and waits until it is ready.
    pub fn start() -> Kernel {
        Setup::default().start()
    }

    pub fn pid(&self) -> i32 {
        self.child.id() as i32
    }

    /// Sends a message and returns its id.
    pub fn send(&self, channel: Channel, kind: &str, content: Value) -> String {
        self.sockets.send(channel, kind, content)
    }

    /// Sends frames unchanged.
    pub fn send_frames(&self, channel: Channel, frames: Vec<Vec<u8>>) {
        self.sockets.send_frames(channel, frames);
    }

    /// The frames of a valid, signed message.
    pub fn frames(&self, kind: &str, content: Value) -> Vec<Vec<u8>> {
        self.sockets.frames(kind, content)
    }

    /// The first message, received already or not, for which `wanted` returns true.
    pub fn wait_for(
        &mut self,
        what: &str,
        limit: Duration,
        mut wanted: impl FnMut(&Received) -> bool,
    ) -> Received {
        if let Some(at) = self.waiting.iter().position(&mut wanted) {
            return self.waiting.remove(at).unwrap();
        }
        let deadline = Instant::now() + limit;
        loop {
            match self.incoming.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
                Ok(message) if wanted(&message) => return message,
                Ok(message) => self.waiting.push_back(message),
                Err(RecvTimeoutError::Timeout) => {
                    panic!("no {what} within {limit:?}; the kernel's log:\n{}", self.log())
                }
                Err(RecvTimeoutError::Disconnected) => {
                    panic!("the connection to the kernel was closed; its log:\n{}", self.log())
                }
            }
        }
    }

    /// Whether a message for which `wanted` returns true arrives within the given time.
    pub fn comes(&mut self, limit: Duration, wanted: impl Fn(&Received) -> bool) -> bool {
        let deadline = Instant::now() + limit;
        while let Ok(message) =
            self.incoming.recv_timeout(deadline.saturating_duration_since(Instant::now()))
        {
            self.waiting.push_back(message);
        }
        self.waiting.iter().any(wanted)
    }

    /// Sends a request and returns the content of its reply.
    pub fn ask(&mut self, channel: Channel, kind: &str, content: Value) -> Value {
        let id = self.send(channel, kind, content);
        self.wait_for(&format!("reply to {kind}"), LONG, |message| {
            message.channel == channel && message.parent == id
        })
        .content
    }

    /// Executes a cell to its end.
    pub fn execute(&mut self, code: &str) -> Cell {
        self.execute_with(code, json!({}))
    }

    /// Executes a cell, with additional fields in the request.
    pub fn execute_with(&mut self, code: &str, fields: Value) -> Cell {
        let id = self.begin_with(code, fields);
        self.finish(&id)
    }

    /// Executes a cell that must succeed.
    pub fn ok(&mut self, code: &str) -> Cell {
        let cell = self.execute(code);
        assert_eq!(cell.status(), "ok", "{code}\n{}", cell.all_output());
        cell
    }

    /// Executes a cell that must fail.
    pub fn fails(&mut self, code: &str) -> Cell {
        let cell = self.execute(code);
        assert_eq!(cell.status(), "error", "{code}\n{}", cell.all_output());
        cell
    }

    /// Sends a cell and returns at once.
    pub fn begin(&mut self, code: &str) -> String {
        self.begin_with(code, json!({}))
    }

    pub fn begin_with(&mut self, code: &str, fields: Value) -> String {
        let mut content = json!({
            "code": code, "silent": false, "store_history": true, "user_expressions": {}, "allow_stdin": false, "stop_on_error": true,
        });
        for (name, value) in fields.as_object().unwrap() {
            content[name] = value.clone();
        }
        self.send(Channel::Shell, "execute_request", content)
    }

    /// Waits until a cell is over: both its reply and its `idle` have arrived.
    pub fn finish(&mut self, id: &str) -> Cell {
        self.finish_within(id, LONG)
    }

    pub fn finish_within(&mut self, id: &str, limit: Duration) -> Cell {
        let deadline = Instant::now() + limit;
        let mut cell = Cell::default();
        while !(cell.is_replied() && cell.is_idle()) {
            let left = deadline.saturating_duration_since(Instant::now());
            let message = self.wait_for("end of the cell", left, |message| message.parent == id);
            cell.take(message);
        }
        cell
    }

    /// Waits for text on a stream of a running cell. The messages so far are kept for
    /// [`Kernel::finish`].
    pub fn wait_for_text(&mut self, id: &str, text: &str) {
        let mut seen = String::new();
        let mut put_back = VecDeque::new();
        while !seen.contains(text) {
            let message =
                self.wait_for(&format!("text {text:?} (so far {seen:?})"), LONG, |message| {
                    message.parent == id
                });
            if message.kind == "stream" {
                seen += message.content["text"].as_str().unwrap();
            }
            let over = message.kind == "status" && message.content["execution_state"] == "idle";
            put_back.push_back(message);
            assert!(!over || seen.contains(text), "the cell ended without {text:?}: {seen:?}");
        }
        put_back.append(&mut self.waiting);
        self.waiting = put_back;
    }

    /// Requests an interrupt and waits for the reply.
    pub fn interrupt(&mut self) -> Value {
        self.ask(Channel::Control, "interrupt_request", json!({}))
    }

    /// The time from a heartbeat to its echo.
    pub fn heartbeat(&self) -> Duration {
        self.sockets.heartbeat()
    }

    /// A second client that subscribes to everything and never reads.
    pub fn subscribe_and_sleep(&self) -> impl Drop + use<> {
        self.sockets.subscribe_and_sleep()
    }

    /// The user process's id.
    pub fn user_process(&mut self) -> i32 {
        self.ok("std::process::id()").result().unwrap().parse().unwrap()
    }

    /// What the kernel wrote to its stderr.
    pub fn log(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap_or_default()
    }

    /// Requests a shutdown and checks that the kernel replies and ends.
    pub fn shut_down(&mut self) {
        let reply = self.ask(Channel::Control, "shutdown_request", json!({ "restart": false }));
        assert_eq!(reply, json!({ "status": "ok", "restart": false }));
        let status = crate::support::wait(&mut self.child, Duration::from_secs(20));
        assert_eq!(status.code(), Some(0), "{}", self.log());
    }
}

impl Drop for Kernel {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
