//! `parcourse run`: runs notebooks without a browser, cell by cell, and reports the cells that
//! fail.
//!
//! Every notebook gets its own kernel process and talks to it over ZeroMQ, exactly as JupyterLab
//! does. All notebooks are read and checked before the first cell runs. In reading order:
//! [`notebook`] and [`parameters`] (the input), [`kernel`] (a kernel process and one cell on it),
//! [`verdict`], [`comparison`] and [`locate`] (did the cell do what its tags say?), [`execute`]
//! (one notebook), [`schedule`] (several), [`plan`] (everything, as a library call), [`progress`]
//! and [`reports`].

mod comparison;
mod execute;
mod kernel;
mod locate;
mod notebook;
mod parameters;
mod plan;
mod progress;
mod reports;
mod schedule;
mod verdict;

pub use execute::Settings;
pub use kernel::guard::{GuardArguments, main as guard};
pub use plan::{Executed, Plan};

/// The results of a run, for `parcourse check` and `parcourse book`.
pub mod results {
    pub use super::execute::NotebookResult;
    pub use super::notebook::Source;
    pub use crate::runner::reports::text::{failures, one_failure, what_failed};
    pub use crate::runner::verdict::{Exercise, FailureKind, Verdict};
}

/// A kernel and its executions, for `parcourse bench`.
pub mod kernels {
    pub use super::schedule::stopped;
    pub use crate::runner::kernel::client::Client;
    pub use crate::runner::kernel::directory::Directory;
    pub use crate::runner::kernel::launch::LaunchSpec;
    pub use crate::runner::kernel::session::{Ending, Execution, Session};
}

use crate::base::paths::HelpersArgument;
pub use crate::engine::build_cache::KernelKind;
use anyhow::{Context, Result, bail, ensure};
use clap::Args;
use notebook::Source;
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, Instant};

/// Exit codes: 0 all cells passed, 1 a cell failed, 2 something could not be run.
#[derive(Args)]
pub struct RunArguments {
    /// Notebooks to run
    #[arg(required = true, value_name = "NOTEBOOK")]
    notebooks: Vec<PathBuf>,
    /// Kernel to run them on
    #[arg(long, value_enum, default_value_t = KernelKind::Parcourse)]
    kernel: KernelKind,
    /// Number of notebooks to run at the same time; one more kernel starts ahead of time
    #[arg(long, short, default_value_t = 1, value_name = "N", value_parser = parse_jobs)]
    jobs: usize,
    /// Time limit per cell, in seconds; course.toml and a cell's metadata override it
    #[arg(long, default_value = "120", value_name = "SECONDS", value_parser = parse_seconds)]
    timeout: Duration,
    /// Time limit for a kernel to start, in seconds
    #[arg(long, default_value = "120", value_name = "SECONDS", value_parser = parse_seconds)]
    startup_timeout: Duration,
    /// Override a value in the cell tagged `parameters`; can be given several times
    #[arg(
        short, long = "parameter", num_args = 2, value_names = ["NAME", "VALUE"],
        allow_hyphen_values = true
    )]
    parameters: Vec<String>,
    /// Save the executed notebooks, with outputs and timings, in this folder
    #[arg(long, short, value_name = "DIR")]
    output: Option<PathBuf>,
    /// Write a JUnit report with one test case per code cell
    #[arg(long, value_name = "FILE")]
    junit: Option<PathBuf>,
    /// Write a JSON report
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Keep running a notebook's cells after one fails
    #[arg(long, short)]
    keep_going: bool,
    /// Also compare images in cells tagged `check-output`
    #[arg(long)]
    check_images: bool,
    /// Print only failures
    #[arg(long, short)]
    quiet: bool,
    #[command(flatten)]
    helpers: HelpersArgument,
}

pub fn parse_jobs(text: &str) -> Result<usize, String> {
    text.parse()
        .ok()
        .filter(|jobs| *jobs > 0)
        .ok_or_else(|| "not a number of at least 1".to_string())
}

pub fn parse_seconds(text: &str) -> Result<Duration, String> {
    let seconds = text.parse::<f64>().ok().filter(|seconds| *seconds > 0.0);
    seconds
        .and_then(|seconds| Duration::try_from_secs_f64(seconds).ok())
        .ok_or_else(|| "not a positive number of seconds".to_string())
}

pub fn main(arguments: RunArguments) -> Result<ExitCode> {
    let begun = Instant::now();
    let plan = Plan {
        kernel: arguments.kernel,
        jobs: arguments.jobs,
        timeout: arguments.timeout,
        startup_timeout: arguments.startup_timeout,
        parameters: arguments
            .parameters
            .chunks_exact(2)
            .map(|pair| (pair[0].clone(), pair[1].clone()))
            .collect(),
        keep_going: arguments.keep_going,
        check_images: arguments.check_images,
        quiet: arguments.quiet,
        helpers: arguments.helpers.helpers.clone(),
    };
    let sources = plan.load(&arguments.notebooks)?;
    check_destinations(&arguments, &sources)?;
    let Executed { sources, results, settings, interrupted } = plan.execute(sources)?;
    for (source, result) in sources.iter().zip(&results) {
        print!("{}", reports::text::failures(source, result, &settings));
        if let (Some(folder), None) = (&arguments.output, &result.could_not_run) {
            let file = source.path.file_name().context("a notebook has no name")?;
            let path = folder.join(file);
            notebook::write(&result.executed, &path)
                .with_context(|| format!("failed to write {}", path.display()))?;
        }
    }
    if let Some(path) = &arguments.junit {
        reports::machine::write_junit(path, &sources, &results, &settings)?;
    }
    if let Some(path) = &arguments.json {
        reports::machine::write_json(path, &sources, &results, &settings)?;
    }
    if !arguments.quiet {
        println!("{}", reports::text::summary(&results, begun.elapsed()));
    }
    if let Some(signal) = interrupted {
        bail!("stopped by {signal}; all kernels have been shut down");
    }
    let outcome = |word: &str| results.iter().any(|result| result.outcome() == word);
    Ok(ExitCode::from(if outcome("error") { 2 } else { u8::from(outcome("failed")) }))
}

/// Checks before the first cell that the results can be written.
fn check_destinations(arguments: &RunArguments, sources: &[Source]) -> Result<()> {
    for file in [&arguments.junit, &arguments.json].into_iter().flatten() {
        let folder =
            file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        ensure!(
            folder.is_dir(),
            "cannot write {}: no such folder: {}",
            file.display(),
            folder.display()
        );
        ensure!(!file.is_dir(), "cannot write {}: is a folder", file.display());
    }
    let Some(output) = &arguments.output else { return Ok(()) };
    std::fs::create_dir_all(output)
        .with_context(|| format!("failed to create the folder {}", output.display()))?;
    let output = output.canonicalize()?;
    let mut names = HashMap::new();
    for source in sources {
        ensure!(
            source.folder != output,
            "--output {} would overwrite {}",
            output.display(),
            source.path.display()
        );
        if let Some(other) = names.insert(source.path.file_name(), &source.path) {
            bail!(
                "{} and {} have the same name: their copies would overwrite each other",
                other.display(),
                source.path.display()
            );
        }
    }
    Ok(())
}
