//! `parcourse lab`: from a fresh machine to the first notebook in JupyterLab, with one command.
//!
//! There are five steps, each shown while it runs and nearly free if already done: update the
//! learner's copy of the course (`source`, `copy`), install the library sources of the Rust
//! toolchain (`toolchain`), create a private Python environment with a pinned JupyterLab
//! ([`crate::base::python_environment`]; or use an existing one, `active`), build the template that
//! lets kernels start warm ([`build_cache`]), and run the server until Ctrl-C (`jupyter`,
//! `server_folder`, `supervise`).
//!
//! It writes to three folders only: the learner's copy, [`paths::cache`] and
//! [`paths::private_tmp`]. Unless asked to, it neither reads nor changes the user's own Jupyter
//! (settings, kernels, extensions): what suits another JupyterLab may break this one, and a course
//! must look the same for everyone. `parcourse kernel install` registers the kernel with an
//! existing Jupyter.

mod active;
mod copy;
mod jupyter;
mod offline;
mod server_folder;
mod source;
mod supervise;
mod toolchain;

pub use toolchain::ADD_SOURCES;

use crate::base::paths;
use crate::base::paths::HelpersArgument;
use crate::base::python_environment::{Environment, Recipe, python};
use crate::base::steps::Steps;
use crate::engine::build_cache::{self, KernelKind};
use crate::launcher::kernelspec::{self, Contents};
use anyhow::{Context, Result};
use copy::{Changes, Folder};
use jupyter::Program;
use server_folder::ServerFolder;
use source::{Choice, CourseOptions};
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// Pinned packages, so that everyone has the same JupyterLab.
pub const JUPYTERLAB: Recipe = Recipe {
    name: "JupyterLab",
    requirements: include_str!("requirements.txt"),
    command: "parcourse lab --setup-only",
};

/// What to open, and what to pass on to Jupyter.
#[derive(clap::Args)]
pub struct LabArguments {
    /// Folder for your copy of the course, created if missing; your work in it is never overwritten
    /// [default: the copy that contains the current folder, else ~/parcourse]
    #[arg(long, value_name = "DIR")]
    dir: Option<PathBuf>,
    /// Folder of the course to copy; the copy remembers it [default: the nearest course in or above
    /// the current folder, else the one this program was built with]
    #[arg(long, value_name = "DIR")]
    course: Option<PathBuf>,
    /// For authors: open the course's own notebooks, solutions included, without making a copy (or
    /// open the folder given by --dir as it is)
    #[arg(long)]
    source: bool,
    /// Restore notebooks you deleted from your copy
    #[arg(long, conflicts_with = "source")]
    restore: bool,
    /// Never use the network; if something is missing, say what and exit
    #[arg(long)]
    offline: bool,
    /// Port of the server; fails if the port is taken [default: first free port from 8888]
    #[arg(long)]
    port: Option<u16>,
    /// Print the address instead of opening a browser
    #[arg(long)]
    no_browser: bool,
    /// Python used to create the private environment [default: the first that works of python3,
    /// python, python3.14, …]
    #[arg(long, value_name = "PROGRAM", env = "PARCOURSE_PYTHON", hide_env_values = true)]
    python: Option<OsString>,
    /// Use JupyterLab (4 or newer) from the active conda or venv environment instead of a private
    /// one
    #[arg(long)]
    use_active: bool,
    /// Set everything up, print the path of the private Python, and exit; useful before going
    /// offline
    #[arg(long)]
    setup_only: bool,
    #[command(flatten)]
    helpers: HelpersArgument,
    /// Options passed on to Jupyter
    #[arg(last = true, value_name = "JUPYTER OPTIONS")]
    jupyter: Vec<OsString>,
}

/// Sets up whatever is missing, runs the server and returns its exit code.
pub fn main(arguments: LabArguments) -> Result<ExitCode> {
    if arguments.offline {
        offline::enforce();
    }
    let here = std::env::current_dir().context("failed to read the current folder")?;
    let options = CourseOptions {
        dir: arguments.dir.as_deref(),
        course: arguments.course.as_deref(),
        source: arguments.source,
    };
    let choice = options.choose(&here, std::env::home_dir().as_deref())?;
    let mut steps = Steps::new(
        3 + usize::from(matches!(choice, Choice::Copy { .. })) + usize::from(!arguments.setup_only),
    );
    let (root, helpers) = match choice {
        Choice::AsItIs(root) => {
            let helpers = find_helpers(&arguments.helpers, &root)?;
            (root, helpers)
        }
        Choice::Copy { course, copy } => update_copy(&arguments, &course, &copy, &mut steps)?,
    };
    toolchain::ensure(&helpers, arguments.offline, &mut steps)?;
    let program = if arguments.use_active {
        Program::Active(active::find(&mut steps)?)
    } else {
        Program::Private(Environment::ensure(
            JUPYTERLAB,
            &python::find(arguments.python.as_deref())?,
            arguments.offline,
            &mut steps,
        )?)
    };
    ensure_template(&helpers, arguments.offline, &mut steps)?;
    if arguments.setup_only {
        println!("{}", program.path().display());
        return Ok(ExitCode::SUCCESS);
    }
    serve(&arguments, &program, &root, &helpers, &mut steps)
}

/// Updates the learner's copy and returns the folder of its notebooks and the helper crate that
/// they use.
fn update_copy(
    arguments: &LabArguments,
    course: &Path,
    copy: &Path,
    steps: &mut Steps,
) -> Result<(PathBuf, PathBuf)> {
    steps.begin(&format!("Your copy of the course in {}", copy.display()));
    let helpers = find_helpers(&arguments.helpers, course)?;
    let folder = Folder::open(copy)?;
    if arguments.course.is_some() {
        folder.remember_course(course)?;
    }
    let changes = folder.update(course, &helpers, arguments.restore, || {
        steps.inside("waiting for another `parcourse lab` to update it")
    })?;
    show_changes(&changes, steps);
    // A copy may have its own helper crate.
    let helpers = find_helpers(&arguments.helpers, &folder.notebooks())?;
    Ok((folder.notebooks(), helpers))
}

fn show_changes(changes: &Changes, steps: &mut Steps) {
    let mut list = |what: &str, names: &[String]| {
        if !names.is_empty() {
            steps.note(&format!("{what}: {}", names.join(", ")));
        }
    };
    list("new", &changes.written);
    list("updated", &changes.replaced);
    list("deleted by you (--restore brings them back)", &changes.deleted);
    for (name, backup) in &changes.backed_up {
        steps.note(&format!(
            "{name}: changed both by you and in the course; your version is saved as \"{backup}\" \
            next to the new one"
        ));
    }
    let quiet =
        changes.written.is_empty() && changes.replaced.is_empty() && changes.backed_up.is_empty();
    steps.done(if quiet { "up to date" } else { "now up to date" });
}

fn find_helpers(named: &HelpersArgument, notebooks: &Path) -> Result<PathBuf> {
    paths::find_helpers(named.helpers.as_deref(), notebooks).with_context(|| {
        format!(
            "found no helper crate for {}: pass its folder (`helpers/` of the course) with \
            --helpers DIR",
            notebooks.display()
        )
    })
}

fn ensure_template(helpers: &Path, offline: bool, steps: &mut Steps) -> Result<()> {
    steps.begin(&format!(
        "Compiling the helper crate {}, so that kernels start quickly",
        helpers.display()
    ));
    let template =
        build_cache::ensure(helpers, KernelKind::Parcourse, &mut |what| steps.inside(what));
    let template = template.map_err(|error| offline::explain(error, offline))?;
    steps.done(&template.path().display().to_string());
    Ok(())
}

/// Runs the server on `root` until it ends.
fn serve(
    arguments: &LabArguments,
    program: &Program,
    root: &Path,
    helpers: &Path,
    steps: &mut Steps,
) -> Result<ExitCode> {
    steps.begin(&format!("Starting JupyterLab on {}", root.display()));
    let folder = ServerFolder::create()?;
    let spec = Contents { display_name: "Rust", helpers: Some(helpers) };
    kernelspec::write(&folder.jupyter_path().join("kernels"), "rust", spec, false)?;
    let command = jupyter::Server {
        program,
        folder: &folder,
        root,
        port: arguments.port,
        browser: !arguments.no_browser && jupyter::browser_is_likely(),
        extra: &arguments.jupyter,
    }
    .command()?;
    steps.done("press Ctrl-C here to stop it");
    supervise::run(command)
}
#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::python_environment::pinned;

    /// Conda users get the same JupyterLab.
    #[test]
    fn environment_yml_names_the_same_jupyterlab() {
        let conda = include_str!("../../../environment.yml");
        let version = |line: &str| {
            line.split("jupyterlab==")
                .nth(1)
                .map(|rest| rest.split([' ', ';']).next().unwrap().to_owned())
        };
        let newest = pinned(JUPYTERLAB.requirements).filter_map(version).last().unwrap();
        assert!(
            conda.contains(&format!("- jupyterlab={newest}\n")),
            "environment.yml lacks jupyterlab={newest}"
        );
    }
}
