//! Checks Python and the private environment with JupyterLab.

use crate::base::python_environment::Environment;
use crate::launcher::doctor::finding::Finding;
use crate::launcher::doctor::setup::Setup;
use crate::launcher::doctor::timeout;
use std::process::Command;
use std::time::Duration;

/// Importing packages from a slow network file system can take long.
const TIMEOUT: Duration = Duration::from_secs(60);

pub fn checks(setup: &Setup) -> Vec<Finding> {
    match &setup.python {
        Ok((python, environment)) => {
            let found =
                format!("{} with venv and pip ({})", python.version, python.program.display());
            vec![Finding::ok("Python", found), jupyter(environment)]
        }
        Err(error) => {
            let text = error.to_string();
            let (found, fix) =
                text.split_once('\n').unwrap_or((&text, "install Python 3 with venv"));
            vec![Finding::problem("Python", found, fix)]
        }
    }
}

fn jupyter(environment: &Environment) -> Finding {
    let directory = environment.directory();
    if !environment.is_complete() {
        return Finding::warning(
            "JupyterLab",
            "not set up yet",
            "`parcourse lab` sets it up; to do so now, run `parcourse lab --setup-only`",
        );
    }
    // Only the compiled packages, which may fail to load. Importing all of JupyterLab takes
    // seconds.
    let imports = "import zmq, tornado, rpds, jupyter_server; from importlib.metadata import \
        version; version('jupyterlab')";
    match timeout::run(Command::new(environment.python()).args(["-I", "-c", imports]), TIMEOUT) {
        Ok(()) => Finding::ok("JupyterLab", directory.display().to_string()),
        Err(error) => {
            let fix = format!(
                "remove that folder and `parcourse lab` creates it again: rm -r '{}'",
                directory.display()
            );
            Finding::problem(
                "JupyterLab",
                format!("the environment in {} is broken: {error:#}", directory.display()),
                fix,
            )
        }
    }
}
