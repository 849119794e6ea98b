//! Cleans up the output of kernels and panics, for reports and comparisons.

use regex::Regex;
use std::sync::LazyLock;

/// Removes terminal colours and other escape sequences, and text overwritten after a carriage
/// return.
pub fn plain(text: &str) -> String {
    static ESCAPES: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new("\x1b\\[[0-9;?]*[ -/]*[@-~]|\x1b\\][^\x07\x1b]*(\x07|\x1b\\\\)?|\x1b.")
            .expect("a constant")
    });
    let text = ESCAPES.replace_all(text, "").replace("\r\n", "\n");
    let shown = |line: &str| {
        line.trim_end_matches('\r').rsplit('\r').next().unwrap_or_default().to_string()
    };
    text.split('\n').map(shown).collect::<Vec<_>>().join("\n")
}

static PANIC_HEAD: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"^thread '.*'( \(\d+\))? panicked at .*:$").expect("a constant"));
/// Lines that precede a backtrace, of a panic or from the engine's handler for fatal signals.
const FRAMES_FOLLOW: [&str; 5] = [
    "stack backtrace:",
    "Segmentation fault.",
    "Illegal instruction.",
    "Bus error.",
    "Unexpected signal.",
];

static FRAME: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"^\s+(\d+|at)\b").expect("a constant"));

/// Removes backtraces, which are about the runtime rather than the cell.
pub fn without_backtrace(stderr: &str) -> String {
    let mut kept = Vec::new();
    let mut in_frames = false;
    for line in stderr.lines() {
        if FRAMES_FOLLOW.contains(&line) {
            in_frames = true;
            kept.extend((line != FRAMES_FOLLOW[0]).then_some(line));
        } else if in_frames && FRAME.is_match(line)
            || line.starts_with("note: ") && (in_frames || line.contains("RUST_BACKTRACE"))
        {
            // Frames, and advice on frames.
        } else {
            in_frames = false;
            kept.push(line);
        }
    }
    kept.join("\n")
}

/// Removes panic reports from `stderr`: from `thread '…' panicked at …` to the end of the backtrace
/// or note.
pub fn without_surviving_panics(stderr: &str) -> String {
    let mut kept = Vec::new();
    let mut lines = stderr.lines().peekable();
    while let Some(line) = lines.next() {
        if !PANIC_HEAD.is_match(line) {
            kept.push(line);
            continue;
        }
        // The message may have several lines; it ends at the backtrace, the note, or the next
        // panic.
        while let Some(line) = lines.next_if(|line| !PANIC_HEAD.is_match(line)) {
            if line.starts_with("note: ") {
                break;
            }
            if line == "stack backtrace:" {
                while lines
                    .next_if(|line| FRAME.is_match(line) || line.starts_with("note: "))
                    .is_some()
                {}
                break;
            }
        }
    }
    kept.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    const PANIC: &str = "thread '<unnamed>' (77) panicked at src/lib.rs:9:5:\nlost\nmy \
        keys\nstack backtrace:\n   0: std::panicking\n             at /rustc/x.rs:1:2\n  \
                         12: core::ops\nnote: Some details are omitted, run with \
                         `RUST_BACKTRACE=full` for a verbose backtrace.";

    #[test]
    fn plain_text_is_what_a_terminal_would_show() {
        assert_eq!(plain("\x1b[31mred\x1b[0m\x1b]8;;http://x\x07link"), "redlink");
        assert_eq!(plain("10 %\r50 %\r100 %\ndone\r\n"), "100 %\ndone\n");
    }

    #[test]
    fn a_backtrace_is_folded_away() {
        assert_eq!(
            without_backtrace(PANIC),
            "thread '<unnamed>' (77) panicked at src/lib.rs:9:5:\nlost\nmy keys"
        );
        assert_eq!(
            without_backtrace(
                "Segmentation fault.\n   0: evcxr::runtime\n             at x.c:1\nend"
            ),
            "Segmentation fault.\nend"
        );
        assert_eq!(without_backtrace("a\n   1: not in a backtrace"), "a\n   1: not in a backtrace");
    }

    #[test]
    fn a_surviving_panic_leaves_nothing_and_hides_nothing() {
        assert_eq!(without_surviving_panics(PANIC), "");
        assert_eq!(without_surviving_panics(&format!("before\n{PANIC}\nafter")), "before\nafter");
        let short = "thread 'worker' panicked at src/lib.rs:1:1:\nno\nnote: run with \
            `RUST_BACKTRACE=1` environment variable to display a backtrace\nreal";
        assert_eq!(without_surviving_panics(short), "real");
    }
}
