//! Turns the user process's output into messages for the front end.
//!
//! [`relay`] reads packets from the user process and calls the methods of [`Outputs`], which
//! interprets them: ordinary text, rich output, the engine's markers, panics. One lock and one
//! queue to the front end keep everything in order.

mod bundle;
mod markers;
pub mod relay;
pub mod source;
mod stream;
mod text;

use crate::engine::user_process::wire::{Address, PanicReport, RunReply, Usage};
use crate::kernel::protocol::iopub::Publisher;
use bundle::PendingBundle;
use markers::{Markers, Piece};
use serde_json::{Value, json};
use source::Sources;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::time::{Duration, Instant};
use stream::{StreamName, Streams};

/// MIME type of the messages by which helpers reach beyond plain rich output; see
/// `helpers/src/output`.
const MESSAGE_MIME: &str = "application/vnd.parcourse.message+json";

/// The properties of a cell that affect its output.
#[derive(Debug, Clone, Default)]
pub struct Cell {
    pub execution_count: u64,
    /// Whether to publish no results, as requested by the protocol's `silent`.
    pub silent: bool,
    /// Whether the cell ends with an expression, whose value is the result.
    pub ends_with_expression: bool,
    /// Whether to show nothing and return the result in [`Ending::captured`].
    pub capture: bool,
}

/// How the cell ended, as far as its output shows.
#[derive(Debug, Clone, Default)]
pub struct Ending {
    /// The cell's own code panicked. The report is missing if the program has replaced the panic
    /// hook.
    pub panicked: bool,
    pub panic: Option<PanicReport>,
    /// The cell returned early through `?`: the error's text and the stack at that point.
    pub error: Option<(String, Vec<Address>)>,
    /// A helper stopped because of an interrupt.
    pub interrupted: bool,
    /// The resources that the run used, if it came to its end, as measured by the user process.
    pub usage: Option<Usage>,
    /// How long the user process ran code until it died.
    pub ran_until_death: Option<Duration>,
    /// The last text on stderr, from which the cause of a death is read.
    pub last_stderr: String,
    /// The result's MIME bundle, if it was captured.
    pub captured: Option<Value>,
}

/// Asks the user for a line, given the prompt and whether it is a password. `None` if the front end
/// does not allow it.
pub type InputReader = dyn Fn(&str, bool) -> Option<String> + Send + Sync;

/// All output of the user process. The methods must be called in the order of the program's output.
pub struct Outputs {
    state: Mutex<State>,
    publisher: Publisher,
    sources: Arc<Sources>,
    input: Box<InputReader>,
    /// How many bytes of text one cell may print.
    limit: AtomicUsize,
    /// The number of user processes that have died, and a signal for each death.
    deaths: (Mutex<u64>, Condvar),
}

#[derive(Default)]
struct State {
    cell: Cell,
    markers: Markers,
    streams: Streams,
    held: Option<PendingBundle>,
    ending: Ending,
    /// A panic of the cell's own thread. If the cell catches it, it is shown.
    unconfirmed: Option<PanicReport>,
    /// The last panic of any thread, which may have been propagated to the cell.
    last_panic: Option<PanicReport>,
    prompt: Option<(String, bool)>,
    begun: Option<Instant>,
    /// Lines for the engine, to be sent at the end of this run.
    lines: Vec<String>,
}

impl Outputs {
    pub fn new(publisher: Publisher, sources: Arc<Sources>, input: Box<InputReader>) -> Outputs {
        // Before the first cell, hide the output of the engine's own test cell.
        let state = State {
            cell: Cell { capture: true, ..Cell::default() },
            streams: Streams::with_budget(0),
            ..State::default()
        };
        Outputs {
            state: Mutex::new(state),
            publisher,
            sources,
            input,
            limit: AtomicUsize::new(usize::MAX),
            deaths: Default::default(),
        }
    }

    /// Sets how many bytes of text one cell may print.
    pub fn set_limit(&self, bytes: usize) {
        self.limit.store(bytes, Ordering::Relaxed);
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }

    /// Call this before a cell is compiled and run.
    pub fn begin_cell(&self, cell: Cell) {
        let state = &mut *self.lock();
        // Output that threads of an earlier cell have printed in the meantime.
        self.flush_held(state, false);
        if !state.cell.capture {
            state.streams.finish(&self.publisher);
        }
        let limit = if cell.capture { 0 } else { self.limit.load(Ordering::Relaxed) };
        *state = State { cell, streams: Streams::with_budget(limit), ..State::default() };
    }

    /// Call this when the cell is over, whether it ran or not. Shows the remaining output and
    /// returns how the cell ended.
    pub fn end_cell(&self) -> Ending {
        let state = &mut *self.lock();
        if let Some(report) = state.unconfirmed.take() {
            self.show_panic(state, &report);
        }
        let ended_well = !state.ending.panicked && state.ending.error.is_none();
        self.flush_held(state, ended_well);
        state.ending.last_stderr = state.streams.last_stderr();
        if !state.cell.capture {
            state.streams.finish(&self.publisher);
        }
        std::mem::take(&mut state.ending)
    }

    /// When the current run of user code began, if there is one.
    pub fn running_since(&self) -> Option<Instant> {
        self.lock().begun
    }

    /// Shows the kernel's own text on the cell's stderr.
    pub fn note(&self, text: &str) {
        let state = &mut *self.lock();
        self.flush_held(state, false);
        state.streams.push(StreamName::Stderr, text.as_bytes(), &self.publisher);
    }

    /// Shows the kernel's own line, updated in place.
    pub fn show_progress(&self, display_id: &str, text: &str, first: bool) {
        let state = &mut *self.lock();
        if !state.cell.capture {
            let kind = if first { "display_data" } else { "update_display_data" };
            let content = json!({
                "data": { "text/plain": text },
                "metadata": {},
                "transient": { "display_id": display_id },
            });
            self.publisher.publish(kind, content);
        }
    }

    fn begin_run(&self) {
        self.sources.reload();
        let state = &mut *self.lock();
        state.lines.clear();
        state.begun = Some(Instant::now());
    }

    fn end_run(&self, usage: Usage) -> RunReply {
        let state = &mut *self.lock();
        if let Some(rest) = state.markers.finish() {
            self.piece(state, rest);
        }
        // Do this now and not when the engine notices the end, or the result might time out and be
        // shown as displayed output.
        let ended_well = !state.ending.panicked && state.ending.error.is_none();
        self.flush_held(state, ended_well);
        state.ending.usage = Some(usage);
        state.begun = None;
        RunReply { lines: std::mem::take(&mut state.lines) }
    }

    /// Call this when the user process has died.
    fn died(&self) {
        let state = &mut *self.lock();
        if let Some(rest) = state.markers.finish() {
            self.piece(state, rest);
        }
        state.ending.ran_until_death = state.begun.take().map(|begun| begun.elapsed());
        let (deaths, changed) = &self.deaths;
        *deaths.lock().unwrap_or_else(|poisoned| poisoned.into_inner()) += 1;
        changed.notify_all();
    }

    /// The number of user processes that have died and whose output was read to the end.
    pub fn deaths(&self) -> u64 {
        *self.deaths.0.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }

    /// Waits until more than `seen` user processes have died, for at most a second.
    pub fn wait_for_death_after(&self, seen: u64) {
        let (deaths, changed) = &self.deaths;
        let guard = deaths.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        drop(changed.wait_timeout_while(guard, Duration::from_secs(1), |deaths| *deaths <= seen));
    }

    fn stdout(&self, bytes: &[u8]) {
        let state = &mut *self.lock();
        for piece in state.markers.push(bytes) {
            self.piece(state, piece);
        }
    }

    fn stderr(&self, bytes: &[u8]) {
        let state = &mut *self.lock();
        // Stdout came first, even if it ended with what could be the beginning of a marker.
        if let Some(rest) = state.markers.flush() {
            self.piece(state, rest);
        }
        self.survived(state);
        self.flush_held(state, false);
        state.streams.push(StreamName::Stderr, bytes, &self.publisher);
    }

    fn piece(&self, state: &mut State, piece: Piece) {
        match piece {
            Piece::Text(bytes) => {
                self.survived(state);
                self.flush_held(state, false);
                state.streams.push(StreamName::Stdout, &bytes, &self.publisher);
            }
            Piece::Content { mime, body } if mime == MESSAGE_MIME => self.message(state, &body),
            Piece::Content { mime, body } => self.content(state, &mime, &body),
            Piece::Panicked => {
                state.ending.panicked = true;
                state.ending.panic = state.unconfirmed.take().or_else(|| state.last_panic.take());
                state.lines.push("EVCXR_PANIC_NOTIFICATION".to_owned());
            }
            Piece::ErrorReturned => {
                if state.ending.error.is_none() {
                    state.ending.error = Some((state.streams.take_error_text(), Vec::new()));
                }
                state.lines.push("EVCXR_ERROR_OCCURRED".to_owned());
            }
            Piece::VariableLost(line) => state.lines.push(line),
            Piece::InputRequest { prompt, password } => state.prompt = Some((prompt, password)),
        }
    }

    fn panic(&self, report: PanicReport) {
        let state = &mut *self.lock();
        self.survived(state);
        if report.main {
            state.unconfirmed = Some(report);
        } else {
            self.show_panic(state, &report);
            state.last_panic = Some(report);
        }
    }

    /// Records an early return through `?`. Its text was the last on stderr. An empty trace comes
    /// first, because collecting a trace takes time.
    fn error_trace(&self, trace: Vec<Address>) {
        let state = &mut *self.lock();
        let (_, known) =
            state.ending.error.get_or_insert_with(|| (state.streams.take_error_text(), Vec::new()));
        *known = trace;
    }

    /// The program has continued after a panic of the cell's thread, so it has caught the panic:
    /// show it as Rust does.
    fn survived(&self, state: &mut State) {
        if let Some(report) = state.unconfirmed.take() {
            self.show_panic(state, &report);
            state.last_panic = Some(report);
        }
    }

    fn show_panic(&self, state: &mut State, report: &PanicReport) {
        self.flush_held(state, false);
        let location = self.sources.describe(&report.file, report.line);
        let thread = if report.thread.is_empty() { "<unnamed>" } else { &report.thread };
        let text = format!(
            "thread '{thread}' panicked at {location}:\n{}\n",
            self.sources.with_cells(&report.message)
        );
        state.streams.push(StreamName::Stderr, text.as_bytes(), &self.publisher);
    }

    fn input(&self) -> Option<String> {
        let (prompt, password) = {
            let state = &mut *self.lock();
            self.flush_held(state, false);
            state.streams.flush(&self.publisher);
            state.prompt.take().unwrap_or_default()
        };
        // Without the lock, because the user may take any time to answer, and other threads of the
        // program may print meanwhile.
        (self.input)(&prompt, password)
    }

    /// Called after each packet, and with `idle` every few milliseconds if no packet arrives.
    fn tick(&self, idle: bool) {
        let state = &mut *self.lock();
        // While packets arrive, they may be the rest of the same value or of a marker.
        if idle {
            let due = state
                .held
                .as_ref()
                .is_some_and(|held| held.is_due(state.cell.ends_with_expression));
            if due && !state.markers.is_inside_block() {
                self.flush_held(state, false);
            }
            if let Some(rest) = state.markers.flush() {
                self.piece(state, rest);
            }
        }
        if state.streams.is_due() {
            state.streams.flush(&self.publisher);
        }
    }

    fn content(&self, state: &mut State, mime: &str, body: &str) {
        self.survived(state);
        if !state.held.as_ref().is_some_and(|held| held.accepts(mime)) {
            self.flush_held(state, false);
            state.held = Some(PendingBundle::default());
        }
        if let Some(held) = &mut state.held {
            held.insert(mime, body);
        }
    }

    /// Publishes the pending bundle, as the cell's result if `ends_cell` is set and the cell ends
    /// with an expression.
    fn flush_held(&self, state: &mut State, ends_cell: bool) {
        let Some(held) = state.held.take() else { return };
        state.streams.flush(&self.publisher);
        let data = held.into_data();
        if state.cell.capture {
            state.ending.captured = Some(data);
        } else if !(ends_cell && state.cell.ends_with_expression) {
            self.publisher
                .publish("display_data", json!({ "data": data, "metadata": {}, "transient": {} }));
        } else if !state.cell.silent {
            let count = state.cell.execution_count;
            self.publisher.publish(
                "execute_result",
                json!({ "execution_count": count, "data": data, "metadata": {} }),
            );
        }
    }

    /// Handles a message of the helper crate. Shows an unknown message as text, because something
    /// must be wrong.
    fn message(&self, state: &mut State, body: &str) {
        self.survived(state);
        self.flush_held(state, false);
        let message: Value = serde_json::from_str(body).unwrap_or_default();
        let data = message["data"].as_object().map(bundle::data_of);
        let metadata = message
            .get("metadata")
            .filter(|value| value.is_object())
            .cloned()
            .unwrap_or_else(|| json!({}));
        let transient = match message["display_id"].as_str() {
            Some(id) => json!({ "display_id": id }),
            None => json!({}),
        };
        match (message["msg"].as_str(), data) {
            (Some(kind @ ("display_data" | "update_display_data")), Some(data)) => {
                state.streams.flush(&self.publisher);
                self.publisher.publish(
                    kind,
                    json!({ "data": data, "metadata": metadata, "transient": transient }),
                );
            }
            (Some("clear_output"), _) => {
                state.streams.flush(&self.publisher);
                self.publisher.publish(
                    "clear_output",
                    json!({ "wait": message["wait"].as_bool().unwrap_or(false) }),
                );
            }
            // The value of the last expression follows. What was displayed before it was published
            // above.
            (Some("result"), _) => {}
            (Some("interrupted"), _) => state.ending.interrupted = true,
            _ => state.streams.push(
                StreamName::Stdout,
                format!("{body}\n").as_bytes(),
                &self.publisher,
            ),
        }
    }
}
