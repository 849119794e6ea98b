//! Runs the notebooks: exercises must pass in the source and fail in the learner's edition, where
//! everything else must pass.

use super::material::Material;
use crate::authoring::edition;
use crate::base::owned_dir::{self, OwnedDir};
use crate::base::paths;
use crate::runner::results::{
    Exercise, FailureKind, NotebookResult, Source, Verdict, one_failure, what_failed,
};
use crate::runner::{Executed, KernelKind, Plan};
use anyhow::{Context, Result, bail};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Name prefix of the temporary learner's editions. If we are killed, the next check removes ours.
const PREFIX: &str = "edition";
/// Time limit for a kernel to start.
const STARTUP: Duration = Duration::from_secs(120);

/// Which versions of the notebooks to run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum What {
    /// Run both
    All,
    /// Run the notebooks with solutions: every exercise must pass
    Source,
    /// Run the learner's edition: exercises must fail, everything else must pass
    Learner,
}

/// How to run the notebooks.
pub struct Options {
    pub what: What,
    pub kernel: KernelKind,
    pub jobs: usize,
    /// Time limit per cell, unless the manifest or the cell overrides it.
    pub timeout: Duration,
    /// Names of the notebooks to run; all if empty.
    pub only: Vec<String>,
    pub quiet: bool,
    pub helpers: Option<PathBuf>,
}

/// The exit code, and a summary that counts the unsolved exercises.
pub struct Outcome {
    pub code: u8,
    pub summary: String,
}

/// Runs the course and prints the failures.
pub fn execute(material: &Material, options: Options) -> Result<Outcome> {
    let files: Vec<&String> = match &options.only[..] {
        [] => material.on_disk.iter().collect(),
        only => material.on_disk.iter().filter(|file| only.contains(file)).collect(),
    };
    if let Some(unknown) = options.only.iter().find(|file| !material.on_disk.contains(file)) {
        bail!("--only {unknown}: no such notebook in {}", material.folder.display());
    }
    let helpers = paths::find_helpers(options.helpers.as_deref(), &material.folder.canonicalize()?);
    let edition_folder = TempEdition::make(&material.folder, helpers.as_deref())?;
    let plan = Plan {
        kernel: options.kernel,
        jobs: options.jobs,
        timeout: options.timeout,
        startup_timeout: STARTUP,
        parameters: Vec::new(),
        keep_going: false,
        check_images: false,
        quiet: options.quiet,
        helpers,
    };
    let mut sources = Vec::new();
    if options.what != What::Learner {
        sources.extend(
            plan.load(&files.iter().map(|file| material.folder.join(file)).collect::<Vec<_>>())?,
        );
    }
    if options.what != What::Source {
        let learner = plan.load(
            &files.iter().map(|file| edition_folder.notebooks().join(file)).collect::<Vec<_>>(),
        )?;
        sources.extend(learner.into_iter().zip(&files).map(|(source, file)| Source {
            name: format!("{file} (learner's edition)"),
            ..source
        }));
    }
    let executed = plan.execute(sources)?;
    let outcome = judge(&executed, &material.folder, &edition_folder, options.kernel);
    if let Some(signal) = executed.interrupted {
        bail!("stopped by {signal}; all kernels have been shut down");
    }
    Ok(outcome)
}

/// A learner's edition in a temporary folder. Removed when dropped.
struct TempEdition {
    folder: OwnedDir,
}

impl TempEdition {
    fn make(source: &Path, helpers: Option<&Path>) -> Result<TempEdition> {
        // Cargo also searches the parents of a crate in a cell's `path = "../helpers"`.
        let parent = paths::build_folder()?;
        owned_dir::sweep(&parent, PREFIX);
        let edition_folder = TempEdition { folder: OwnedDir::create(&parent, PREFIX)? };
        edition::learner(source, &edition_folder.notebooks())?;
        if let Some(helpers) = helpers {
            // A link rather than a copy: kernels start warm only for the same crate.
            std::os::unix::fs::symlink(helpers, edition_folder.folder.path().join("helpers"))
                .context("failed to link the helper crate")?;
        }
        Ok(edition_folder)
    }

    fn notebooks(&self) -> PathBuf {
        self.folder.path().join("notebooks")
    }
}

fn judge(
    executed: &Executed,
    folder: &Path,
    edition_folder: &TempEdition,
    kernel: KernelKind,
) -> Outcome {
    let (mut code, mut open, mut notebooks) = (0, 0, 0);
    for (source, result) in executed.sources.iter().zip(&executed.results) {
        let learner = source.path.starts_with(edition_folder.notebooks());
        let file = source.path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let mut message = what_failed(source, result);
        if learner && result.could_not_run.is_none() {
            message.push_str(&not_open(source, result));
            (open, notebooks) = (open + result.exercises().0, notebooks + 1);
        }
        if message.is_empty() {
            continue;
        }
        code = code.max(if result.could_not_run.is_some() { 2 } else { 1 });
        print!("{message}");
        let folder = folder.display();
        if learner {
            println!(
                "To reproduce: parcourse edition learner --out DIR {folder} && parcourse run \
                --kernel {kernel} DIR/notebooks/{file}"
            );
        } else {
            println!("To reproduce: parcourse run --kernel {kernel} {folder}/{file}");
        }
    }
    let summary = match notebooks {
        0 => "executed".to_string(),
        _ => format!("executed, unsolved exercises that fail as they should: {open}"),
    };
    Outcome { code, summary }
}

/// Describes the exercises that pass unsolved, or whose checks fail to compile.
fn not_open(source: &Source, result: &NotebookResult) -> String {
    let mut report = String::new();
    for cell in result.cells.iter().filter(|cell| cell.cell.tags.check) {
        let id = source.notebook.cells[cell.cell.index].id().as_str();
        match &cell.verdict {
            Verdict::Passed(Some(Exercise::Solved)) => report.push_str(&format!(
                "\n=== {}, cell {id}: passes although the exercise is not solved\n\
                 The check must fail with the stub: test something that only a solution \
                 provides.\n",
                source.name
            )),
            Verdict::Passed(Some(Exercise::Open(failure)))
                if failure.kind == FailureKind::Error =>
            {
                report.push_str(&one_failure(source, result, cell, failure));
                report.push_str(
                    "The check does not compile: declare everything it uses in the stub, so that \
                    learners see the check's message.\n",
                );
            }
            _ => {}
        }
    }
    report
}
