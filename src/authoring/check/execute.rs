//! Whether exercises are exercises: solved in the source, open in the learner's edition, where
//! everything else passes.

use super::material::Material;
use crate::authoring::edition;
use crate::base::owned_dir::{self, OwnedDir};
use crate::base::paths;
use crate::runner::results::{
    Exercise, Kind, NotebookResult, Source, Verdict, one_failure, what_failed,
};
use crate::runner::{Executed, KernelKind, Plan};
use anyhow::{Context, Result, bail};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Temporary folders of learner's editions. What is left when we are killed is swept by the next
/// check.
const PREFIX: &str = "edition";
/// Seconds that a kernel may take until it answers.
const STARTUP: Duration = Duration::from_secs(120);

/// What is executed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum What {
    /// Run both
    All,
    /// Run the notebooks with solutions: every exercise must pass
    Source,
    /// Run the learner's edition: exercises must fail, everything else must pass
    Learner,
}

/// How it is executed.
pub struct Options {
    pub what: What,
    pub kernel: KernelKind,
    pub jobs: usize,
    /// Seconds that a cell may take, unless the manifest or the cell says otherwise.
    pub timeout: Duration,
    /// Names of the notebooks to be executed; all when empty.
    pub only: Vec<String>,
    pub quiet: bool,
    pub helpers: Option<PathBuf>,
}

/// What came of it: how many exercises are open as given, and the exit code.
pub struct Outcome {
    pub code: u8,
    pub told: String,
}

/// Executes the course and prints what did not do what it should.
pub fn execute(material: &Material, options: Options) -> Result<Outcome> {
    let files: Vec<&String> = match &options.only[..] {
        [] => material.on_disk.iter().collect(),
        only => material.on_disk.iter().filter(|file| only.contains(file)).collect(),
    };
    if let Some(unknown) = options.only.iter().find(|file| !material.on_disk.contains(file)) {
        bail!("--only {unknown}: there is no such notebook in {}", material.folder.display());
    }
    let helpers = paths::find_helpers(options.helpers.as_deref(), &material.folder.canonicalize()?);
    let place = Place::make(&material.folder, helpers.as_deref())?;
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
        let learner =
            plan.load(&files.iter().map(|file| place.notebooks().join(file)).collect::<Vec<_>>())?;
        sources.extend(learner.into_iter().zip(&files).map(|(source, file)| Source {
            name: format!("{file} (learner's edition)"),
            ..source
        }));
    }
    let executed = plan.execute(sources)?;
    let outcome = judge(&executed, &material.folder, &place, options.kernel);
    if let Some(signal) = executed.interrupted {
        bail!("stopped by {signal}; every kernel has been ended");
    }
    Ok(outcome)
}

/// The temporary folder with the learner's edition. Removed when dropped.
struct Place {
    claim: OwnedDir,
}

impl Place {
    fn make(source: &Path, helpers: Option<&Path>) -> Result<Place> {
        // A crate in a cell's `path = "../helpers"` has its parents searched by cargo, too.
        let parent = paths::build_folder()?;
        owned_dir::sweep(&parent, PREFIX);
        let place = Place { claim: OwnedDir::create(&parent, PREFIX)? };
        edition::learner(source, &place.notebooks())?;
        if let Some(helpers) = helpers {
            // A link, and no copy: the same crate, for which kernels start warm.
            std::os::unix::fs::symlink(helpers, place.claim.path().join("helpers"))
                .context("failed to link the helper crate")?;
        }
        Ok(place)
    }

    fn notebooks(&self) -> PathBuf {
        self.claim.path().join("notebooks")
    }
}

fn judge(executed: &Executed, folder: &Path, place: &Place, kernel: KernelKind) -> Outcome {
    let (mut code, mut open, mut notebooks) = (0, 0, 0);
    for (source, result) in executed.sources.iter().zip(&executed.results) {
        let learner = source.path.starts_with(place.notebooks());
        let file = source.path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let mut told = what_failed(source, result);
        if learner && result.could_not_run.is_none() {
            told.push_str(&not_open(source, result));
            (open, notebooks) = (open + result.exercises().0, notebooks + 1);
        }
        if told.is_empty() {
            continue;
        }
        code = code.max(if result.could_not_run.is_some() { 2 } else { 1 });
        print!("{told}");
        let folder = folder.display();
        if learner {
            println!(
                "See it: parcourse edition learner --out DIR {folder} && parcourse run --kernel {kernel} DIR/notebooks/{file}"
            );
        } else {
            println!("Run again: parcourse run --kernel {kernel} {folder}/{file}");
        }
    }
    let told = match notebooks {
        0 => "executed".to_string(),
        _ => format!("executed, exercises open as given: {open}"),
    };
    Outcome { code, told }
}

/// The exercises that do not fail as given, or not as they should.
fn not_open(source: &Source, result: &NotebookResult) -> String {
    let mut report = String::new();
    for cell in result.cells.iter().filter(|cell| cell.cell.tags.check) {
        let id = source.notebook.cells[cell.cell.index].id().as_str();
        match &cell.verdict {
            Verdict::Passed(Some(Exercise::Solved)) => report.push_str(&format!(
                "\n=== {}, cell {id}: passes, although nothing has been solved\n\
                 The check must fail with the stub: let it ask for what only a solution gives.\n",
                source.name
            )),
            Verdict::Passed(Some(Exercise::Open(failure))) if failure.kind == Kind::Error => {
                report.push_str(&one_failure(source, result, cell, failure));
                report.push_str(
                    "The check fails, but does not run: the stub must declare all that the check uses, for learners to see its message.\n",
                );
            }
            _ => {}
        }
    }
    report
}
