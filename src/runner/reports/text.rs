//! The report on the terminal: each failure with its cell, and a summary line.

use crate::runner::Settings;
use crate::runner::execute::{CellResult, NotebookResult};
use crate::runner::notebook::Source;
use crate::runner::progress::seconds;
use crate::runner::verdict::{Failure, Verdict};
use std::fmt::Write;
use std::path::Path;
use std::time::Duration;

/// Longer details are shortened in the middle; JSON and the executed notebook have the full text.
const DETAIL_LINES: usize = 60;

/// Describes the failures of a notebook, or why it could not run, and how to reproduce them. Empty
/// if it passed.
pub fn failures(source: &Source, result: &NotebookResult, settings: &Settings) -> String {
    let mut report = what_failed(source, result);
    if !report.is_empty() {
        let _ = writeln!(report, "To reproduce: {}", command(&source.path, settings));
    }
    report
}

/// Describes the failures of a notebook, or why it could not run. Empty if it passed.
pub fn what_failed(source: &Source, result: &NotebookResult) -> String {
    let mut report = String::new();
    if let Some(error) = &result.could_not_run {
        let _ = writeln!(report, "\n=== {}: could not run\n{error}", source.name);
    }
    for cell in &result.cells {
        if let Verdict::Failed(failure) = &cell.verdict {
            report.push_str(&one_failure(source, result, cell, failure));
        }
    }
    report
}

/// Describes one failure, with the cell's source.
pub fn one_failure(
    source: &Source,
    result: &NotebookResult,
    cell: &CellResult,
    failure: &Failure,
) -> String {
    let mut report = String::new();
    let (name, number, count) = (&source.name, cell.cell.number, result.cells.len());
    let _ =
        writeln!(report, "\n=== {name}, code cell {number} of {count}: {}", failure.kind.name());
    for (index, line) in cell.cell.source.lines().enumerate() {
        let mark = if failure.line == Some(index + 1) { '>' } else { ' ' };
        let _ = writeln!(report, "{mark} {:>3} | {line}", index + 1);
    }
    let _ = writeln!(report, "{}", failure.summary);
    if failure.detail.trim() != failure.summary.trim() && !failure.detail.trim().is_empty() {
        let _ = writeln!(report, "\n{}", shortened(failure.detail.trim_end()));
    }
    report
}

fn shortened(text: &str) -> String {
    let lines: Vec<&str> = text.lines().collect();
    if lines.len() <= DETAIL_LINES {
        return text.to_string();
    }
    let half = DETAIL_LINES / 2;
    let cut = lines.len() - 2 * half;
    format!(
        "{}\n[… {cut} more lines …]\n{}",
        lines[..half].join("\n"),
        lines[lines.len() - half..].join("\n")
    )
}

/// The command that reproduces the run of this notebook.
pub fn command(path: &Path, settings: &Settings) -> String {
    let mut words = vec![
        "parcourse".to_string(),
        "run".to_string(),
        "--kernel".to_string(),
        settings.kernel.to_string(),
    ];
    for (name, value) in &settings.parameters {
        words.extend(["-p".to_string(), name.clone(), value.clone()]);
    }
    words.push(path.display().to_string());
    words.iter().map(|word| quoted(word)).collect::<Vec<_>>().join(" ")
}

/// Quotes a word for a POSIX shell.
fn quoted(word: &str) -> String {
    let harmless = |c: char| c.is_ascii_alphanumeric() || "-_./=:+,@%".contains(c);
    if !word.is_empty() && word.chars().all(harmless) {
        word.to_string()
    } else {
        crate::base::process::shell_quoted(word)
    }
}

/// The summary line.
pub fn summary(results: &[NotebookResult], wall: Duration) -> String {
    let count = |outcome: &str| results.iter().filter(|result| result.outcome() == outcome).count();
    let cells: usize = results.iter().map(|result| result.cells.len()).sum();
    let parts = [
        ("passed", count("passed")),
        ("failed", count("failed")),
        ("could not run", count("error")),
    ];
    let counts: Vec<String> = parts
        .iter()
        .filter(|(_, count)| *count > 0)
        .map(|(what, count)| format!("{count} {what}"))
        .collect();
    let notebooks = if results.len() == 1 { "notebook" } else { "notebooks" };
    let (open, solved) = results
        .iter()
        .map(NotebookResult::exercises)
        .fold((0, 0), |sum, one| (sum.0 + one.0, sum.1 + one.1));
    let exercises = if open + solved == 0 {
        String::new()
    } else {
        format!(", exercises {open} open and {solved} solved")
    };
    format!(
        "{} {notebooks}, {cells} code cells: {}{exercises}, {}",
        results.len(),
        counts.join(", "),
        seconds(wall)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_only_what_a_shell_would_misread() {
        assert_eq!(quoted("notebooks/00_welcome.ipynb"), "notebooks/00_welcome.ipynb");
        assert_eq!(quoted("it's here"), r"'it'\''s here'");
        assert_eq!(quoted(""), "''");
    }

    #[test]
    fn long_details_are_cut_in_the_middle() {
        let text = (1..=100).map(|number| number.to_string()).collect::<Vec<_>>().join("\n");
        let short = shortened(&text);
        assert!(short.starts_with("1\n2\n") && short.ends_with("\n99\n100"));
        assert!(short.contains("[… 40 more lines …]"));
    }
}
