//! The command line of `parcourse edition`.

use super::folder::{File, course_files, is_notebook};
use super::{destination, helpers, instructor, learner_notebook, slides};
use crate::base::paths;
use crate::base::paths::HelpersArgument;
use crate::course::{self, Course};
use anyhow::{Context, Result, ensure};
use clap::{Args, ValueEnum};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// Make an edition of the course: a folder with the notebooks and the helper crate, ready to hand
/// out or to teach from
#[derive(Args)]
#[command(after_help = "\
Every edition has the notebooks and their data in DIR/notebooks and the helper crate in DIR/helpers.

To present the slides, run the notebook first (so that it has plots), then convert it with Jupyter:

    parcourse edition slides --out slides
    parcourse run slides/notebooks/00_welcome.ipynb --output executed
    jupyter nbconvert --to slides --post serve executed/00_welcome.ipynb")]
pub struct EditionArguments {
    /// Which edition to make
    #[arg(value_enum)]
    edition: Edition,
    /// Folder to write to, created if missing
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// Folder of the course [default: the nearest course in or above the current folder, else the
    /// one this program was built with]
    #[arg(value_name = "FOLDER")]
    course: Option<PathBuf>,
    /// Write even if the folder holds other files or notebooks that were changed
    #[arg(long)]
    force: bool,
    #[command(flatten)]
    helpers: HelpersArgument,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Edition {
    /// Solutions replaced by stubs, instructor's notes removed
    Learner,
    /// Solutions included, a schedule at the top of each notebook, and SCHEDULE.md for the course
    Instructor,
    /// Cells marked as Jupyter slides, by their tags or else by headings
    Slides,
}

impl Edition {
    fn name(self) -> &'static str {
        match self {
            Edition::Learner => "learner",
            Edition::Instructor => "instructor",
            Edition::Slides => "slides",
        }
    }
}

pub fn main(arguments: EditionArguments) -> Result<ExitCode> {
    let source = course::find(arguments.course.as_deref())?;
    let absolute =
        source.canonicalize().with_context(|| format!("failed to read {}", source.display()))?;
    let helpers = paths::find_helpers(arguments.helpers.helpers.as_deref(), &absolute)
        .context("found no helper crate: pass its folder with --helpers")?;
    check_apart(&arguments.out, &absolute, &helpers)?;
    let manifest = Course::beside(&source)?.unwrap_or_default();
    let rewrite = |path: &Path, text: &str| match arguments.edition {
        Edition::Learner => learner_notebook(text),
        Edition::Instructor => {
            instructor::notebook(text, path.to_str().and_then(|name| manifest.entry(name)))
        }
        Edition::Slides => slides::notebook(text),
    };
    let notebooks = course_files(&source, &rewrite)?;
    let count = notebooks.iter().filter(|file| is_notebook(&file.path)).count();
    let mut files = below("notebooks", notebooks);
    files.extend(below("helpers", helpers::files(&helpers)?));
    files.extend(toolchain(&helpers));
    if arguments.edition == Edition::Instructor {
        let content = instructor::course_schedule(&source, &manifest)?.into_bytes();
        files.push(File { path: "SCHEDULE.md".into(), content });
    }
    destination::write(arguments.edition.name(), &arguments.out, &files, arguments.force)?;
    let notebooks =
        if count == 1 { "1 notebook".to_string() } else { format!("{count} notebooks") };
    println!(
        "{}: {notebooks} in {}",
        arguments.edition.name(),
        arguments.out.join("notebooks").display()
    );
    Ok(ExitCode::SUCCESS)
}

fn below(folder: &str, files: Vec<File>) -> Vec<File> {
    files.into_iter().map(|file| File { path: Path::new(folder).join(file.path), ..file }).collect()
}

/// The toolchain file that pins the course's compiler, because cells are compiled where the edition
/// is.
fn toolchain(helpers: &Path) -> Option<File> {
    let name = "rust-toolchain.toml";
    let content =
        helpers.ancestors().take(2).find_map(|folder| std::fs::read(folder.join(name)).ok())?;
    Some(File { path: name.into(), content })
}

/// Ensures that an edition does not overwrite its own source, not even with `--force`.
fn check_apart(out: &Path, source: &Path, helpers: &Path) -> Result<()> {
    // For a path that does not exist yet, resolve the nearest existing folder above it.
    let here = std::env::current_dir().context("failed to read the current folder")?;
    let wanted = here.join(out);
    let existing =
        wanted.ancestors().find_map(|folder| Some((folder, folder.canonicalize().ok()?)));
    let wanted = existing.map_or(wanted.clone(), |(folder, real)| {
        real.join(wanted.strip_prefix(folder).unwrap_or(Path::new("")))
    });
    for (part, original) in [("notebooks", source), ("helpers", helpers)] {
        let target = wanted.join(part);
        let target = target.canonicalize().unwrap_or(target);
        ensure!(
            !target.starts_with(original)
                && !original.starts_with(&target)
                && !wanted.starts_with(original),
            "an edition in {} would mix with its source, {}: choose another folder",
            out.display(),
            original.display()
        );
    }
    Ok(())
}
