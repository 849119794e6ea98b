//! The Python programs, in a private environment with pinned packages.

use super::program;
use crate::base::python_environment::{Environment, Recipe, python};
use crate::base::steps::Steps;
use crate::bench::sandbox::Sandbox;
use anyhow::{Context, Result};
use std::ffi::OsStr;
use std::path::PathBuf;
use tokio::process::Command;

/// The packages to compare with.
pub const PACKAGES: Recipe = Recipe {
    name: "numpy, numba, dask and joblib",
    requirements: include_str!("requirements.txt"),
    command: "parcourse bench parallel",
};

/// Prepended to each program.
const COMMON: &str = include_str!("programs/common.py");

/// Prints the versions of the packages.
const VERSIONS: &str = "
import importlib.metadata, platform
print('Python', platform.python_version(), *(f', {name} {importlib.metadata.version(name)}' for \
name in ('numpy', 'numba', 'dask', 'joblib')), sep='')
";

/// A Python with the packages, or why there is none.
pub struct Interpreter(Result<PathBuf, String>);

impl Interpreter {
    /// Finds or creates the environment, which takes a minute and 400 MB.
    pub fn new(named: Option<&OsStr>) -> Interpreter {
        let mut steps = Steps::new(1);
        let environment = python::find(named)
            .and_then(|python| Environment::ensure(PACKAGES, &python, false, &mut steps));
        // One line is enough for a table; pip's output is in its log.
        let reason = |error: anyhow::Error| {
            format!("{error:#}")
                .lines()
                .next()
                .unwrap_or_default()
                .trim_end_matches(':')
                .to_string()
        };
        Interpreter(environment.map(|environment| environment.python()).map_err(reason))
    }

    pub async fn versions(&self) -> Option<String> {
        let versions =
            program::output(Command::new(self.0.as_ref().ok()?).args(["-I", "-c", VERSIONS]))
                .await
                .ok()?;
        Some(versions.trim().replace("Python", "Python "))
    }

    /// Returns the interpreter and the program's file. The inner error is a reason to skip the
    /// program.
    pub fn prepare(
        &self,
        name: &str,
        source: &str,
        sandbox: &Sandbox,
    ) -> Result<Result<(PathBuf, PathBuf), String>> {
        let python = match &self.0 {
            Ok(python) => python.clone(),
            Err(reason) => return Ok(Err(reason.clone())),
        };
        let file = sandbox.path("programs").join(name).with_added_extension("py");
        std::fs::write(&file, format!("{COMMON}\n{source}"))
            .with_context(|| format!("failed to write {}", file.display()))?;
        Ok(Ok((python, file)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::parallel::benchmarks::{BENCHMARKS, Program};

    /// Without the packages the programs cannot run, but their syntax can be checked.
    #[tokio::test]
    async fn programs_are_python() {
        let Ok(python) = python::find(None) else { return };
        for peer in BENCHMARKS.iter().flat_map(|benchmark| benchmark.peers) {
            let Program::Python { source } = peer.program else { continue };
            let mut command = Command::new(&python.program);
            command
                .args(["-I", "-c", "import sys; compile(sys.argv[1], sys.argv[2], 'exec')"])
                .arg(format!("{COMMON}\n{source}"));
            program::output(command.arg(peer.name)).await.unwrap();
        }
    }
}
