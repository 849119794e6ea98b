//! `parcourse bench cells`: how long cells take to compile, relative to `1 + 1` on the same kernel.
//!
//! Every notebook runs on its own kernel. The unit is the median of several cells `1 + N` on that
//! kernel, after its first cell. Ratios of CPU time (the engine's thread, cargo, rustc, the linker)
//! are reliable even on a busy machine; ratios of wall time are shown next to them. The size of the
//! machine code in the cell's shared object ([`object`]) is the same on every machine and predicts
//! a cell's cost. After the notebooks comes a fixed list of single cells ([`singles`]).

mod object;
mod report;
mod singles;

use super::common::{CommonArguments, LIMIT};
use super::kernel::execute;
use super::machine::Machine;
use super::sandbox::Sandbox;
use super::statistics::Sample;
use super::status_line::StatusLine;
use crate::base::paths;
use crate::course::{self, Course};
use crate::runner::kernels::{Client, Execution, Session};
use crate::runner::results::Source;
use crate::runner::{KernelKind, Plan};
use anyhow::{Context, Result, ensure};
use object::Object;
use report::{Cell, Notebook, Report, Single};
use serde::Serialize;
use serde_json::Value;
use singles::CELLS;
use std::path::PathBuf;
use std::process::ExitCode;

/// How many cells `1 + N` are compiled on each kernel.
const UNITS: usize = 5;

/// Runs notebooks and single cells on our kernel and prints how long each cell takes to compile,
/// relative to `1 + 1` on the same kernel: median, 90th percentile and maximum of the CPU time,
/// with the wall time in parentheses. The slowest cells are listed with the size of their machine
/// code and where it comes from.
#[derive(clap::Args)]
pub struct Arguments {
    #[command(flatten)]
    common: CommonArguments,
    /// Notebooks to measure, or `none` [default: all notebooks of the course]
    #[arg(value_name = "NOTEBOOK")]
    notebooks: Vec<PathBuf>,
    /// Single cells to measure, or `none` [default: all]
    #[arg(long, value_name = "NAMES", value_delimiter = ',', value_parser = names())]
    cells: Vec<String>,
    /// Number of slowest cells to list
    #[arg(long, value_name = "N", default_value = "12")]
    slowest: usize,
}

fn names() -> clap::builder::PossibleValuesParser {
    CELLS.iter().map(|cell| cell.name).chain(["none"]).collect::<Vec<_>>().into()
}

impl Arguments {
    fn notebooks(&self) -> Result<Vec<PathBuf>> {
        if self.notebooks.iter().any(|name| name.as_os_str() == "none") {
            return Ok(Vec::new());
        }
        if !self.notebooks.is_empty() {
            return Ok(self.notebooks.clone());
        }
        let folder = course::find(None)?;
        let course = Course::beside(&folder)?.unwrap_or_default();
        Ok(course.notebooks.iter().map(|entry| folder.join(&entry.file)).collect())
    }

    fn singles(&self) -> Vec<&'static singles::Cell> {
        CELLS
            .iter()
            .filter(|cell| self.cells.is_empty() || self.cells.iter().any(|name| name == cell.name))
            .collect()
    }
}

pub fn main(arguments: Arguments) -> Result<ExitCode> {
    let (notebooks, singles) = (load(&arguments.notebooks()?)?, arguments.singles());
    ensure!(
        !(notebooks.is_empty() && singles.is_empty()),
        "nothing is left to measure without notebooks and single cells"
    );
    let common = &arguments.common;
    let report = common.run(true, async |sandbox, status| {
        measure(&notebooks, &singles, common.rounds(), arguments.slowest, sandbox, status).await
    })?;
    match common.json {
        true => println!("{}", serde_json::to_string_pretty(&report)?),
        false => print!("{report}"),
    }
    Ok(ExitCode::from(u8::from(report.notebooks.iter().any(|notebook| notebook.failure.is_some()))))
}

fn load(notebooks: &[PathBuf]) -> Result<Vec<Source>> {
    let plan = Plan {
        kernel: KernelKind::Parcourse,
        jobs: 1,
        timeout: LIMIT,
        startup_timeout: LIMIT,
        parameters: Vec::new(),
        keep_going: true,
        check_images: false,
        quiet: true,
        helpers: None,
    };
    plan.load(notebooks)
}

async fn measure(
    notebooks: &[Source],
    singles: &[&singles::Cell],
    rounds: usize,
    slowest: usize,
    sandbox: &Sandbox,
    status: &StatusLine,
) -> Result<Report> {
    let mut machine = Machine::new(sandbox).await;
    sandbox.prepare(false, true, status).await?;
    let mut measured = Vec::new();
    for source in notebooks {
        measured.push(match measure_notebook(source, sandbox, status).await {
            Ok(notebook) => notebook,
            Err(error) => Notebook::failed(source.name.clone(), format!("{error:#}")),
        });
    }
    let singles = measure_singles(singles, rounds, sandbox, status).await?;
    machine.finish();
    Ok(Report::new(machine, measured, singles, slowest))
}

/// The cost of compiling a cell, and the resulting object.
#[derive(Serialize, Clone)]
pub struct Cost {
    pub seconds: f64,
    pub cpu_seconds: f64,
    pub object: Object,
}

impl Cost {
    /// `None` if nothing was compiled.
    fn of(execution: &Execution, object: Option<Object>) -> Option<Cost> {
        let measured = |name: &str| execution.measured.as_ref()?.get(name).and_then(Value::as_f64);
        Some(Cost {
            seconds: measured("compile_seconds")?,
            cpu_seconds: measured("compile_cpu_seconds")?,
            object: object?,
        })
    }
}

async fn measure_notebook(
    source: &Source,
    sandbox: &Sandbox,
    status: &StatusLine,
) -> Result<Notebook> {
    status.show(&format!("{}: starting a kernel", source.name));
    let client = Client::launch(
        KernelKind::Parcourse,
        &source.folder,
        &|_| Ok(sandbox.launch_spec()),
        LIMIT,
    )
    .await?;
    let mut session = Session::new(KernelKind::Parcourse, client);
    let mut objects = object::Watch::new(paths::build_folder()?);
    objects.newest();
    let (mut cells, mut units, mut left_out) = (Vec::new(), Vec::new(), 0);
    for cell in source
        .cells
        .iter()
        .filter(|cell| !cell.tags.skip_execution && !cell.source.trim().is_empty())
    {
        status.show(&format!("{}: cell {} of {}", source.name, cell.number, source.cells.len()));
        // Cells that fail on purpose are compiled as well.
        session.execute(&cell.source, cell.timeout.max(LIMIT)).await;
        let execution = session.executions.last().context("no execution")?;
        ensure!(!session.client.process.is_dead(), "the kernel died in code cell {}", cell.number);
        match Cost::of(execution, objects.newest()) {
            Some(cost) => cells.push((cell.number, cell.source.clone(), cost)),
            None => left_out += 1,
        }
        while units.len() < UNITS {
            let code = format!("1 + {}", units.len() + 1);
            let cost = Cost::of(execute(&mut session, &code, false).await?, objects.newest());
            units.push(cost.context("the kernel did not report the compile time")?);
        }
    }
    session.client.shut_down().await;
    let unit = [|cost: &Cost| cost.cpu_seconds, |cost: &Cost| cost.seconds]
        .map(|part| units.iter().map(part).collect::<Sample>());
    let [cpu, clock] = unit.map(|sample| sample.median().unwrap_or(f64::NAN));
    let cells = cells.into_iter().map(|(number, source, cost)| Cell {
        number,
        source,
        ratio: cost.cpu_seconds / cpu,
        clock_ratio: cost.seconds / clock,
        cost,
    });
    Ok(Notebook::new(source.name.clone(), cpu, clock, cells.collect(), left_out))
}

/// Measures all cells on one kernel, in alternation; the first pass does not count.
async fn measure_singles(
    cells: &[&singles::Cell],
    rounds: usize,
    sandbox: &Sandbox,
    status: &StatusLine,
) -> Result<Vec<Single>> {
    if cells.is_empty() {
        return Ok(Vec::new());
    }
    status.show("single cells: starting a kernel");
    let client = Client::launch(
        KernelKind::Parcourse,
        &sandbox.folder(),
        &|_| Ok(sandbox.launch_spec()),
        LIMIT,
    )
    .await?;
    let mut session = Session::new(KernelKind::Parcourse, client);
    let mut objects = object::Watch::new(paths::build_folder()?);
    execute(&mut session, &sandbox.first_cell(), false).await.context("the first cell")?;
    let mut all: Vec<Single> = cells.iter().map(|cell| Single::new(cell.name)).collect();
    for round in 0..=rounds {
        for (cell, single) in cells.iter().zip(&mut all) {
            status.show(&format!("single cells, {round} of {rounds}: {}", cell.name));
            objects.newest();
            let execution = execute(&mut session, &cell.source(round + 1), false)
                .await
                .with_context(|| cell.name.to_owned())?;
            let cost = Cost::of(execution, objects.newest())
                .with_context(|| format!("{}: nothing was compiled", cell.name))?;
            if round > 0 {
                single.seconds.push(cost.seconds);
                single.cpu_seconds.push(cost.cpu_seconds);
                single.object = cost.object;
            }
        }
    }
    session.client.shut_down().await;
    Ok(all)
}
