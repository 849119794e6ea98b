//! `--use-active`: the JupyterLab of the active conda or venv environment.

use crate::base::steps::Steps;
use anyhow::{Context, Result, bail};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// The oldest major version that the course is tested with.
const OLDEST: u32 = 4;

/// Finds `jupyter-lab` on PATH and checks its version.
pub fn find(steps: &mut Steps) -> Result<PathBuf> {
    steps.begin("JupyterLab of the active environment");
    let path = std::env::var_os("PATH").unwrap_or_default();
    let program = std::env::split_paths(&path)
        .map(|folder| folder.join("jupyter-lab"))
        .find(|program| program.is_file());
    let program = program.context(
        "--use-active: no `jupyter-lab` on PATH: activate the environment that has it, install it \
        (`conda install -c conda-forge jupyterlab`, `pip install jupyterlab`), or omit \
        --use-active to get a private one",
    )?;
    let version = ask(&program)?;
    steps.done(&format!("JupyterLab {version} ({})", program.display()));
    Ok(program)
}

/// Returns its version if that is recent enough.
fn ask(program: &Path) -> Result<String> {
    let shown = program.display();
    let output = Command::new(program)
        .arg("--version")
        .stdin(Stdio::null())
        .output()
        .with_context(|| format!("failed to start {shown}"))?;
    let version = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    if !output.status.success() || version.is_empty() {
        let said = String::from_utf8_lossy(&output.stderr);
        let last = said.lines().last().unwrap_or("no output");
        bail!(
            "`{shown} --version` failed: {last}: repair that environment, or omit --use-active to \
            get a private one"
        );
    }
    let major = version.split('.').next().and_then(|number| number.parse::<u32>().ok());
    if major.is_none_or(|major| major < OLDEST) {
        bail!(
            "{shown} is JupyterLab {version}, but {OLDEST} or newer is required: update it, or \
            omit --use-active to get a private one"
        );
    }
    Ok(version)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    fn asked(script: &str) -> Result<String> {
        let folder = tempfile::tempdir().unwrap();
        let program = folder.path().join("jupyter-lab");
        std::fs::write(&program, format!("#!/bin/sh\n{script}\n")).unwrap();
        std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).unwrap();
        ask(&program)
    }

    #[test]
    fn an_old_or_broken_one_is_refused() {
        assert_eq!(asked("echo 4.6.6").unwrap(), "4.6.6");
        assert_eq!(asked("echo 10.0.1").unwrap(), "10.0.1");
        assert!(asked("echo 3.6.8").unwrap_err().to_string().contains("JupyterLab 3.6.8"));
        let broken = asked("echo 'ImportError: no module' >&2; exit 1").unwrap_err().to_string();
        assert!(broken.contains("ImportError: no module"), "{broken}");
    }
}
