//! `parcourse bench`: runs benchmarks.
//!
//! Numbers from different runs on a shared machine are hard to compare. So everything that is
//! compared is measured in alternation, round by round: noise affects all candidates, and ratios
//! are computed within a round.

mod cells;
mod common;
mod helpers;
mod kernel;
mod machine;
mod parallel;
mod sandbox;
mod statistics;
mod status_line;
mod table;
mod units;

use anyhow::Result;
use clap::{Args, Subcommand};
use std::process::ExitCode;

#[derive(Args)]
pub struct BenchArguments {
    #[command(subcommand)]
    what: What,
}

#[derive(Subcommand)]
enum What {
    /// Compare our kernel with the stock evcxr_jupyter kernel and ipykernel: startup, cell latency,
    /// memory
    Kernel(kernel::Arguments),
    /// Compare the helpers with hand-written code: progress bars, timing, sampling, pools, random
    /// numbers, line profiler
    Helpers(helpers::Arguments),
    /// Measure compile times relative to `1 + 1`: all cells of the course, and a list of single
    /// cells
    Cells(cells::Arguments),
    /// Compare parallel programs in a cell with plain rayon, numpy, numba, dask, multiprocessing,
    /// joblib, and C with OpenMP
    Parallel(parallel::Arguments),
}

/// Exit code 1 if a requested measurement failed.
pub fn main(arguments: BenchArguments) -> Result<ExitCode> {
    match arguments.what {
        What::Kernel(arguments) => kernel::main(arguments),
        What::Helpers(arguments) => helpers::main(arguments),
        What::Cells(arguments) => cells::main(arguments),
        What::Parallel(arguments) => parallel::main(arguments),
    }
}
