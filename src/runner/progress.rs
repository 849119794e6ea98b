//! Shows progress: one live line per running notebook on a terminal, plain lines elsewhere.

use std::io::{IsTerminal, Write};
use std::time::{Duration, Instant};

/// How progress is shown.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Mode {
    Quiet,
    Plain,
    Live,
}

/// The progress display. Everything goes to stdout; live lines stay below permanent output.
pub struct Progress {
    mode: Mode,
    lines: Vec<Line>,
    /// Number of live lines on the screen.
    drawn: usize,
}

/// A running notebook.
struct Line {
    notebook: usize,
    name: String,
    started: Instant,
    doing: String,
}

impl Progress {
    pub fn new(quiet: bool) -> Progress {
        let mode = match (quiet, std::io::stdout().is_terminal()) {
            (true, _) => Mode::Quiet,
            (false, true) => Mode::Live,
            (false, false) => Mode::Plain,
        };
        Progress { mode, lines: Vec::new(), drawn: 0 }
    }

    /// Shows work before the first kernel starts, as a live line that the next one replaces.
    pub fn preparing(&mut self, doing: &str) {
        match self.mode {
            Mode::Quiet => {}
            Mode::Plain => self.print(doing),
            Mode::Live => {
                let mut out = self.erasure();
                out.extend(
                    doing
                        .chars()
                        .filter(|c| !c.is_control())
                        .take(terminal_width().saturating_sub(1)),
                );
                out.push('\n');
                self.drawn = 1;
                write(&out);
            }
        }
    }

    /// A kernel is starting for a notebook.
    pub fn starting(&mut self, notebook: usize, name: &str) {
        self.lines.push(Line {
            notebook,
            name: name.to_string(),
            started: Instant::now(),
            doing: "starting the kernel".to_string(),
        });
        self.redraw();
    }

    /// The kernel is ready and waits for its turn.
    pub fn ready(&mut self, notebook: usize) {
        self.set(notebook, "kernel ready".to_string());
    }

    pub fn cell(&mut self, notebook: usize, number: usize, count: usize, source: &str) {
        let first = source.lines().find(|line| !line.trim().is_empty()).unwrap_or_default().trim();
        self.set(notebook, format!("cell {number} of {count}: {first}"));
    }

    fn set(&mut self, notebook: usize, doing: String) {
        if let Some(line) = self.lines.iter_mut().find(|line| line.notebook == notebook) {
            (line.doing, line.started) = (doing, Instant::now());
        }
        self.redraw();
    }

    /// Prints a message while the notebook is still running.
    pub fn note(&mut self, text: &str) {
        if self.mode != Mode::Quiet {
            self.print(text);
        }
    }

    /// A notebook is done: replaces its live line by `result`.
    pub fn finished(&mut self, notebook: usize, result: &str) {
        self.lines.retain(|line| line.notebook != notebook);
        self.note(result);
    }

    /// Prints a permanent line.
    fn print(&mut self, text: &str) {
        let mut out = self.erasure();
        out.push_str(text);
        out.push('\n');
        write(&out);
        self.redraw();
    }

    /// Redraws the live lines to update the elapsed times.
    pub fn redraw(&mut self) {
        if self.mode != Mode::Live {
            return;
        }
        let mut out = self.erasure();
        let width = terminal_width();
        for line in &self.lines {
            let text = format!(
                "{:>4.0} s  {}  {}",
                line.started.elapsed().as_secs_f64(),
                line.name,
                line.doing
            );
            out.extend(text.chars().filter(|c| !c.is_control()).take(width.saturating_sub(1)));
            out.push('\n');
        }
        self.drawn = self.lines.len();
        write(&out);
    }

    /// Removes the live lines from the screen.
    pub fn clear(&mut self) {
        write(&self.erasure());
    }

    fn erasure(&mut self) -> String {
        match std::mem::take(&mut self.drawn) {
            0 => String::new(),
            drawn => format!("\x1b[{drawn}A\r\x1b[J"),
        }
    }
}

/// Errors are ignored, because a closed pipe (`| head`) is not a failure.
fn write(text: &str) {
    let mut stdout = std::io::stdout().lock();
    let _ = stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush());
}

fn terminal_width() -> usize {
    // SAFETY: the structure is only written to, and read after success.
    let (result, size) = unsafe {
        let mut size: libc::winsize = std::mem::zeroed();
        (libc::ioctl(libc::STDOUT_FILENO, libc::TIOCGWINSZ, &mut size), size)
    };
    if result == 0 && size.ws_col > 0 { usize::from(size.ws_col) } else { 80 }
}

/// Formats a duration.
pub fn seconds(duration: Duration) -> String {
    match duration.as_secs_f64() {
        seconds if seconds < 60.0 => format!("{seconds:.1} s"),
        seconds => format!("{} min {:02.0} s", (seconds / 60.0).floor(), (seconds % 60.0).floor()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seconds_become_minutes() {
        assert_eq!(seconds(Duration::from_millis(1_250)), "1.2 s");
        assert_eq!(seconds(Duration::from_millis(59_900)), "59.9 s");
        assert_eq!(seconds(Duration::from_secs(125)), "2 min 05 s");
    }
}
