//! `parcourse lab`: from a fresh machine to the first notebook open in JupyterLab, in one command.
//!
//! Five steps, each shown while it runs and each nearly free when its work is already done: the
//! learner's copy of the course is brought up to date (`source`, `copy`), the Rust toolchain has
//! its library sources (`toolchain`), a private Python environment holds a pinned JupyterLab
//! ([`crate::base::python_environment`]; or one that is there is used, `active`), the template that lets
//! kernels start warm is built ([`template`]), the server runs until Ctrl-C (`jupyter`, `session`,
//! `supervise`).
//!
//! Everything written lies in three folders: the learner's own, [`paths::cache`] and
//! [`paths::private_tmp`]. The user's own Jupyter (settings, kernels, extensions) is neither read
//! nor changed unless asked for: what is right for another JupyterLab may break this one, and a
//! course must look the same for everybody. Registering the kernel with an existing Jupyter is
//! `parcourse kernel install`.

mod active;
mod copy;
mod jupyter;
mod offline;
mod session;
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
use session::Session;
use source::{Choice, Wishes};
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// The same JupyterLab for everybody.
pub const JUPYTERLAB: Recipe = Recipe {
    name: "JupyterLab",
    requirements: include_str!("requirements.txt"),
    command: "parcourse lab --setup-only",
};

/// Where to open, and what to hand on to Jupyter.
#[derive(clap::Args)]
pub struct LabArguments {
    /// Folder for your own copy of the course, made when missing; your work in it is never
    /// overwritten [default: the copy around the current folder, else ~/parcourse]
    #[arg(long, value_name = "DIR")]
    dir: Option<PathBuf>,
    /// The course to copy: its folder; a copy keeps to the one that was named
    /// [default: found from the current folder upwards, else where this program was built]
    #[arg(long, value_name = "DIR")]
    course: Option<PathBuf>,
    /// For authors: open the course's own notebooks with their solutions (or the folder named by
    /// --dir) as they are, nothing copied
    #[arg(long)]
    source: bool,
    /// Give notebooks again that you deleted from your copy
    #[arg(long, conflicts_with = "source")]
    restore: bool,
    /// Use no network: fail, and say what is missing, rather than download anything
    #[arg(long)]
    offline: bool,
    /// Port of the server; an error when it is taken [default: the first free one from 8888]
    #[arg(long)]
    port: Option<u16>,
    /// Print the address instead of opening a browser
    #[arg(long)]
    no_browser: bool,
    /// The Python that makes the private environment [default: the first usable of python3, python,
    /// python3.14, …]
    #[arg(long, value_name = "PROGRAM", env = "PARCOURSE_PYTHON", hide_env_values = true)]
    python: Option<OsString>,
    /// Use the JupyterLab (4 or newer) of the active conda or venv environment instead of a private
    /// one
    #[arg(long)]
    use_active: bool,
    /// Set up, print the path of the private Python, and stop: for a machine that will be offline
    /// later
    #[arg(long)]
    setup_only: bool,
    #[command(flatten)]
    helpers: HelpersArgument,
    /// Options for Jupyter itself, after `--`
    #[arg(last = true, value_name = "JUPYTER OPTIONS")]
    jupyter: Vec<OsString>,
}

/// Sets up what is missing, runs the server and passes its exit code on.
pub fn main(arguments: LabArguments) -> Result<ExitCode> {
    if arguments.offline {
        offline::enforce();
    }
    let here = std::env::current_dir().context("failed to read the current folder")?;
    let wishes = Wishes {
        dir: arguments.dir.as_deref(),
        course: arguments.course.as_deref(),
        source: arguments.source,
    };
    let choice = wishes.choose(&here, std::env::home_dir().as_deref())?;
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

/// Brings the learner's copy up to date and returns the folder of its notebooks and the helper
/// crate that they use.
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
        steps.inside("another start is bringing it up to date: waiting")
    })?;
    tell(&changes, steps);
    // A copy may have a helper crate of its own.
    let helpers = find_helpers(&arguments.helpers, &folder.notebooks())?;
    Ok((folder.notebooks(), helpers))
}

fn tell(changes: &Changes, steps: &mut Steps) {
    let mut list = |what: &str, names: &[String]| {
        if !names.is_empty() {
            steps.note(&format!("{what}: {}", names.join(", ")));
        }
    };
    list("new", &changes.given);
    list("brought up to date", &changes.replaced);
    list("not given again, because you deleted them (--restore does)", &changes.deleted);
    for (name, aside) in &changes.kept_aside {
        steps.note(&format!(
            "{name}: you and the course have both changed it; the course's new one is there, and yours is kept as \"{aside}\""
        ));
    }
    let quiet =
        changes.given.is_empty() && changes.replaced.is_empty() && changes.kept_aside.is_empty();
    steps.done(if quiet { "up to date" } else { "now up to date" });
}

fn find_helpers(named: &HelpersArgument, notebooks: &Path) -> Result<PathBuf> {
    paths::find_helpers(named.helpers.as_deref(), notebooks).with_context(|| {
        format!("found no helper crate for {}: name its folder (`helpers/` of the course) with --helpers DIR", notebooks.display())
    })
}

fn ensure_template(helpers: &Path, offline: bool, steps: &mut Steps) -> Result<()> {
    steps
        .begin(&format!("Helper crate {}, compiled so that kernels start warm", helpers.display()));
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
    let session = Session::create()?;
    let spec = Contents { display_name: "Rust", helpers: Some(helpers) };
    kernelspec::write(&session.jupyter_path().join("kernels"), "rust", spec, false)?;
    let command = jupyter::Server {
        program,
        session: &session,
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

    /// Whoever comes by conda gets the same JupyterLab.
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
