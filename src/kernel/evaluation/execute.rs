//! One execution: compile, run, and report the result.

use super::build_progress::BuildProgress;
use super::evaluator::Evaluator;
use super::helper_crate;
use crate::base::process;
use crate::kernel::cell_source::CellSource;
use crate::kernel::output::source::Sources;
use crate::kernel::output::{Cell, Ending, Outputs};
use crate::kernel::process::interrupt::Interrupts;
use crate::kernel::report::{Cause, Failure, compile};
use evcxr::EvalOutputs;
use serde_json::{Value, json};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// What an execution needs besides the engine.
pub struct Executor {
    pub outputs: Arc<Outputs>,
    pub sources: Arc<Sources>,
    pub interrupts: Arc<Interrupts>,
    pub build_directory: PathBuf,
}

/// How an execution ended.
pub struct Outcome {
    pub failure: Option<Failure>,
    /// Results of the engine's own commands, such as `:vars` and `!ls`.
    pub results: EvalOutputs,
    pub timing: Timing,
    /// The value of the last expression, if it was captured instead of shown.
    pub captured: Option<Value>,
}

/// Where the time went.
#[derive(Debug, Clone, Copy, Default)]
pub struct Timing {
    pub compile: Duration,
    /// Processor time of the engine and of its child processes: cargo, rustc, the linker.
    pub compile_cpu_seconds: f64,
    pub run: Duration,
    pub cpu_seconds: f64,
    pub peak_memory_bytes: u64,
}

impl Timing {
    pub fn metadata(&self) -> Value {
        json!({
            "compile_seconds": self.compile.as_secs_f64(),
            "compile_cpu_seconds": self.compile_cpu_seconds,
            "run_seconds": self.run.as_secs_f64(),
            "cpu_seconds": self.cpu_seconds,
            "peak_memory_bytes": self.peak_memory_bytes,
        })
    }

    /// The timing as a sentence.
    pub fn sentence(&self) -> String {
        format!(
            "compile {:.2} s, run {:.2} s (CPU {:.2} s, peak memory {:.0} MiB)",
            self.compile.as_secs_f64(),
            self.run.as_secs_f64(),
            self.cpu_seconds,
            self.peak_memory_bytes as f64 / 1_048_576.0
        )
    }
}

impl Executor {
    /// Compiles and runs code on the engine's thread.
    pub fn execute(&self, evaluator: &mut Evaluator, code: &str, cell: Cell) -> Outcome {
        let execution_count = cell.execution_count;
        let source = CellSource::parse(code);
        if let Some(failure) = compile::unreadable(&source, execution_count) {
            return Outcome {
                failure: Some(failure),
                results: EvalOutputs::new(),
                timing: Timing::default(),
                captured: None,
            };
        }
        self.sources.add_cell(execution_count, code);
        let deaths = self.outputs.deaths();
        self.outputs.begin_cell(Cell {
            ends_with_expression: source.ends_with_expression(),
            ..cell.clone()
        });
        self.interrupts.begin();
        let display_before = evaluator.prepare_for(&source);
        let located = helper_crate::located(code, evaluator.helpers());
        let (started, cpu_at_start) = (Instant::now(), cpu_seconds());
        let progress = BuildProgress::watch(self.outputs.clone(), self.build_directory.clone());
        evaluator.add_dependencies(&source);
        let mut result = evaluator.context().execute(&located);
        if result.as_ref().is_err_and(|error| is_missing_dependency(&source, error))
            && !self.interrupts.requested()
        {
            let _ = evaluator.context().execute(":offline 0");
            // The engine rewrites this file only when it builds. Until then the file would keep
            // cargo offline.
            let _ = std::fs::remove_file(self.build_directory.join(".cargo/config.toml"));
            evaluator.add_dependencies(&source);
            result = evaluator.context().execute(&located);
            let _ = evaluator.context().execute(":offline 1");
        }
        if result.as_ref().is_err_and(is_unknown_type)
            && !self.interrupts.requested()
            && evaluator.read_whole_sources()
        {
            // The skeletons lack what determines this type. Nothing has run yet.
            result = evaluator.context().execute(&located);
        }
        if let Err(evcxr::Error::SubprocessTerminated(_)) = &result {
            // The engine may notice the death before we have read all of the last output.
            self.outputs.wait_for_death_after(deaths);
        }
        drop(progress);
        let (elapsed, compile_cpu_seconds) = (started.elapsed(), cpu_seconds() - cpu_at_start);
        let interrupted = self.interrupts.end();
        // The engine keeps the effect of commands only if the whole cell succeeds.
        if result.is_err() {
            evaluator.set_display(display_before);
        }
        if source.clears_engine() {
            let _ = evaluator.prepare();
        }
        let ending = self.outputs.end_cell();
        let timing = Timing { compile_cpu_seconds, ..timing(elapsed, &ending) };
        let captured = ending.captured.clone();
        let (results, failure) = match result {
            Ok(results) => (results, Failure::of_run(&ending, &self.sources)),
            Err(error) => (
                EvalOutputs::new(),
                Some(describe(&error, code, execution_count, &ending, interrupted)),
            ),
        };
        Outcome { failure, results, timing, captured }
    }
}

fn timing(elapsed: Duration, ending: &Ending) -> Timing {
    let usage = ending.usage.unwrap_or_default();
    let run = ending.ran_until_death.unwrap_or(Duration::from_secs_f64(usage.run_seconds));
    let (cpu_seconds, peak_memory_bytes) = (usage.cpu_seconds, usage.peak_memory_bytes);
    Timing {
        compile: elapsed.saturating_sub(run),
        run,
        cpu_seconds,
        peak_memory_bytes,
        ..Timing::default()
    }
}

/// Processor time of this thread and of all child processes that have ended. The user process is
/// not among them while it runs.
fn cpu_seconds() -> f64 {
    #[cfg(target_os = "linux")]
    let this = libc::RUSAGE_THREAD;
    #[cfg(not(target_os = "linux"))]
    let this = libc::RUSAGE_SELF;
    process::cpu_seconds(this) + process::cpu_seconds(libc::RUSAGE_CHILDREN)
}

fn describe(
    error: &evcxr::Error,
    code: &str,
    execution_count: u64,
    ending: &Ending,
    interrupted: bool,
) -> Failure {
    match error {
        evcxr::Error::SubprocessTerminated(_) if interrupted => Failure::new(
            "Interrupted",
            "the running code was stopped together with its process",
            vec![
                "All variables are lost, definitions are kept.\nHelpers such as Pool::map can be \
                 interrupted without that loss."
                    .to_owned(),
            ],
        ),
        _ if interrupted => Failure::new(
            "Interrupted",
            "compiling was stopped; variables are \
            kept",
            Vec::new(),
        ),
        evcxr::Error::SubprocessTerminated(message) => {
            Cause::parse(message).failure(&ending.last_stderr)
        }
        evcxr::Error::CompilationErrors(errors) => compile::failure(errors, code, execution_count),
        evcxr::Error::TypeRedefinedVariablesLost(names) => Failure::new(
            "VariablesLost",
            format!(
                "the types of these variables were redefined: \
                {}",
                names.join(", ")
            ),
            Vec::new(),
        ),
        other => Failure::new("Error", other.to_string(), Vec::new()),
    }
}

/// Whether the cell asks for a crate that cargo could not find offline, so that the network may
/// help. The engine executes commands before code, so nothing has run yet.
fn is_missing_dependency(source: &CellSource, error: &evcxr::Error) -> bool {
    let text = match error {
        evcxr::Error::CompilationErrors(errors) => {
            errors.iter().map(|error| error.message()).collect::<Vec<_>>().join("\n")
        }
        other => other.to_string(),
    };
    let offline =
        ["offline", "no matching package", "failed to select a version", "unable to update"];
    (source.names_crate() || text.contains("tokio"))
        && offline.iter().any(|sign| text.contains(sign))
}

/// Whether the engine could not infer the type of a variable in code that compiles.
///
/// In that case the engine runs `cargo check` on the cell, and reports E0521 instead if another
/// variable of the notebook contains a reference.
fn is_unknown_type(error: &evcxr::Error) -> bool {
    match error {
        evcxr::Error::CompilationErrors(errors) => {
            !errors.is_empty() && errors.iter().all(|error| error.code() == Some("E0521"))
        }
        other => other.to_string().starts_with("Couldn't automatically determine type"),
    }
}
