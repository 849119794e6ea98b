//! Says what is being measured, on stderr: stdout belongs to the results.

use std::io::{IsTerminal, Write};

/// On a terminal one line that is replaced, elsewhere plain lines.
pub struct Telling {
    terminal: bool,
}

impl Telling {
    pub fn new() -> Telling {
        Telling { terminal: std::io::stderr().is_terminal() }
    }

    pub fn say(&self, text: &str) {
        let mut stderr = std::io::stderr().lock();
        // Nobody is harmed when nobody listens.
        let _ = match self.terminal {
            true => write!(stderr, "\r\x1b[K{}", text.chars().take(78).collect::<String>()),
            false => writeln!(stderr, "{text}"),
        };
        let _ = stderr.flush();
    }

    /// Takes the last line away.
    pub fn clear(&self) {
        if self.terminal {
            let _ = write!(std::io::stderr(), "\r\x1b[K");
        }
    }
}
