//! Gathers text on stdout and stderr into messages of reasonable size.

use super::text::Decoder;
use crate::kernel::protocol::iopub::Publisher;
use serde_json::json;
use std::time::{Duration, Instant};

/// How long text waits for more: short enough to look live, long enough that a loop of prints does
/// not flood the front end.
const FLUSH_INTERVAL: Duration = Duration::from_millis(15);
const MAX_MESSAGE: usize = 64 * 1024;
/// Writes to stderr within this time belong to the same error text.
const SAME_ERROR: Duration = Duration::from_millis(2);
/// How much of stderr is kept to determine the cause of a death.
const MAX_BURST: usize = 4096;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StreamName {
    Stdout,
    Stderr,
}

/// Both streams of one cell.
pub struct Streams {
    decoders: [Decoder; 2],
    /// Text that was not published yet, and when it began.
    pending: Option<(StreamName, String, Instant)>,
    /// The last burst on stderr, when it last grew, and where the last statement's text begins.
    burst: String,
    burst_at: Instant,
    statement: usize,
    budget: usize,
    limit: usize,
    dropped: usize,
}

impl Default for Streams {
    fn default() -> Streams {
        Streams::with_budget(usize::MAX)
    }
}

impl Streams {
    /// `limit`: how many bytes may be shown. The rest is counted and dropped.
    pub fn with_budget(limit: usize) -> Streams {
        let decoders = Default::default();
        Streams {
            decoders,
            pending: None,
            burst: String::new(),
            burst_at: Instant::now(),
            statement: 0,
            budget: limit,
            limit,
            dropped: 0,
        }
    }

    pub fn push(&mut self, name: StreamName, bytes: &[u8], publisher: &Publisher) {
        let text = self.decoders[name as usize].push(bytes);
        if name == StreamName::Stderr {
            self.remember(&text);
        }
        if self.budget == 0 {
            self.dropped += text.len();
            return;
        }
        let shown = text.floor_char_boundary(self.budget);
        self.budget = if shown < text.len() { 0 } else { self.budget - shown };
        self.dropped += text.len() - shown;
        match &mut self.pending {
            Some((pending, gathered, _)) if *pending == name => gathered.push_str(&text[..shown]),
            _ => {
                self.flush(publisher);
                self.pending = Some((name, text[..shown].to_owned(), Instant::now()));
            }
        }
        if self.pending.as_ref().is_some_and(|(_, gathered, _)| gathered.len() >= MAX_MESSAGE) {
            self.flush(publisher);
        }
    }

    fn remember(&mut self, text: &str) {
        if self.burst_at.elapsed() > SAME_ERROR {
            self.burst.clear();
        }
        self.burst_at = Instant::now();
        // A statement writes its pieces one by one, with the line end last.
        if self.burst.is_empty() || self.burst.ends_with('\n') {
            self.statement = self.burst.len();
        }
        self.burst.push_str(text);
        if self.burst.len() > MAX_BURST {
            let start = self.burst.ceil_char_boundary(self.burst.len() - MAX_BURST);
            self.burst.drain(..start);
            self.statement = self.statement.saturating_sub(start);
        }
    }

    pub fn is_due(&self) -> bool {
        self.pending.as_ref().is_none_or(|(_, _, since)| since.elapsed() >= FLUSH_INTERVAL)
    }

    pub fn flush(&mut self, publisher: &Publisher) {
        let Some((name, text, _)) = self.pending.take() else { return };
        if !text.is_empty() {
            let name = match name {
                StreamName::Stdout => "stdout",
                StreamName::Stderr => "stderr",
            };
            publisher.publish("stream", json!({ "name": name, "text": text }));
        }
    }

    /// Removes and returns the text that an error has just printed, because the error report will
    /// show it. What the program itself printed to stderr before stays.
    pub fn take_error_text(&mut self) -> String {
        let mut text = std::mem::take(&mut self.burst);
        let statement = text.get(self.statement..).unwrap_or_default();
        // `{:#?}` writes several lines, of which the last closes a bracket.
        if !statement.trim().is_empty() && !statement.starts_with(['}', ')', ']']) {
            text = statement.to_owned();
        }
        if let Some((StreamName::Stderr, pending, _)) = &mut self.pending
            && pending.ends_with(&text)
        {
            pending.truncate(pending.len() - text.len());
        }
        text.trim_end().to_owned()
    }

    pub fn last_stderr(&self) -> String {
        self.burst.trim_end().to_owned()
    }

    /// Call this at the end of the cell. Shows the rest, and how much was dropped.
    pub fn finish(&mut self, publisher: &Publisher) {
        for name in [StreamName::Stdout, StreamName::Stderr] {
            let rest = self.decoders[name as usize].finish();
            if !rest.is_empty() {
                self.push(name, rest.as_bytes(), publisher);
            }
        }
        self.flush(publisher);
        if self.dropped > 0 {
            let text = format!(
                "\n[output limit: {} shown, {} dropped; write large output to a file, or \
                 start the kernel with a larger --output-limit]\n",
                size(self.limit),
                size(self.dropped)
            );
            publisher.publish("stream", json!({ "name": "stdout", "text": text }));
            self.dropped = 0;
        }
    }
}

/// Formats a number of bytes.
fn size(bytes: usize) -> String {
    match bytes {
        0..1024 => format!("{bytes} bytes"),
        1024..1_048_576 => format!("{:.1} KiB", bytes as f64 / 1024.0),
        _ => format!("{:.1} MiB", bytes as f64 / 1_048_576.0),
    }
}
