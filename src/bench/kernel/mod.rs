//! `parcourse bench kernel`: our kernel beside the stock one and ipykernel.
//!
//! Everything is measured from a Jupyter client's side, on real kernel processes, with the runner's client (`crate::run::kernels`). A
//! private cache and private temporary space ([`world`]) make sure that cold is cold and that nothing of the user's is touched. Then come
//! the starts ([`starts`]), the latency of cells ([`latency`]) with the memory the two kernels take ([`memory`]), and what is told of it
//! ([`report`]).

mod cells;
mod latency;
mod memory;
mod python;
mod report;
mod starts;
mod telling;
mod world;

use crate::cli::HelpersArgument;
use crate::run::kernels::stopped;
use anyhow::{Context, Result, bail, ensure};
pub use latency::execute;
use starts::Start;
pub use starts::ours;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;
pub use telling::Telling;
pub use world::World;

/// No start and no cell may take longer than this: a cold stock kernel on a busy laptop compiles for a minute.
const LIMIT: Duration = Duration::from_secs(300);

#[derive(clap::Args)]
pub struct Arguments {
    /// How often everything is measured; medians of at least 5 are worth quoting
    #[arg(long, value_name = "N", default_value = "5", value_parser = clap::value_parser!(u32).range(1..=1000))]
    rounds: u32,
    /// Print JSON, for machines
    #[arg(long)]
    json: bool,
    /// Which starts to measure, or `none` [default: all]
    #[arg(long, value_name = "NAMES", value_delimiter = ',', value_parser = one_of(Start::ALL.map(Start::name).to_vec()))]
    starts: Vec<String>,
    /// Which cells to measure, or `none` [default: all]
    #[arg(long, value_name = "NAMES", value_delimiter = ',', value_parser = one_of(cells::CELLS.iter().map(|cell| cell.name).collect()))]
    cells: Vec<String>,
    /// The Python whose ipykernel is measured; it needs ipykernel, numpy, dask and numba
    #[arg(long, value_name = "PROGRAM", default_value = "python3")]
    python: PathBuf,
    /// Use (and build, where missing) the templates in your own cache, instead of building private ones for a minute
    #[arg(long)]
    own_templates: bool,
    #[command(flatten)]
    helpers: HelpersArgument,
}

fn one_of(mut names: Vec<&'static str>) -> clap::builder::PossibleValuesParser {
    names.push("none");
    names.into()
}

impl Arguments {
    fn starts(&self) -> Vec<Start> {
        let named = |start: &Start| self.starts.is_empty() || self.starts.iter().any(|name| name == start.name());
        Start::ALL.into_iter().filter(named).collect()
    }

    fn cells(&self) -> Vec<&'static cells::Cell> {
        cells::select(&self.cells)
    }
}

pub fn main(arguments: Arguments) -> Result<ExitCode> {
    let here = std::env::current_dir().context("failed to find the current folder")?;
    let helpers = crate::paths::find_helpers(arguments.helpers.helpers.as_deref(), &here)
        .context("found no helper crate: run this in the course's folder, or name the crate's folder with --helpers")?;
    let (starts, cells) = (arguments.starts(), arguments.cells());
    ensure!(!(starts.is_empty() && cells.is_empty()), "nothing is left to measure with --starts none and --cells none");
    let world = World::create(helpers, arguments.own_templates)?;
    let telling = Telling::new();
    // One thread: the work is done by the kernels, and the one who measures should not take a core from them.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().context("failed to start the client")?;
    let measured = runtime.block_on(async {
        tokio::select! {
            biased;
            signal = stopped() => Err(signal),
            measured = measure(&arguments, &world, &starts, &cells, &telling) => Ok(measured),
        }
        // Leaving this block drops whatever kernel still runs, which ends it.
    });
    telling.clear();
    drop(world);
    let report = match measured {
        Ok(report) => report?,
        Err(signal) => bail!("stopped by {signal}; every kernel has been ended"),
    };
    match arguments.json {
        true => println!("{}", serde_json::to_string_pretty(&report)?),
        false => print!("{report}"),
    }
    Ok(ExitCode::from(u8::from(report.has_failures())))
}

async fn measure(
    arguments: &Arguments,
    world: &World,
    starts: &[Start],
    cells: &[&'static cells::Cell],
    telling: &Telling,
) -> Result<report::Report> {
    let rounds = arguments.rounds as usize;
    let mut report = report::Report::new(rounds, world).await?;
    let stock = !cells.is_empty() || starts.contains(&Start::StockTemplate);
    let ours = !cells.is_empty() || starts.contains(&Start::Warm) || starts.contains(&Start::Standby);
    world.prepare(stock, ours, telling).await?;
    report.starts = starts::measure(starts, rounds, world, &arguments.python, telling).await;
    if !cells.is_empty() {
        (report.cells, report.memory) = latency::measure(cells, rounds, world, telling).await?;
    }
    report.finish();
    Ok(report)
}
