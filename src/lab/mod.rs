//! `parcourse lab`: from a fresh machine to the first notebook open in JupyterLab, in one command.
//!
//! Four steps, each shown while it runs and each nearly free when its work is already done: the Rust toolchain has its library sources
//! (`toolchain`), a private Python environment holds a pinned JupyterLab ([`crate::python_environment`]), the template that lets kernels start
//! warm is built ([`template`]), the server runs until Ctrl-C (`jupyter`, `session`, `supervise`).
//!
//! Everything written lies in two folders, [`paths::cache`] and [`paths::private_tmp`]. The user's own Jupyter (settings, kernels,
//! extensions) is neither read nor changed: what is right for another JupyterLab may break this one, and a course must look the same for
//! everybody. Registering the kernel with an existing Jupyter is `parcourse kernel install`.

mod course;
mod jupyter;
mod session;
mod standby;
mod supervise;
mod toolchain;

use crate::cli::HelpersArgument;
use crate::log::log;
use crate::python_environment::{Environment, Recipe, python};
use crate::steps::Steps;
use crate::template::{self, Flavor};
use crate::{
    kernelspec::{self, Contents},
    paths,
};
use anyhow::{Context, Result};
use course::Course;
use session::Session;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// The same JupyterLab for everybody.
const JUPYTERLAB: Recipe = Recipe { name: "JupyterLab", requirements: include_str!("requirements.txt") };

/// Where to open, and what to hand on to Jupyter.
#[derive(clap::Args)]
pub struct LabArguments {
    /// Folder to open [default: `notebooks/` of the course, found from the current folder upwards]
    #[arg(long, value_name = "DIR")]
    dir: Option<PathBuf>,
    /// Port of the server; an error when it is taken [default: the first free one from 8888]
    #[arg(long)]
    port: Option<u16>,
    /// Print the address instead of opening a browser
    #[arg(long)]
    no_browser: bool,
    /// Set up, print the path of the private Python, and stop: for a machine that will be offline later
    #[arg(long)]
    setup_only: bool,
    /// Keep no warm kernel waiting for the next notebook (it takes about half a GiB of memory)
    #[arg(long)]
    no_standby: bool,
    #[command(flatten)]
    helpers: HelpersArgument,
    /// Options for Jupyter itself, after `--`
    #[arg(last = true, value_name = "JUPYTER OPTIONS")]
    jupyter: Vec<OsString>,
}

/// Sets up what is missing, runs the server and passes its exit code on.
pub fn main(arguments: LabArguments) -> Result<ExitCode> {
    let course = Course::find(arguments.dir.as_deref())?;
    let helpers = paths::find_helpers(arguments.helpers.helpers.as_deref(), &course.root).with_context(|| {
        format!("found no helper crate for {}: name its folder (`helpers/` of the course) with --helpers DIR", course.root.display())
    })?;
    let mut steps = Steps::new(if arguments.setup_only { 3 } else { 4 });
    toolchain::ensure(&course.root, &mut steps)?;
    let environment = Environment::ensure(JUPYTERLAB, &python::find()?, &mut steps)?;
    ensure_template(&helpers, &mut steps)?;
    if arguments.setup_only {
        println!("{}", environment.python().display());
        return Ok(ExitCode::SUCCESS);
    }
    steps.begin(&format!("Starting JupyterLab on {}", course.root.display()));
    let session = Session::create()?;
    let spec = Contents { display_name: "Rust", helpers: Some(&helpers), standby: !arguments.no_standby };
    kernelspec::write(&session.jupyter_path().join("kernels"), "rust", spec, false)?;
    let command = jupyter::Server {
        environment: &environment,
        session: &session,
        course: &course,
        port: arguments.port,
        browser: !arguments.no_browser && jupyter::browser_is_likely(),
        extra: &arguments.jupyter,
    }
    .command()?;
    if !arguments.no_standby {
        // Without it the first notebook starts a few seconds later, no more.
        if let Err(error) = standby::start(&command, &helpers, &course.root) {
            log!("parcourse: no warm kernel is waiting: {error:#}");
        }
    }
    steps.done("press Ctrl-C here to stop it");
    supervise::run(command)
}

fn ensure_template(helpers: &Path, steps: &mut Steps) -> Result<()> {
    steps.begin(&format!("Helper crate {}, compiled so that kernels start warm", helpers.display()));
    let template = template::ensure(helpers, Flavor::Parcourse, &mut |what| steps.inside(what))?;
    steps.done(&template.path().display().to_string());
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::python_environment::pinned;

    /// Whoever comes by conda gets the same JupyterLab.
    #[test]
    fn environment_yml_names_the_same_jupyterlab() {
        let conda = include_str!("../../environment.yml");
        let version = |line: &str| line.split("jupyterlab==").nth(1).map(|rest| rest.split([' ', ';']).next().unwrap().to_owned());
        let newest = pinned(JUPYTERLAB.requirements).filter_map(version).last().unwrap();
        assert!(conda.contains(&format!("- jupyterlab={newest}\n")), "environment.yml lacks jupyterlab={newest}");
    }
}
