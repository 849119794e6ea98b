//! Runs one notebook, from starting its kernel to the executed copy.

use super::KernelKind;
use super::notebook::{CodeCell, Source};
use crate::runner::kernel::client::Client;
use crate::runner::kernel::launch::Templates;
use crate::runner::kernel::session::{Ending, Execution, Session};
use crate::runner::progress::{Progress, seconds};
use crate::runner::verdict::{Exercise, Verdict, judge};
use nbformat::v4::{Cell, Notebook};
use serde_json::{Map, Value, json};
use std::cell::RefCell;
use std::time::{Duration, Instant};
use tokio::sync::Semaphore;

/// Settings that apply to all notebooks of a run.
pub struct Settings {
    pub(super) kernel: KernelKind,
    pub(super) jobs: usize,
    pub(super) startup_timeout: Duration,
    pub(super) parameters: Vec<(String, String)>,
    pub(super) keep_going: bool,
    pub(super) templates: Templates,
}

/// The result of a notebook.
pub struct NotebookResult {
    pub cells: Vec<CellResult>,
    /// From starting the kernel to its first reply.
    pub startup: Duration,
    /// From the first cell to the last.
    pub wall: Duration,
    /// Why the notebook could not be run at all.
    pub could_not_run: Option<String>,
    /// The notebook with its new outputs.
    pub executed: Notebook,
}

/// The result of a code cell.
pub struct CellResult {
    pub cell: CodeCell,
    pub verdict: Verdict,
    pub wall: Duration,
    /// As our kernel measures: compile and run seconds, CPU time, peak memory.
    pub measured: Option<Value>,
    pub execution_count: Option<i32>,
}

impl NotebookResult {
    pub fn failures(&self) -> usize {
        self.cells.iter().filter(|cell| matches!(cell.verdict, Verdict::Failed(_))).count()
    }

    /// The numbers of open and of solved exercises.
    pub fn exercises(&self) -> (usize, usize) {
        let checks = self.cells.iter().filter(|cell| cell.cell.tags.check);
        checks.fold((0, 0), |(open, solved), cell| match &cell.verdict {
            Verdict::Passed(Some(Exercise::Open(_))) => (open + 1, solved),
            Verdict::Passed(Some(Exercise::Solved)) => (open, solved + 1),
            _ => (open, solved),
        })
    }

    /// The outcome in one word, for reports.
    pub fn outcome(&self) -> &'static str {
        match (&self.could_not_run, self.failures()) {
            (Some(_), _) => "error",
            (None, 0) => "passed",
            (None, _) => "failed",
        }
    }
}

/// Limits how many kernels are alive, how many notebooks run, and how many cells run at the same
/// time. A cell that compares speeds takes all permits.
pub struct Permits {
    pub kernels: Semaphore,
    pub running: Semaphore,
    pub cells: Semaphore,
}

/// Runs a notebook when it is its turn. Its kernel starts a little earlier, while another notebook
/// is running.
pub async fn execute(
    number: usize,
    source: &Source,
    settings: &Settings,
    permits: &Permits,
    progress: &RefCell<Progress>,
) -> NotebookResult {
    let name = source.name.clone();
    let _kernel = permits.kernels.acquire().await;
    progress.borrow_mut().starting(number, &name);
    let begun = Instant::now();
    let mut result =
        match Client::start(settings.kernel, source, &settings.templates, settings.startup_timeout)
            .await
        {
            Ok(client) => {
                let startup = begun.elapsed();
                progress.borrow_mut().ready(number);
                let _permit = permits.running.acquire().await;
                let mut result =
                    run_cells(number, source, settings, client, permits, progress).await;
                result.startup = startup;
                result
            }
            Err(error) => NotebookResult {
                cells: Vec::new(),
                startup: begun.elapsed(),
                wall: Duration::ZERO,
                could_not_run: Some(format!(
                    "failed to start the {} kernel: {error:#}",
                    settings.kernel
                )),
                executed: source.notebook.clone(),
            },
        };
    annotate(&mut result, settings);
    let message = summary(&name, &result);
    progress.borrow_mut().finished(number, &message);
    result
}

fn summary(name: &str, result: &NotebookResult) -> String {
    let executed =
        result.cells.iter().filter(|cell| !matches!(cell.verdict, Verdict::Skipped(_))).count();
    let times = format!("{}, kernel {}", seconds(result.wall), seconds(result.startup));
    let cells =
        |count: usize| if count == 1 { "1 cell".to_string() } else { format!("{count} cells") };
    let exercises = match result.exercises() {
        (0, 0) => String::new(),
        (open, 0) => format!(", exercises: {open} open"),
        (0, solved) => format!(", exercises: {solved} solved"),
        (open, solved) => format!(", exercises: {open} open, {solved} solved"),
    };
    match (&result.could_not_run, result.failures()) {
        (Some(_), _) => format!("ERROR   {name}  could not run"),
        (None, 0) => format!("passed  {name}  {} in {times}{exercises}", cells(executed)),
        (None, failures) => {
            format!("FAILED  {name}  {failures} of {} in {times}{exercises}", cells(executed))
        }
    }
}

async fn run_cells(
    number: usize,
    source: &Source,
    settings: &Settings,
    client: Client,
    permits: &Permits,
    progress: &RefCell<Progress>,
) -> NotebookResult {
    let language_info = client.info.language_info.clone();
    let engine = client.process.spec.directory.clone();
    let engine_source = || std::fs::read_to_string(engine.as_ref()?.join("src/lib.rs")).ok();
    let mut session = Session::new(settings.kernel, client);
    let begun = Instant::now();
    // For each cell, the index of its execution in the session, or why it was skipped.
    let mut executed: Vec<Result<usize, &'static str>> = Vec::new();
    let mut verdicts: Vec<Verdict> = Vec::new();
    let mut skip_reason = None;
    for cell in &source.cells {
        let skip = if cell.tags.skip_execution {
            Some("tagged skip-execution")
        } else if cell.source.trim().is_empty() {
            Some("empty")
        } else {
            skip_reason
        };
        if let Some(reason) = skip {
            executed.push(Err(reason));
            verdicts.push(Verdict::Skipped(reason));
            continue;
        }
        progress.borrow_mut().cell(number, cell.number, source.cells.len(), &cell.source);
        let _permit = permits
            .cells
            .acquire_many(if compares_speeds(cell) { all_permits(settings) } else { 1 })
            .await;
        session.execute(&cell.source, cell.timeout).await;
        let index = session.executions.len() - 1;
        let verdict =
            judge(source, cell, &session.executions[index], settings.kernel, &engine_source);
        let dead = matches!(
            session.executions[index].ending,
            Ending::Died(_) | Ending::TimedOut { killed: true } | Ending::Protocol(_)
        );
        if let Verdict::Failed(failure) = &verdict {
            let label = format!("{}, code cell {}", source.name, cell.number);
            progress.borrow_mut().note(&format!(
                "failed  {label}: {}: {}",
                failure.kind.name(),
                failure.summary
            ));
        }
        if matches!(verdict, Verdict::Failed(_)) && (dead || !settings.keep_going) {
            skip_reason =
                Some(if dead { "the kernel had died" } else { "an earlier cell had failed" });
        }
        executed.push(Ok(index));
        verdicts.push(verdict);
    }
    let wall = begun.elapsed();
    let Session { client, executions, .. } = session;
    client.shut_down().await;
    // Late output may change a verdict: on the stock kernel, text can arrive after the end of its
    // cell.
    for ((cell, index), verdict) in source.cells.iter().zip(&executed).zip(&mut verdicts) {
        if let (Ok(index), Verdict::Passed(_), KernelKind::Evcxr) =
            (index, &verdict, settings.kernel)
        {
            *verdict = judge(source, cell, &executions[*index], settings.kernel, &|| None);
        }
    }
    let mut notebook = source.notebook.clone();
    notebook.metadata.language_info = serde_json::to_value(&language_info)
        .ok()
        .and_then(|info| serde_json::from_value(info).ok());
    let mut cells = Vec::new();
    for ((cell, index), verdict) in source.cells.iter().zip(executed).zip(verdicts) {
        let execution = index.ok().map(|index| &executions[index]);
        let execution_count = execution.and_then(count_of);
        store(&mut notebook.cells[cell.index], execution, execution_count, &verdict);
        let measured = execution.and_then(|execution| execution.measured.clone());
        let wall = execution.map_or(Duration::ZERO, |execution| execution.wall);
        cells.push(CellResult { cell: cell.clone(), verdict, wall, measured, execution_count });
    }
    NotebookResult { cells, startup: Duration::ZERO, wall, could_not_run: None, executed: notebook }
}

/// Whether cells of other notebooks, running at the same time, could affect the verdict.
fn compares_speeds(cell: &CodeCell) -> bool {
    cell.source.contains("check_fast!")
}

fn all_permits(settings: &Settings) -> u32 {
    u32::try_from(settings.jobs).unwrap_or(u32::MAX)
}

fn count_of(execution: &Execution) -> Option<i32> {
    let count = execution.reply.as_ref()?.execution_count.value();
    i32::try_from(count).ok().filter(|count| *count > 0)
}

/// Stores outputs, execution count and times in a cell of the executed notebook.
fn store(cell: &mut Cell, execution: Option<&Execution>, count: Option<i32>, verdict: &Verdict) {
    let Cell::Code { metadata, execution_count, outputs, .. } = cell else { return };
    let Some(execution) = execution else {
        // A cell tagged `skip-execution` keeps its outputs; a cell that was not reached has none.
        if !matches!(verdict, Verdict::Skipped("tagged skip-execution")) {
            (*execution_count, *outputs) = (None, Vec::new());
        }
        return;
    };
    (*execution_count, *outputs) = (count, execution.outputs.stored());
    metadata.execution = Some(execution.timestamps.clone());
    let mut run = Map::new();
    run.insert("wall_seconds".to_string(), json!(execution.wall.as_secs_f64()));
    if let Some(Value::Object(measured)) = &execution.measured {
        run.extend(measured.clone());
    }
    if let Verdict::Passed(Some(exercise)) = verdict {
        run.insert("exercise".to_string(), json!(exercise.name()));
    }
    if let Verdict::Failed(failure) = verdict {
        run.insert(
            "failure".to_string(),
            json!(format!("{}: {}", failure.kind.name(), failure.summary)),
        );
    }
    let ours = metadata.additional.entry("parcourse".to_string()).or_insert_with(|| json!({}));
    if let Value::Object(ours) = ours {
        ours.insert("run".to_string(), Value::Object(run));
    }
}

/// Records in the executed notebook how it was run.
fn annotate(result: &mut NotebookResult, settings: &Settings) {
    let parameters: Map<String, Value> =
        settings.parameters.iter().map(|(name, value)| (name.clone(), json!(value))).collect();
    let run = json!({
        "kernel": settings.kernel.to_string(),
        "outcome": result.outcome(),
        "startup_seconds": result.startup.as_secs_f64(),
        "wall_seconds": result.wall.as_secs_f64(),
        "parameters": parameters,
    });
    result.executed.metadata.additional.insert("parcourse".to_string(), json!({ "run": run }));
}
