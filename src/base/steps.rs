//! Progress of the set-up on stderr: one line per step, the progress inside the step, and its
//! result.

use crate::base::log::log;
use std::io::{IsTerminal, Write, stderr};
use std::time::{Duration, Instant};

/// How often a long step prints its progress if stderr is not a terminal.
const PLAIN_INTERVAL: Duration = Duration::from_secs(10);

/// Numbered steps. On a terminal, the progress inside a step is one line that is rewritten;
/// elsewhere it is an occasional line.
pub struct Steps {
    total: usize,
    number: usize,
    terminal: bool,
    began: Instant,
    printed: Instant,
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
            printed: now,
            live_line: false,
        }
    }

    pub fn begin(&mut self, title: &str) {
        self.number += 1;
        self.began = Instant::now();
        self.printed = self.began;
        log!("[{}/{}] {title}", self.number, self.total);
    }

    /// Shows progress inside the step.
    pub fn inside(&mut self, what: &str) {
        let seconds = self.began.elapsed().as_secs();
        if self.terminal {
            // A wrapped line could not be rewritten.
            let what: String = what.chars().take(60).collect();
            eprint!("\r\x1b[K      {what} ({seconds} s)");
            let _ = stderr().flush();
            self.live_line = true;
        } else if self.printed.elapsed() >= PLAIN_INTERVAL {
            log!("      {what} ({seconds} s)");
            self.printed = Instant::now();
        }
    }

    /// Prints the step's result, with its time if it took a second or more.
    pub fn done(&mut self, result: &str) {
        self.clear();
        let elapsed = self.began.elapsed();
        if elapsed >= Duration::from_secs(1) {
            log!("      {result} ({:.0} s)", elapsed.as_secs_f64());
        } else {
            log!("      {result}");
        }
    }

    /// Prints a line that stays, before the step ends.
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
    /// A following error message must start on a new line.
    fn drop(&mut self) {
        self.clear();
    }
}
