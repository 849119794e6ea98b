//! Python, and the private environment with JupyterLab.

use super::finding::Finding;
use super::patience;
use super::place::Place;
use crate::lab::{Environment, find_python};
use std::process::Command;
use std::time::Duration;

/// Importing a package from a slow network file system takes its time.
const PATIENCE: Duration = Duration::from_secs(60);

pub fn checks(place: &Place) -> Vec<Finding> {
    let python = match find_python(place.python.as_deref()) {
        Ok(python) => python,
        Err(error) => {
            let text = error.to_string();
            let (found, mend) = text.split_once('\n').unwrap_or((&text, "install Python 3 with venv"));
            return vec![Finding::problem("Python", found, mend)];
        }
    };
    let found = Finding::ok("Python", format!("{} with venv and pip ({})", python.version, python.program.display()));
    vec![
        found,
        Environment::place(&python).map_or_else(|error| Finding::unknown("JupyterLab", format!("{error:#}")), |place| jupyter(&place)),
    ]
}

fn jupyter(environment: &Environment) -> Finding {
    let directory = environment.directory();
    if !environment.is_complete() {
        return Finding::warning("JupyterLab", "not set up yet", "`parcourse lab` does it, or now: `parcourse lab --setup-only`");
    }
    match patience::run(Command::new(environment.python()).args(["-I", "-c", "import jupyterlab, zmq, tornado"]), PATIENCE) {
        Ok(()) => Finding::ok("JupyterLab", directory.display().to_string()),
        Err(error) => {
            let mend = format!("remove that folder, `parcourse lab` makes it again: rm -r '{}'", directory.display());
            Finding::problem("JupyterLab", format!("the environment in {} is broken: {error:#}", directory.display()), mend)
        }
    }
}
