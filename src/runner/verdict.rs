//! Judges an executed cell by its tags.

use super::locate;
use crate::runner::KernelKind;
use crate::runner::comparison;
use crate::runner::comparison::text::{plain, without_backtrace, without_surviving_panics};
use crate::runner::kernel::session::{Ending, Execution};
use crate::runner::notebook::{CodeCell, Source};
use jupyter_protocol::ReplyStatus;

/// The verdict on one code cell.
#[derive(Debug, Clone)]
pub enum Verdict {
    /// Passed; for a cell that depends on an exercise, with the exercise's state.
    Passed(Option<Exercise>),
    /// Not run, and why.
    Skipped(&'static str),
    Failed(Failure),
}

/// The state of the exercise that a cell depends on. Both states are fine.
#[derive(Debug, Clone)]
pub enum Exercise {
    /// Not solved yet, with the failure that the learner sees.
    Open(Failure),
    Solved,
}

impl Exercise {
    /// The name used in reports.
    pub fn name(&self) -> &'static str {
        match self {
            Exercise::Open(_) => "open",
            Exercise::Solved => "solved",
        }
    }
}

/// Why a cell failed.
#[derive(Debug, Clone)]
pub struct Failure {
    pub kind: FailureKind,
    /// One line.
    pub summary: String,
    /// The full text, possibly many lines.
    pub detail: String,
    /// The line of the cell, counted from 1, if known.
    pub line: Option<usize>,
}

/// The kinds of failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FailureKind {
    Error,
    Panic,
    EarlyReturn,
    Timeout,
    KernelDied,
    Stderr,
    Output,
    NoError,
    Input,
    Protocol,
}

impl FailureKind {
    pub fn name(self) -> &'static str {
        match self {
            FailureKind::Error => "error",
            FailureKind::Panic => "panic",
            FailureKind::EarlyReturn => "error returned by `?`",
            FailureKind::Timeout => "timeout",
            FailureKind::KernelDied => "dead kernel",
            FailureKind::Stderr => "unexpected stderr",
            FailureKind::Output => "output differs",
            FailureKind::NoError => "no error",
            FailureKind::Input => "keyboard input",
            FailureKind::Protocol => "protocol",
        }
    }
}

/// Judges one cell. `engine_source` returns the program that the engine generated from it, if
/// available.
pub fn judge(
    source: &Source,
    cell: &CodeCell,
    execution: &Execution,
    kernel: KernelKind,
    engine_source: &dyn Fn() -> Option<String>,
) -> Verdict {
    let failure = |kind, summary: String, detail: String| {
        let count = execution.reply.as_ref().map(|reply| reply.execution_count.value() as i32);
        let line = locate::line(&cell.source, &detail, count, engine_source().as_deref());
        Failure { kind, summary, detail, line }
    };
    let failed =
        |kind, summary: String, detail: String| Verdict::Failed(failure(kind, summary, detail));
    match &execution.ending {
        Ending::Finished => {}
        Ending::TimedOut { killed } => {
            let summary = format!("did not finish within {} s", cell.timeout.as_secs_f64());
            let end = if *killed {
                "An interrupt did not stop it, so the kernel was killed."
            } else {
                "It was interrupted."
            };
            let advice = "To allow more time, set `\"parcourse\": {\"timeout\": SECONDS}` in the \
                cell's metadata, or `timeout` in the notebook's entry in course.toml.";
            return failed(FailureKind::Timeout, summary, format!("{end} {advice}"));
        }
        Ending::Died(cause) => {
            let summary = cause
                .lines()
                .next()
                .unwrap_or_default()
                .trim_end_matches("; last lines of its log:")
                .to_string();
            let stderr = plain(&execution.outputs.stderr);
            return failed(
                FailureKind::KernelDied,
                summary,
                format!("{cause}\n{stderr}").trim_end().to_string(),
            );
        }
        Ending::Protocol(what) => return failed(FailureKind::Protocol, what.clone(), what.clone()),
    }
    if let Some(prompt) = execution.asked_for_input.first() {
        let summary = format!(
            "asked for keyboard input ({prompt:?}), which is not available in a headless run"
        );
        return failed(FailureKind::Input, summary.clone(), summary);
    }
    let raised = raised(execution);
    match (raised, cell.tags.raises_exception) {
        (Some((kind, summary, detail)), false) if cell.tags.of_exercise => {
            return Verdict::Passed(Some(Exercise::Open(failure(kind, summary, detail))));
        }
        (Some((kind, summary, detail)), false) => return failed(kind, summary, detail),
        (None, true) => {
            let summary =
                "succeeded, but must fail because it is tagged `raises-exception`".to_string();
            return failed(FailureKind::NoError, summary.clone(), summary);
        }
        (Some(_), true) | (None, false) => {}
    }
    if !cell.tags.allow_stderr && !cell.tags.raises_exception {
        // Our kernel reports panics of the cell itself as errors, so any others are panics of
        // threads that the cell survived.
        let stderr = plain(&execution.outputs.stderr);
        let unexpected = if kernel == KernelKind::Parcourse {
            without_surviving_panics(&stderr)
        } else {
            stderr
        };
        if !unexpected.trim().is_empty() {
            let first = unexpected.lines().find(|line| !line.trim().is_empty()).unwrap_or_default();
            return failed(
                FailureKind::Stderr,
                format!("wrote to stderr (use the tag `allow-stderr` to allow this): {first}"),
                without_backtrace(&unexpected),
            );
        }
    }
    if cell.tags.check_output {
        let new = execution.outputs.stored();
        if let Err(difference) = comparison::compare(&cell.stored, &new, &source.rules, kernel) {
            let hint = format!(
                "To accept the new outputs, copy them from the executed notebook (`--output DIR`) \
                into {}.",
                source.path.display()
            );
            return failed(
                FailureKind::Output,
                difference.summary,
                format!("{}\n{hint}", difference.detail),
            );
        }
    }
    Verdict::Passed(cell.tags.of_exercise.then_some(Exercise::Solved))
}

/// The error that the cell raised: its kind, a summary, and the full text.
fn raised(execution: &Execution) -> Option<(FailureKind, String, String)> {
    let audited = execution.audit.iter().find_map(|event| match event.split_whitespace().next() {
        Some("panic") => Some(FailureKind::Panic),
        Some("error") => Some(FailureKind::EarlyReturn),
        _ => None,
    });
    let reply = execution.reply.as_ref();
    let replied = reply.map(|reply| reply.status.clone()).unwrap_or_default();
    if replied == ReplyStatus::Ok {
        // The stock kernel reports this as success.
        let stderr = without_backtrace(&plain(&execution.outputs.stderr));
        let summary = panic_message(&stderr).or(stderr.lines().next().map(str::to_string));
        return audited.map(|kind| (kind, summary.unwrap_or(kind.name().to_string()), stderr));
    }
    if replied == ReplyStatus::Aborted {
        let what = "the kernel aborted the request".to_string();
        return Some((FailureKind::Error, what.clone(), what));
    }
    let mut details: Vec<String> =
        execution.outputs.errors().map(|error| plain(&error.traceback.join("\n"))).collect();
    let first = execution.outputs.errors().next();
    let error = reply.and_then(|reply| reply.error.as_ref());
    let (name, value) = match (error, first) {
        (Some(error), _) => (error.ename.clone(), error.evalue.clone()),
        (None, Some(error)) => (error.ename.clone(), error.evalue.clone()),
        (None, None) => ("Error".to_string(), "the kernel gave no reason".to_string()),
    };
    if details.is_empty() {
        details.extend(error.map(|error| plain(&error.traceback.join("\n"))));
    }
    let stderr = without_backtrace(&plain(&execution.outputs.stderr));
    if !stderr.trim().is_empty() {
        details.push(format!("stderr:\n{stderr}"));
    }
    let value = plain(&value);
    let first_line = value.lines().find(|line| !line.trim().is_empty()).unwrap_or_default();
    // The stock kernel names every error `Error`.
    let summary = if name == "Error" || name.is_empty() {
        first_line.to_string()
    } else {
        format!("{name}: {first_line}")
    };
    let kind = if name.to_lowercase().contains("panic") {
        FailureKind::Panic
    } else {
        audited.unwrap_or(FailureKind::Error)
    };
    Some((kind, summary, details.join("\n\n")))
}

/// Returns the message of the first panic in `stderr`.
fn panic_message(stderr: &str) -> Option<String> {
    let mut lines = stderr.lines().skip_while(|line| !line.contains("panicked at "));
    lines.next()?;
    lines.next().map(str::to_string)
}
