//! From what the user process writes to what the front end shows.
//!
//! [`relay`] reads packets from the user process and calls the methods of [`Outputs`], which
//! decides what they mean: ordinary text, rich output, the engine's markers, a panic. Order is kept
//! throughout: one lock, one queue to the front end.

mod bundle;
mod markers;
pub mod relay;
pub mod source;
mod stream;
mod text;

use crate::engine::user_process::wire::{Address, PanicReport, RunReply, Usage};
use crate::kernel::protocol::iopub::Publisher;
use bundle::Held;
use markers::{Markers, Piece};
use serde_json::{Value, json};
use source::Sources;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::time::{Duration, Instant};
use stream::{Name, Streams};

/// MIME type of the messages by which helpers reach beyond plain rich output; see
/// `helpers/src/display`.
const MESSAGE_MIME: &str = "application/vnd.parcourse.message+json";

/// What a cell is, as far as its output is concerned.
#[derive(Debug, Clone, Default)]
pub struct Cell {
    pub execution_count: u64,
    /// No results are published, as the protocol's `silent` asks.
    pub silent: bool,
    /// Whether the cell ends with an expression, whose value is its result.
    pub ends_with_expression: bool,
    /// Nothing is shown; the result is handed to whoever asked, in [`Ending::captured`].
    pub capture: bool,
}

/// How the cell's code left, as far as its output tells.
#[derive(Debug, Clone, Default)]
pub struct Ending {
    /// The cell's own code panicked; the report is missing when the panic hook was replaced.
    pub panicked: bool,
    pub panic: Option<PanicReport>,
    /// The cell was left through `?`: the error's text and the stack at that point.
    pub error: Option<(String, Vec<Address>)>,
    /// A helper stopped because it was asked to.
    pub interrupted: bool,
    /// What the run cost, when it came to its end, as the user process measured it.
    pub usage: Option<Usage>,
    /// How long the user process ran code until it died.
    pub ran_until_death: Option<Duration>,
    /// The last text on stderr, for naming the cause of a death.
    pub last_stderr: String,
    /// The result's MIME bundle, where the cell was executed for it.
    pub captured: Option<Value>,
}

/// Asks the user for a line: prompt, whether it is a password. `None` when nobody can be asked.
pub type InputReader = dyn Fn(&str, bool) -> Option<String> + Send + Sync;

/// All output of the user process. Methods are called in the order of the program's output.
pub struct Outputs {
    state: Mutex<State>,
    publisher: Publisher,
    sources: Arc<Sources>,
    input: Box<InputReader>,
    /// How many bytes of text one cell may show.
    limit: AtomicUsize,
    /// How many user processes have died, and a signal when one does.
    deaths: (Mutex<u64>, Condvar),
}

#[derive(Default)]
struct State {
    cell: Cell,
    markers: Markers,
    streams: Streams,
    held: Option<Held>,
    ending: Ending,
    /// A panic of the cell's own thread that the cell may still survive; shown when it does.
    unconfirmed: Option<PanicReport>,
    /// The last panic of any thread, which may have been passed on to the cell.
    last_panic: Option<PanicReport>,
    prompt: Option<(String, bool)>,
    begun: Option<Instant>,
    /// Lines for the engine at the end of this run.
    lines: Vec<String>,
}

impl Outputs {
    pub fn new(publisher: Publisher, sources: Arc<Sources>, input: Box<InputReader>) -> Outputs {
        // Until the first cell, the engine tries itself out; nobody wants to see that.
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

    /// Sets how many bytes of text one cell may show.
    pub fn set_limit(&self, bytes: usize) {
        self.limit.store(bytes, Ordering::Relaxed);
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }

    /// A cell is about to be compiled and run.
    pub fn begin_cell(&self, cell: Cell) {
        let state = &mut *self.lock();
        // What threads of an earlier cell have printed meanwhile.
        self.flush_held(state, false);
        if !state.cell.capture {
            state.streams.finish(&self.publisher);
        }
        let limit = if cell.capture { 0 } else { self.limit.load(Ordering::Relaxed) };
        *state = State { cell, streams: Streams::with_budget(limit), ..State::default() };
    }

    /// The cell is over, run or not: shows what is left and tells how it ended.
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

    /// When the current run of user code began, if one is under way.
    pub fn running_since(&self) -> Option<Instant> {
        self.lock().begun
    }

    /// Shows text of the kernel's own on a stream of the cell.
    pub fn note(&self, text: &str) {
        let state = &mut *self.lock();
        self.flush_held(state, false);
        state.streams.push(Name::Stderr, text.as_bytes(), &self.publisher);
    }

    /// Shows a line of the kernel's own, updated in place.
    pub fn show_progress(&self, display_id: &str, text: &str, first: bool) {
        let state = &mut *self.lock();
        if !state.cell.capture {
            let kind = if first { "display_data" } else { "update_display_data" };
            let content = json!({ "data": { "text/plain": text }, "metadata": {}, "transient": { "display_id": display_id } });
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
        // Now, and not when the engine has noticed: until then the result might be taken for
        // something that was shown earlier.
        let ended_well = !state.ending.panicked && state.ending.error.is_none();
        self.flush_held(state, ended_well);
        state.ending.usage = Some(usage);
        state.begun = None;
        RunReply { lines: std::mem::take(&mut state.lines) }
    }

    /// The user process died.
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

    /// How many user processes have died and been read to their end.
    pub fn deaths(&self) -> u64 {
        *self.deaths.0.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }

    /// Waits until one more than `seen` has died; not for ever.
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
        // Stdout came first, even if it ended like the beginning of a marker.
        if let Some(rest) = state.markers.flush() {
            self.piece(state, rest);
        }
        self.survived(state);
        self.flush_held(state, false);
        state.streams.push(Name::Stderr, bytes, &self.publisher);
    }

    fn piece(&self, state: &mut State, piece: Piece) {
        match piece {
            Piece::Text(bytes) => {
                self.survived(state);
                self.flush_held(state, false);
                state.streams.push(Name::Stdout, &bytes, &self.publisher);
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

    /// An early return through `?` is under way; its text was the last on stderr. An empty trace
    /// comes first, since a trace takes time.
    fn error_trace(&self, trace: Vec<Address>) {
        let state = &mut *self.lock();
        let (_, known) =
            state.ending.error.get_or_insert_with(|| (state.streams.take_error_text(), Vec::new()));
        *known = trace;
    }

    /// The program went on after a panic of the cell's thread, so it was caught: show it as Rust
    /// does.
    fn survived(&self, state: &mut State) {
        if let Some(report) = state.unconfirmed.take() {
            self.show_panic(state, &report);
            state.last_panic = Some(report);
        }
    }

    fn show_panic(&self, state: &mut State, report: &PanicReport) {
        self.flush_held(state, false);
        let place = self.sources.describe(&report.file, report.line);
        let thread = if report.thread.is_empty() { "<unnamed>" } else { &report.thread };
        let text = format!(
            "thread '{thread}' panicked at {place}:\n{}\n",
            self.sources.with_cells(&report.message)
        );
        state.streams.push(Name::Stderr, text.as_bytes(), &self.publisher);
    }

    fn input(&self) -> Option<String> {
        let (prompt, password) = {
            let state = &mut *self.lock();
            self.flush_held(state, false);
            state.streams.flush(&self.publisher);
            state.prompt.take().unwrap_or_default()
        };
        // Not under the lock: the answer may take for ever, and other threads of the program may
        // print meanwhile.
        (self.input)(&prompt, password)
    }

    /// Called after each packet, and every few milliseconds while none comes: then the program is
    /// `idle`.
    fn tick(&self, idle: bool) {
        let state = &mut *self.lock();
        // While more comes, it may be the rest of the same value or of a marker.
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
            state.held = Some(Held::default());
        }
        if let Some(held) = &mut state.held {
            held.insert(mime, body);
        }
    }

    /// Publishes the bundle that is being collected, as the cell's result when it ends the cell.
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

    /// A helper's message; what cannot be understood is shown as text, since something must be
    /// wrong.
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
            // The value of the last expression follows; what was displayed before it has been shown
            // above.
            (Some("result"), _) => {}
            (Some("interrupted"), _) => state.ending.interrupted = true,
            _ => state.streams.push(Name::Stdout, format!("{body}\n").as_bytes(), &self.publisher),
        }
    }
}
