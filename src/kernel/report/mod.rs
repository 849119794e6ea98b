//! Describes failures of cells: a name, a value and a traceback with the user's cell and line.

pub mod compile;
mod death;
mod trace;

use crate::engine::user_process::wire::PanicReport;
use crate::kernel::colours::{RED, RESET};
use crate::kernel::output::Ending;
use crate::kernel::output::source::Sources;
pub use death::Cause;
use serde_json::{Value, json};

/// A failure, with the three fields of Jupyter's errors.
#[derive(Debug, Clone)]
pub struct Failure {
    pub ename: String,
    pub evalue: String,
    pub traceback: Vec<String>,
}

impl Failure {
    /// A failure whose traceback consists of some text and the headline.
    pub fn new(ename: &str, evalue: impl Into<String>, details: Vec<String>) -> Failure {
        let evalue = evalue.into();
        let mut traceback = details;
        traceback.push(headline(ename, &evalue));
        Failure { ename: ename.to_owned(), evalue, traceback }
    }

    pub fn content(&self) -> Value {
        json!({ "ename": self.ename, "evalue": self.evalue, "traceback": self.traceback })
    }

    /// The content of a reply.
    pub fn content_with_status(&self) -> Value {
        let mut content = self.content();
        content["status"] = "error".into();
        content
    }

    /// The failure that the cell's output shows, if any.
    pub fn of_run(ending: &Ending, sources: &Sources) -> Option<Failure> {
        if ending.interrupted {
            return Some(Failure::new(
                "Interrupted",
                "stopped on request; variables are kept",
                Vec::new(),
            ));
        }
        if ending.panicked {
            return Some(match &ending.panic {
                Some(report) => Failure::of_panic(report, sources),
                None => Failure::new(
                    "Panic",
                    "the cell panicked; its own panic hook gave no details",
                    Vec::new(),
                ),
            });
        }
        let (text, trace) = ending.error.as_ref()?;
        let value = if text.is_empty() { "an error was returned through `?`" } else { text };
        let frames = trace::frames(trace, sources);
        Some(Failure::new("Error", value, trace::render(&frames, sources)))
    }

    fn of_panic(report: &PanicReport, sources: &Sources) -> Failure {
        let mut frames = trace::frames(&report.stack, sources);
        // The panic's own location is exact. The stack may lack line tables, or end in the helper
        // crate.
        match sources.locate(&report.file, report.line) {
            Some(location) if !frames.iter().any(|frame| frame.location == location) => {
                frames.push(trace::Frame { function: String::new(), location });
            }
            _ => {}
        }
        let mut details = trace::render(&frames, sources);
        // The optimiser may merge the cell's own code into the engine's; then its lines are lost.
        if let Some(cell) = sources.current_cell().filter(|cell| {
            !frames.is_empty() && frames.iter().all(|frame| frame.location.cell != cell.0)
        }) {
            details.insert(0, format!("cell [{}]", cell.1));
        }
        if sources.locate(&report.file, report.line).is_none() && !report.file.is_empty() {
            details.push(format!(
                "raised at {}:{}",
                crate::kernel::output::source::short_path(&report.file),
                report.line
            ));
        }
        Failure::new("Panic", sources.with_cells(&report.message), details)
    }
}

/// The last line of a traceback, in colour.
pub fn headline(ename: &str, evalue: &str) -> String {
    format!("{RED}{ename}{RESET}: {evalue}")
}
