//! A private Python environment that contains exactly the packages of a pinned requirements file.
//!
//! There is one folder per requirements file and Python. It is created in place, because an
//! environment cannot be moved, and it is complete once it contains a marker file. An interrupted
//! set-up is repeated from pip's own cache, and a lock makes a second start wait for the first.

use super::log::Log;
use super::python::Python;
use crate::base::hash;
use crate::base::paths;
use crate::base::steps::Steps;
use anyhow::{Context, Result};
use sha2::{Digest, Sha256};
use std::fs::{self, File, TryLockError};
use std::path::{Path, PathBuf};
use std::process::Command;

/// What an environment contains.
#[derive(Debug, Clone, Copy)]
pub struct Recipe {
    /// The name shown to users: "JupyterLab".
    pub name: &'static str,
    /// Every package with its exact version and the digests of its files, in pip's format.
    pub requirements: &'static str,
    /// The command that creates the environment, for error messages.
    pub command: &'static str,
}

/// The file that is written last.
const MARKER: &str = "complete";

/// A complete environment.
#[derive(Debug)]
pub struct Environment {
    directory: PathBuf,
}

impl Environment {
    /// Finds the environment for this Python, or creates it, which takes about a minute and a few
    /// hundred MB. Packages come from PyPI or the mirror in pip's configuration; with `offline`,
    /// only from local folders in pip's configuration.
    pub fn ensure(
        recipe: Recipe,
        python: &Python,
        offline: bool,
        steps: &mut Steps,
    ) -> Result<Self> {
        steps.begin(&format!(
            "{} in a private environment of Python {} ({})",
            recipe.name,
            python.version,
            python.program.display()
        ));
        let environment = Self::locate(recipe, python)?;
        if !environment.is_complete() {
            let parent = environment.directory.parent().context("the environment has no folder")?;
            fs::create_dir_all(parent)
                .with_context(|| format!("failed to create {}", parent.display()))?;
            let _lock = lock(&environment.directory.with_added_extension("lock"), steps)?;
            if !environment.is_complete() {
                environment.make(recipe, python, offline, steps)?;
            }
        }
        steps.done(&environment.directory.display().to_string());
        Ok(environment)
    }

    /// The environment for this Python, whether it exists or not.
    pub fn locate(recipe: Recipe, python: &Python) -> Result<Self> {
        let name = format!("{}-{}", python.version, key(recipe, python));
        Ok(Self { directory: paths::cache()?.join("python").join(name) })
    }

    /// The environment's folder.
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// The environment's interpreter.
    pub fn python(&self) -> PathBuf {
        self.directory.join("bin/python")
    }

    /// Also checks the interpreter, which is a link to a Python that may have been removed.
    pub fn is_complete(&self) -> bool {
        self.directory.join(MARKER).is_file() && self.python().exists()
    }

    fn make(
        &self,
        recipe: Recipe,
        python: &Python,
        offline: bool,
        steps: &mut Steps,
    ) -> Result<()> {
        if self.directory.exists() {
            fs::remove_dir_all(&self.directory)
                .with_context(|| format!("failed to remove {}", self.directory.display()))?;
        }
        let mut log = Log::create(&self.directory.with_added_extension("log"))?;
        steps.inside("creating the environment");
        let mut venv = Command::new(&python.program);
        venv.args(["-I", "-m", "venv"]).arg(&self.directory);
        log.run(&mut venv, |_| {}).context("failed to create a Python environment")?;

        // If this fails, nothing is left outside the environment's folder, and the next attempt
        // starts with an empty one.
        let requirements = self.directory.join("requirements.txt");
        fs::write(&requirements, recipe.requirements)
            .with_context(|| format!("failed to write {}", requirements.display()))?;
        let mut pip = Command::new(self.python());
        pip.args(["-I", "-m", "pip", "install", "--no-deps", "--require-hashes", "--no-input"])
            .args([
                "--disable-pip-version-check",
                "--progress-bar",
                "off",
                "--no-color",
                "--requirement",
            ])
            .arg(&requirements)
            // The user's configuration decides where packages come from (mirrors, proxies,
            // certificates), but not where they go.
            .env("PIP_USER", "0")
            .env_remove("PIP_TARGET")
            .env_remove("PIP_PREFIX")
            .env_remove("PIP_CONSTRAINT");
        if offline {
            pip.arg("--no-index");
        }
        let (mut total, mut collected) = (pinned(recipe.requirements).count(), 0);
        log.run(&mut pip, |line| {
            if line.starts_with("Ignoring ") {
                total = total.saturating_sub(1);
            } else if let Some(package) = line.strip_prefix("Collecting ") {
                collected += 1;
                let package = package.split(" (").next().unwrap_or(package);
                steps.inside(&format!("package {collected} of {total}: {package}"));
            } else if line.starts_with("Installing ") {
                steps.inside(&format!("installing {total} packages"));
            }
        })
        .with_context(|| {
            if offline {
                format!(
                    "{} is not set up yet for this Python, and --offline forbids downloads: run \
                     `{}` where there is a network, or set PIP_FIND_LINKS to a \
                     folder of packages",
                    recipe.name, recipe.command
                )
            } else {
                format!(
                    "failed to install {} (the first time needs a network, or a mirror in \
                    pip's configuration)",
                    recipe.name
                )
            }
        })?;
        fs::write(self.directory.join(MARKER), "")
            .with_context(|| format!("failed to finish {}", self.directory.display()))
    }
}

/// A hash over everything that distinguishes environments. Machines of several architectures may
/// share a home directory.
fn key(recipe: Recipe, python: &Python) -> String {
    let mut digest = Sha256::new();
    for part in [
        recipe.requirements,
        &python.version,
        &python.prefix.to_string_lossy(),
        std::env::consts::ARCH,
    ] {
        digest.update(part.len().to_le_bytes());
        digest.update(part);
    }
    hash::hex(&digest.finalize()[..6])
}

/// The pins of a requirements file: `name==version` and the condition after it.
pub fn pinned(requirements: &str) -> impl Iterator<Item = &str> {
    requirements.lines().filter(|line| {
        line.contains("==") && line.starts_with(|first: char| first.is_ascii_alphanumeric())
    })
}

/// Locks the file until the result is dropped. The file stays: if it were removed, two starts could
/// hold a lock each.
fn lock(path: &Path, steps: &mut Steps) -> Result<File> {
    let file =
        File::create(path).with_context(|| format!("failed to create {}", path.display()))?;
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => {
            steps.inside("waiting for another start to create it");
            file.lock().with_context(|| format!("failed to lock {}", path.display()))?;
        }
        Err(TryLockError::Error(error)) => {
            return Err(error).with_context(|| format!("failed to lock {}", path.display()));
        }
    }
    Ok(file)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_python_or_list_is_another_environment() {
        let python = |version: &str, prefix: &str| Python {
            program: "python3".into(),
            version: version.into(),
            prefix: prefix.into(),
        };
        let recipe = Recipe { name: "one", requirements: "six==1.17.0", command: "make" };
        let mut keys =
            [python("3.11.7", "/usr"), python("3.11.8", "/usr"), python("3.11.7", "/opt")]
                .map(|python| key(recipe, &python))
                .to_vec();
        keys.push(key(
            Recipe { name: "another", requirements: "six==1.16.0", command: "make" },
            &python("3.11.7", "/usr"),
        ));
        assert_eq!(std::collections::HashSet::<String>::from_iter(keys).len(), 4);
    }
}
