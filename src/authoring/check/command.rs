//! The command line of `parcourse check`.

use super::execute::{self, Options, What};
use super::material::Material;
use super::problems::Problems;
use super::{cells, contents, exercises, form, links, manifest};
use crate::base::paths::HelpersArgument;
use crate::course;
use crate::runner::{KernelKind, parse_jobs, parse_seconds};
use anyhow::Result;
use clap::Args;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

/// Exit codes: 0 no problems, 1 problems found, 2 the course could not be checked.
#[derive(Args)]
pub struct CheckArguments {
    /// Folder of the course [default: the nearest course in or above the current folder, else the
    /// one this program was built with]
    #[arg(value_name = "FOLDER")]
    folder: Option<PathBuf>,
    /// Rewrite the notebooks in the form they are committed in: no outputs, formatted as Jupyter
    /// does, exercises with nbgrader metadata
    #[arg(long)]
    fix: bool,
    /// Also run the notebooks: with solutions, every cell must pass; in the learner's edition,
    /// unsolved exercises must fail and everything else must pass
    #[arg(
        long, value_enum, value_name = "WHAT", num_args = 0..=1, require_equals = true,
        default_missing_value = "all"
    )]
    execute: Option<What>,
    /// Run only this notebook; can be given several times
    #[arg(long, value_name = "FILE", requires = "execute")]
    only: Vec<String>,
    /// Kernel to run them on
    #[arg(long, value_enum, default_value_t = KernelKind::Parcourse, requires = "execute")]
    kernel: KernelKind,
    /// Number of notebooks to run at the same time; one more kernel starts ahead of time
    #[arg(
        long, short, default_value_t = 1, value_name = "N", value_parser = parse_jobs,
        requires = "execute"
    )]
    jobs: usize,
    /// Time limit per cell, in seconds; course.toml and a cell's metadata override it
    #[arg(
        long, default_value = "120", value_name = "SECONDS", value_parser = parse_seconds,
        requires = "execute"
    )]
    timeout: Duration,
    /// Print only problems
    #[arg(long, short)]
    quiet: bool,
    #[command(flatten)]
    helpers: HelpersArgument,
}

pub fn main(arguments: CheckArguments) -> Result<ExitCode> {
    let folder = course::find(arguments.folder.as_deref())?;
    let mut problems = Problems::default();
    let mut material = Material::read(&folder, &mut problems)?;
    // So far the report lists only notebooks that could not be read.
    let unreadable = !problems.list.is_empty();
    if arguments.fix {
        for notebook in &mut material.notebooks {
            if form::fix(notebook)? && !arguments.quiet {
                println!("{}: rewritten", notebook.path.display());
            }
        }
    }
    look(&material, &mut problems);
    if !problems.list.is_empty() {
        for problem in &problems.list {
            println!("{problem}");
        }
        if !arguments.quiet {
            println!("{}", summary(&material, &counted(problems.list.len(), "problem")));
        }
        return Ok(ExitCode::from(if unreadable { 2 } else { 1 }));
    }
    let Some(what) = arguments.execute else {
        if !arguments.quiet {
            println!("{}", summary(&material, "no problems"));
        }
        return Ok(ExitCode::SUCCESS);
    };
    let options = Options {
        what,
        kernel: arguments.kernel,
        jobs: arguments.jobs,
        timeout: arguments.timeout,
        only: arguments.only,
        quiet: arguments.quiet,
        helpers: arguments.helpers.helpers,
    };
    let outcome = execute::execute(&material, options)?;
    if !arguments.quiet {
        let order = if outcome.code == 0 { "no problems" } else { "problems found" };
        println!("{}", summary(&material, &format!("{order}; {}", outcome.summary)));
    }
    Ok(ExitCode::from(outcome.code))
}

/// All checks that do not run notebooks.
fn look(material: &Material, problems: &mut Problems) {
    manifest::check(material, problems);
    for notebook in &material.notebooks {
        contents::check(notebook, problems);
        exercises::check(notebook, problems);
        cells::check(notebook, problems);
        form::check(notebook, problems);
        links::check(material, notebook, problems);
    }
}

/// The last line.
fn summary(material: &Material, outcome: &str) -> String {
    let count = material.on_disk.len();
    format!("{}: {}, {outcome}", material.folder.display(), counted(count, "notebook"))
}

fn counted(count: usize, what: &str) -> String {
    if count == 1 { format!("1 {what}") } else { format!("{count} {what}s") }
}
