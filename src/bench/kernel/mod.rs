//! `parcourse bench kernel`: compares our kernel with the stock kernel and ipykernel.
//!
//! Everything is measured as a Jupyter client sees it, on real kernel processes, with the runner's
//! client (`crate::runner::kernels`). A private cache and private temporary space
//! ([`super::sandbox`]) ensure that cold starts are cold and that the user's files are not touched.
//! It measures starts ([`starts`]), the time to the first variable ([`first_variable`]), and the
//! latency of cells ([`latency`]) with the memory of both kernels ([`memory`]); [`report`] prints
//! the results.

mod cells;
mod first_variable;
mod latency;
mod memory;
mod python;
mod report;
mod starts;

use super::common::CommonArguments;
use super::sandbox::Sandbox;
use super::status_line::StatusLine;
use anyhow::{Result, ensure};
pub use latency::execute;
use starts::Start;
use std::path::PathBuf;
use std::process::ExitCode;

#[derive(clap::Args)]
pub struct Arguments {
    #[command(flatten)]
    common: CommonArguments,
    /// Startup scenarios to measure, or `none` [default: all]
    #[arg(
        long, value_name = "NAMES", value_delimiter = ',',
        value_parser = one_of(Start::ALL.map(Start::name).to_vec())
    )]
    starts: Vec<String>,
    /// Skip the CPU time and memory up to the first variable
    #[arg(long)]
    no_first_variable: bool,
    /// Cells to measure, or `none` [default: all]
    #[arg(
        long, value_name = "NAMES", value_delimiter = ',',
        value_parser = one_of(cells::CELLS.iter().map(|cell| cell.name).collect())
    )]
    cells: Vec<String>,
    /// Python whose ipykernel is measured; needs ipykernel, numpy, dask and numba
    #[arg(long, value_name = "PROGRAM", default_value = "python3")]
    python: PathBuf,
    /// Use the templates in your own cache (built if missing) instead of spending a minute on
    /// private ones
    #[arg(long)]
    own_templates: bool,
}

fn one_of(mut names: Vec<&'static str>) -> clap::builder::PossibleValuesParser {
    names.push("none");
    names.into()
}

impl Arguments {
    fn starts(&self) -> Vec<Start> {
        let named = |start: &Start| {
            self.starts.is_empty() || self.starts.iter().any(|name| name == start.name())
        };
        Start::ALL.into_iter().filter(named).collect()
    }

    fn first_variable(&self) -> bool {
        !self.no_first_variable
    }

    fn cells(&self) -> Vec<&'static cells::Cell> {
        cells::select(&self.cells)
    }
}

pub fn main(arguments: Arguments) -> Result<ExitCode> {
    let (starts, cells) = (arguments.starts(), arguments.cells());
    let nothing = starts.is_empty() && cells.is_empty() && arguments.no_first_variable;
    ensure!(
        !nothing,
        "nothing is left to measure with --starts none, --cells none and --no-first-variable"
    );
    let common = &arguments.common;
    let report = common.run(arguments.own_templates, async |sandbox, status| {
        measure(&arguments, sandbox, &starts, &cells, status).await
    })?;
    match common.json {
        true => println!("{}", serde_json::to_string_pretty(&report)?),
        false => print!("{report}"),
    }
    Ok(ExitCode::from(u8::from(report.has_failures())))
}

async fn measure(
    arguments: &Arguments,
    sandbox: &Sandbox,
    starts: &[Start],
    cells: &[&'static cells::Cell],
    status: &StatusLine,
) -> Result<report::Report> {
    let rounds = arguments.common.rounds();
    let mut report = report::Report::new(rounds, sandbox).await?;
    let stock =
        !cells.is_empty() || arguments.first_variable() || starts.contains(&Start::StockTemplate);
    let ours = !cells.is_empty() || arguments.first_variable() || starts.contains(&Start::Warm);
    sandbox.prepare(stock, ours, status).await?;
    report.starts = starts::measure(starts, rounds, sandbox, &arguments.python, status).await;
    if arguments.first_variable() {
        report.first_variable = first_variable::measure(rounds, sandbox, status).await?;
    }
    if !cells.is_empty() {
        (report.cells, report.memory) = latency::measure(cells, rounds, sandbox, status).await?;
    }
    report.finish();
    Ok(report)
}
