//! `parcourse book`: builds a searchable web site of the course, with the outputs of its cells.
//!
//! The notebooks are run first (unless `--executed` provides them); if a cell fails, no book is
//! made. Each notebook becomes a page ([`page`]) without the instructor's notes; an exercise shows
//! the learner's stub, followed by the folded solution. The manifest provides the first page
//! ([`index`]). Sphinx with MyST-NB builds the site ([`site`]) in its own Python environment and
//! writes it to a folder that holds nothing else ([`destination`]).
//!
//! The site loads nothing from other servers, so that it works offline: from a disk, on a cluster,
//! in an exam.

mod destination;
mod executed;
mod index;
mod page;
mod site;

use crate::authoring::edition;
use crate::base::paths::HelpersArgument;
use crate::base::python_environment::{Environment, Recipe, python};
use crate::base::steps::Steps;
use crate::course::notebook;
use crate::course::{self, Course};
use crate::runner::{parse_jobs, parse_seconds};
use anyhow::{Context, Result, ensure};
use clap::Args;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

/// The packages that build the pages.
const SPHINX: Recipe = Recipe {
    name: "Sphinx",
    requirements: include_str!("requirements.txt"),
    command: "parcourse book",
};

/// Exit codes: 0 the book was written, 1 a cell failed, 2 the book could not be made.
#[derive(Args)]
pub struct BookArguments {
    /// Folder to write the site to; must be new, empty, or hold an earlier book
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// Folder of the course [default: the nearest course in or above the current folder, else the
    /// one this program was built with]
    #[arg(value_name = "FOLDER")]
    course: Option<PathBuf>,
    /// Use notebooks that `parcourse run --output DIR` has already run
    #[arg(long, value_name = "DIR")]
    executed: Option<PathBuf>,
    /// Use the packages an earlier book installed and never use the network
    #[arg(long)]
    offline: bool,
    /// Python used to create the private environment [default: the first that works of python3,
    /// python, python3.14, …]
    #[arg(long, value_name = "PROGRAM", env = "PARCOURSE_PYTHON", hide_env_values = true)]
    python: Option<OsString>,
    /// Number of notebooks to run at the same time; one more kernel starts ahead of time
    #[arg(
        long, short, default_value_t = 1, value_name = "N", value_parser = parse_jobs,
        conflicts_with = "executed"
    )]
    jobs: usize,
    /// Time limit per cell, in seconds; course.toml and a cell's metadata override it
    #[arg(
        long, default_value = "120", value_name = "SECONDS", value_parser = parse_seconds,
        conflicts_with = "executed"
    )]
    timeout: Duration,
    #[command(flatten)]
    helpers: HelpersArgument,
}

pub fn main(arguments: BookArguments) -> Result<ExitCode> {
    let folder = course::find(arguments.course.as_deref())?;
    let course = Course::beside(&folder)?.unwrap_or_default();
    ensure!(
        !course.notebooks.is_empty(),
        "{} lists no notebooks: the book would be empty",
        folder.join(course::FILE_NAME).display()
    );
    // Find problems with the sources or the destination before spending minutes on running
    // notebooks.
    destination::check(&arguments.out)?;
    let downloads = learners_notebooks(&folder, &course)?;

    let mut steps = Steps::new(3);
    let python = python::find(arguments.python.as_deref())?;
    let environment = Environment::ensure(SPHINX, &python, arguments.offline, &mut steps)?;
    let files: Vec<PathBuf> =
        course.notebooks.iter().map(|entry| folder.join(&entry.file)).collect();
    let texts = match &arguments.executed {
        Some(executed) => executed::read(&files, executed, &mut steps)?,
        None => {
            let how = executed::How {
                jobs: arguments.jobs,
                timeout: arguments.timeout,
                helpers: arguments.helpers.helpers,
            };
            match executed::execute(&files, how, &mut steps)? {
                Some(texts) => texts,
                None => return Ok(ExitCode::from(1)),
            }
        }
    };

    let title = course.title.as_deref().unwrap_or("The course");
    let site = site::Site::create()?;
    site.write("index.md", index::page(title, &course.notebooks).as_bytes())?;
    for ((entry, text), download) in course.notebooks.iter().zip(&texts).zip(&downloads) {
        let page = page::page(text, entry).with_context(|| entry.file.clone())?;
        site.copy_linked(&folder, &page)?;
        site.write(&entry.file, page.to_text().as_bytes())?;
        site.write(&format!("extra/{}/{}", page::DOWNLOADS, entry.file), download.as_bytes())?;
    }
    let warnings = site.build(title, &environment, &mut steps)?;
    destination::write(&site.html(), &arguments.out)?;
    for warning in warnings {
        eprintln!("warning: {warning}");
    }
    println!("{}", arguments.out.join("index.html").display());
    Ok(ExitCode::SUCCESS)
}

/// The notebooks that readers can download, in the order of the course.
fn learners_notebooks(folder: &Path, course: &Course) -> Result<Vec<String>> {
    let learner = |file: &str| {
        let path = folder.join(file);
        let text = notebook::read(&path).and_then(|text| edition::learner_notebook(&text));
        text.with_context(|| path.display().to_string())
    };
    course.notebooks.iter().map(|entry| learner(&entry.file)).collect()
}
