//! Python, and the private environment with JupyterLab.

use crate::base::python_environment::Environment;
use crate::launcher::doctor::finding::Finding;
use crate::launcher::doctor::setup::Setup;
use crate::launcher::doctor::timeout;
use std::process::Command;
use std::time::Duration;

/// Importing a package from a slow network file system takes its time.
const PATIENCE: Duration = Duration::from_secs(60);

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
            "`parcourse lab` does it, or now: `parcourse lab --setup-only`",
        );
    }
    // What is compiled and can be unloadable. Importing all of JupyterLab takes seconds.
    let imports = "import zmq, tornado, rpds, jupyter_server; from importlib.metadata import version; version('jupyterlab')";
    match timeout::run(Command::new(environment.python()).args(["-I", "-c", imports]), PATIENCE) {
        Ok(()) => Finding::ok("JupyterLab", directory.display().to_string()),
        Err(error) => {
            let fix = format!(
                "remove that folder, `parcourse lab` makes it again: rm -r '{}'",
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
