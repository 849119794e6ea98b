//! What the set-up is doing, on stderr: one line per step and its result, and between them what
//! happens inside the step.

use crate::base::log::log;
use std::io::{IsTerminal, Write, stderr};
use std::time::{Duration, Instant};

/// Without a terminal, a step that takes long says so this often.
const PLAIN_INTERVAL: Duration = Duration::from_secs(10);

/// Numbered steps. On a terminal the inner progress is one line that is rewritten; otherwise a
/// plain line now and then.
pub struct Steps {
    total: usize,
    number: usize,
    terminal: bool,
    began: Instant,
    said: Instant,
    live_line: bool,
}

impl Steps {
    pub fn new(total: usize) -> Self {
        let now = Instant::now();
        Self {
            total,
            number: 0,
            terminal: stderr().is_terminal(),
            began: now,
            said: now,
            live_line: false,
        }
    }

    pub fn begin(&mut self, title: &str) {
        self.number += 1;
        self.began = Instant::now();
        self.said = self.began;
        log!("[{}/{}] {title}", self.number, self.total);
    }

    /// Shows what happens inside the step.
    pub fn inside(&mut self, what: &str) {
        let seconds = self.began.elapsed().as_secs();
        if self.terminal {
            // A line that wraps could not be rewritten.
            let what: String = what.chars().take(60).collect();
            eprint!("\r\x1b[K      {what} ({seconds} s)");
            let _ = stderr().flush();
            self.live_line = true;
        } else if self.said.elapsed() >= PLAIN_INTERVAL {
            log!("      {what} ({seconds} s)");
            self.said = Instant::now();
        }
    }

    /// Says how the step ended; with its time when that was worth noticing.
    pub fn done(&mut self, result: &str) {
        self.clear();
        let elapsed = self.began.elapsed();
        if elapsed >= Duration::from_secs(1) {
            log!("      {result} ({:.0} s)", elapsed.as_secs_f64());
        } else {
            log!("      {result}");
        }
    }

    /// Says something that stays, before the step ends.
    pub fn note(&mut self, what: &str) {
        self.clear();
        log!("      {what}");
    }

    fn clear(&mut self) {
        if std::mem::take(&mut self.live_line) {
            eprint!("\r\x1b[K");
        }
    }
}

impl Drop for Steps {
    /// An error message that follows must not be glued to a live line.
    fn drop(&mut self) {
        self.clear();
    }
}
