//! Shows what is being measured, on stderr, because stdout is for the results.

use std::io::{IsTerminal, Write};

/// One line that is overwritten on a terminal, plain lines elsewhere.
pub struct StatusLine {
    terminal: bool,
}

impl StatusLine {
    pub fn new() -> StatusLine {
        StatusLine { terminal: std::io::stderr().is_terminal() }
    }

    pub fn show(&self, text: &str) {
        let mut stderr = std::io::stderr().lock();
        // Errors are ignored: progress is not important.
        let _ = match self.terminal {
            true => write!(stderr, "\r\x1b[K{}", text.chars().take(78).collect::<String>()),
            false => writeln!(stderr, "{text}"),
        };
        let _ = stderr.flush();
    }

    /// Erases the last line.
    pub fn clear(&self) {
        if self.terminal {
            let _ = write!(std::io::stderr(), "\r\x1b[K");
        }
    }
}
