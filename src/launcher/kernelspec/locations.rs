//! Jupyter's search paths for kernels, in order: `JUPYTER_PATH`, the user's folder, the Python
//! environment, the system. The rules are those of `jupyter_core.paths`.

use anyhow::{Context, Result, bail};
use std::path::{Path, PathBuf};
use std::process::Command;

/// Where to register the kernel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Location {
    /// The user's own Jupyter folder.
    User,
    /// A prefix, such as a Python environment.
    Prefix(PathBuf),
    /// The Python environment of the `python3` (or `python`) on PATH.
    SysPrefix,
}

impl Location {
    /// The folder `kernels` at this location.
    pub fn kernels(&self) -> Result<PathBuf> {
        let data = match self {
            Location::User => {
                user_data().context("found no home directory: set HOME or JUPYTER_DATA_DIR")?
            }
            Location::Prefix(prefix) => std::path::absolute(prefix)
                .with_context(|| format!("failed to find {}", prefix.display()))?
                .join("share/jupyter"),
            Location::SysPrefix => sys_prefix()?.join("share/jupyter"),
        };
        Ok(data.join("kernels"))
    }
}

/// All `kernels` folders that Jupyter searches, without duplicates.
pub fn all() -> Vec<PathBuf> {
    let mut data: Vec<PathBuf> = std::env::var_os("JUPYTER_PATH")
        .map(|list| std::env::split_paths(&list).collect())
        .unwrap_or_default();
    data.extend(user_data());
    data.extend(sys_prefix().ok().map(|prefix| prefix.join("share/jupyter")));
    data.extend([PathBuf::from("/usr/local/share/jupyter"), PathBuf::from("/usr/share/jupyter")]);
    let mut kernels = Vec::new();
    for folder in data.into_iter().map(|data| data.join("kernels")) {
        if !kernels.contains(&folder) {
            kernels.push(folder);
        }
    }
    kernels
}

fn user_data() -> Option<PathBuf> {
    let named = |variable: &str| {
        std::env::var_os(variable).filter(|value| !value.is_empty()).map(PathBuf::from)
    };
    if let Some(data) = named("JUPYTER_DATA_DIR") {
        return Some(data);
    }
    if cfg!(target_os = "macos") {
        return Some(dirs::home_dir()?.join("Library/Jupyter"));
    }
    Some(
        named("XDG_DATA_HOME")
            .or_else(|| Some(dirs::home_dir()?.join(".local/share")))?
            .join("jupyter"),
    )
}

/// Returns the prefix of the Python on PATH. Only Python knows it for sure, despite the variables
/// of an activated environment.
fn sys_prefix() -> Result<PathBuf> {
    for python in ["python3", "python"] {
        let Ok(output) =
            Command::new(python).args(["-c", "import sys; print(sys.prefix)"]).output()
        else {
            continue;
        };
        if output.status.success() {
            return Ok(PathBuf::from(String::from_utf8_lossy(&output.stdout).trim()));
        }
    }
    bail!(
        "found no Python on PATH: activate the environment that has Jupyter, or pass it with \
        --prefix"
    )
}

/// Whether Jupyter searches this folder.
pub fn is_searched(kernels: &Path) -> bool {
    all().iter().any(|searched| searched == kernels)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_prefix_has_its_kernels_below_share() {
        assert_eq!(
            Location::Prefix("/opt/env".into()).kernels().unwrap(),
            Path::new("/opt/env/share/jupyter/kernels")
        );
        let here = std::env::current_dir().unwrap();
        assert_eq!(
            Location::Prefix("env".into()).kernels().unwrap(),
            here.join("env/share/jupyter/kernels")
        );
    }

    #[test]
    fn every_place_is_searched_once() {
        let locations = all();
        let mut sorted = locations.clone();
        sorted.sort();
        sorted.dedup();
        assert_eq!(sorted.len(), locations.len());
        assert!(is_searched(Path::new("/usr/share/jupyter/kernels")));
        assert!(!is_searched(Path::new("/nowhere/kernels")));
    }
}
