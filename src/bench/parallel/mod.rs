//! `parcourse bench parallel`: the speed of parallel programs in a cell, compared with Python and C
//! on the same machine.
//!
//! Our side runs in cells of a real kernel: template, opt-level 3, baseline CPU. The others are
//! programs under the best conditions: numba's compile time does not count, all use the same number
//! of threads, and the fastest of several runs in each round counts. All solve the same problem and
//! must agree with our result: a wrong result is an error, not a row.
//!
//! [`benchmarks`] defines what is measured, as cells and programs in `programs/`. [`c`] and
//! [`python`] prepare the programs, [`program`] runs them, and [`line`] parses their output;
//! [`cells`] does the same on the kernel; [`rounds`] alternates between them; [`report`] prints the
//! results. If a tool is missing (a compiler, Python, a package index), its rows are skipped with
//! the reason.

mod baselines;
mod benchmarks;
mod c;
mod cells;
mod line;
mod program;
mod python;
mod report;
mod rounds;
mod rows;
mod targets;

use super::common::CommonArguments;
use anyhow::Result;
use baselines::Baselines;
use benchmarks::{BENCHMARKS, Benchmark};
use report::Report;
use std::ffi::OsString;
use std::process::ExitCode;

#[derive(clap::Args)]
pub struct Arguments {
    #[command(flatten)]
    common: CommonArguments,
    /// Benchmarks to run [default: all]
    #[arg(
        long, value_name = "NAMES", value_delimiter = ',', num_args = 1..,
        value_parser = BENCHMARKS.map(|benchmark| benchmark.name).to_vec()
    )]
    only: Vec<String>,
    /// What to compare with: C (gcc) and Python (numpy, numba, dask and joblib in a private
    /// environment of 400 MB, created if missing)
    #[arg(
        long, value_name = "NAMES", value_delimiter = ',', default_values = ["c", "python"],
        value_parser = ["c", "python", "none"]
    )]
    peers: Vec<String>,
    /// Use small problems to check that everything works; the times mean nothing
    #[arg(long)]
    quick: bool,
    /// Python used to create the private environment [default: the first that works of python3,
    /// python, python3.14, …]
    #[arg(long, value_name = "PROGRAM", env = "PARCOURSE_PYTHON", hide_env_values = true)]
    python: Option<OsString>,
}

/// Exit code 1 if a program failed or its result differs from ours.
pub fn main(arguments: Arguments) -> Result<ExitCode> {
    let selected: Vec<&Benchmark> =
        BENCHMARKS.iter().filter(|benchmark| arguments.is_selected(benchmark.name)).collect();
    let common = &arguments.common;
    let python = arguments.python(&selected);
    let report = common.run(true, async |sandbox, status| {
        let peers = Baselines { c: arguments.peer("c").then(|| c::Compiler::new(sandbox)), python };
        let mut report =
            Report::new(common.rounds(), arguments.quick, &selected, &peers, sandbox).await?;
        rounds::measure(&mut report, &peers, sandbox, status).await?;
        report.finish();
        Ok(report)
    })?;
    match common.json {
        true => println!("{}", serde_json::to_string_pretty(&report)?),
        false => print!("{report}"),
    }
    Ok(ExitCode::from(u8::from(report.has_failures())))
}

impl Arguments {
    fn is_selected(&self, name: &str) -> bool {
        self.only.is_empty() || self.only.iter().any(|only| only == name)
    }

    fn peer(&self, name: &str) -> bool {
        self.peers.iter().any(|peer| peer == name)
    }

    /// Creates the environment before anything is measured, while a signal still ends the process
    /// at once.
    fn python(&self, selected: &[&Benchmark]) -> Option<python::Interpreter> {
        let needed =
            selected.iter().any(|benchmark| benchmark.peers.iter().any(|peer| peer.is_python()));
        (self.peer("python") && needed).then(|| python::Interpreter::new(self.python.as_deref()))
    }
}
