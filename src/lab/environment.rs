//! The private Python environment with JupyterLab, exactly as pinned in `requirements.txt`.
//!
//! One folder per (requirements, Python), made in place because an environment does not survive being moved, and complete only once its
//! marker is there: a set-up that was broken off is done again from pip's own cache, and a lock makes a second start wait for the first.

use super::progress::Steps;
use super::python::Python;
use super::supervise::die_with_parent;
use crate::paths;
use anyhow::{Context, Result, bail};
use sha2::{Digest, Sha256};
use std::fs::{self, File, TryLockError};
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Every package with its exact version and the digests of its files.
const REQUIREMENTS: &str = include_str!("requirements.txt");
/// Written last.
const MARKER: &str = "complete";

/// An environment that is complete.
#[derive(Debug)]
pub struct Environment {
    directory: PathBuf,
}

impl Environment {
    /// Finds the environment for this Python, or makes it: about a minute and 350 MB, from PyPI or the mirror that pip is configured for;
    /// with `offline` from folders of packages that pip is configured for, if any.
    pub fn ensure(python: &Python, offline: bool, steps: &mut Steps) -> Result<Self> {
        steps.begin(&format!("JupyterLab in a private environment of Python {} ({})", python.version, python.program.display()));
        let environment = Self::place(python)?;
        let parent = environment.directory.parent().context("the environment has no folder")?;
        fs::create_dir_all(parent).with_context(|| format!("failed to create {}", parent.display()))?;
        let name = environment.directory.file_name().unwrap_or_default().display().to_string();
        if !environment.is_complete() {
            let _lock = lock(&parent.join(format!("{name}.lock")), steps)?;
            if !environment.is_complete() {
                environment.make(python, offline, &parent.join(format!("{name}.log")), steps)?;
            }
        }
        steps.done(&environment.directory.display().to_string());
        Ok(environment)
    }

    /// The one for this Python, whether it is there or not.
    pub fn place(python: &Python) -> Result<Self> {
        Ok(Self { directory: paths::cache()?.join("python").join(format!("{}-{}", python.version, key(python))) })
    }

    /// Where it is.
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// Its interpreter.
    pub fn python(&self) -> PathBuf {
        self.directory.join("bin/python")
    }

    /// The interpreter is a link to the Python it was made with, which can go away.
    pub fn is_complete(&self) -> bool {
        self.directory.join(MARKER).is_file() && self.python().exists()
    }

    fn make(&self, python: &Python, offline: bool, log: &Path, steps: &mut Steps) -> Result<()> {
        if self.directory.exists() {
            fs::remove_dir_all(&self.directory).with_context(|| format!("failed to remove {}", self.directory.display()))?;
        }
        let mut log = Log::create(log)?;
        steps.inside("making the environment");
        let mut venv = Command::new(&python.program);
        venv.args(["-I", "-m", "venv"]).arg(&self.directory);
        log.run(&mut venv, |_| {}).context("failed to make a Python environment")?;

        // Outside the environment's folder nothing is left when this fails, inside it the next try starts afresh.
        let requirements = self.directory.join("requirements.txt");
        fs::write(&requirements, REQUIREMENTS).with_context(|| format!("failed to write {}", requirements.display()))?;
        let mut pip = Command::new(self.python());
        pip.args(["-I", "-m", "pip", "install", "--no-deps", "--require-hashes", "--no-input"])
            .args(["--disable-pip-version-check", "--progress-bar", "off", "--no-color", "--requirement"])
            .arg(&requirements)
            // Where the packages come from is the user's business (mirrors, proxies, certificates), where they go is ours.
            .env("PIP_USER", "0")
            .env_remove("PIP_TARGET")
            .env_remove("PIP_PREFIX")
            .env_remove("PIP_CONSTRAINT");
        if offline {
            pip.arg("--no-index");
        }
        let (mut total, mut collected) = (pinned(REQUIREMENTS).count(), 0);
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
        .context(if offline {
            "JupyterLab is not set up yet for this Python, and --offline forbids to fetch it: run `parcourse lab --setup-only` where there is a \
             network, or name a folder of packages in PIP_FIND_LINKS"
        } else {
            "failed to install JupyterLab (the first time needs a network, or a mirror in pip's configuration)"
        })?;
        fs::write(self.directory.join(MARKER), "").with_context(|| format!("failed to finish {}", self.directory.display()))
    }
}

/// What makes two environments different. A home directory may serve machines of several architectures.
fn key(python: &Python) -> String {
    let mut digest = Sha256::new();
    for part in [REQUIREMENTS, &python.version, &python.prefix.to_string_lossy(), std::env::consts::ARCH] {
        digest.update(part.len().to_le_bytes());
        digest.update(part);
    }
    digest.finalize()[..6].iter().map(|byte| format!("{byte:02x}")).collect()
}

/// `name==version` and the condition after it, for every pin.
fn pinned(requirements: &str) -> impl Iterator<Item = &str> {
    requirements.lines().filter(|line| line.contains("==") && line.starts_with(|first: char| first.is_ascii_alphanumeric()))
}

/// Held until dropped. Its file stays: removing it would let two starts hold a lock each.
fn lock(path: &Path, steps: &mut Steps) -> Result<File> {
    let file = File::create(path).with_context(|| format!("failed to create {}", path.display()))?;
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => {
            steps.inside("another start is making it: waiting");
            file.lock().with_context(|| format!("failed to lock {}", path.display()))?;
        }
        Err(TryLockError::Error(error)) => return Err(error).with_context(|| format!("failed to lock {}", path.display())),
    }
    Ok(file)
}

/// Keeps all that the set-up's programs say, and shows the end of it when one fails.
struct Log {
    path: PathBuf,
    file: File,
}

impl Log {
    fn create(path: &Path) -> Result<Self> {
        let file = File::create(path).with_context(|| format!("failed to create {}", path.display()))?;
        Ok(Self { path: path.to_path_buf(), file })
    }

    /// Runs a program to its end, stdout and stderr as one stream of lines.
    fn run(&mut self, command: &mut Command, mut line: impl FnMut(&str)) -> Result<()> {
        let (reader, writer) = std::io::pipe().context("failed to make a pipe")?;
        let second_writer = writer.try_clone().context("failed to make a pipe")?;
        let shown = format!("{command:?}");
        command.stdin(Stdio::null()).stdout(writer).stderr(second_writer);
        let mut child = die_with_parent(command).spawn().with_context(|| format!("failed to start {shown}"))?;
        // The command keeps its ends of the pipe open: without this the pipe would never end.
        command.stdout(Stdio::null()).stderr(Stdio::null());
        let mut last = std::collections::VecDeque::new();
        for bytes in BufReader::new(reader).split(b'\n') {
            let text = String::from_utf8_lossy(&bytes.context("failed to read a program's output")?).into_owned();
            writeln!(self.file, "{text}").with_context(|| format!("failed to write {}", self.path.display()))?;
            line(&text);
            // pip tells of every package that is for other versions of Python.
            if !text.starts_with("Ignoring ") {
                last.push_back(text);
            }
            if last.len() > 15 {
                last.pop_front();
            }
        }
        let status = child.wait().with_context(|| format!("failed to wait for {shown}"))?;
        if !status.success() {
            let last: Vec<String> = last.into();
            bail!("{status}; the last it said (all of it is in {}):\n  {}", self.path.display(), last.join("\n  "));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// pip refuses the whole file when a digest is missing or a version is not exact, but only at the learner's.
    #[test]
    fn every_requirement_is_pinned_with_a_digest() {
        assert!(pinned(REQUIREMENTS).count() > 80);
        for entry in REQUIREMENTS.replace("\\\n", " ").lines().filter(|line| !line.starts_with('#') && !line.is_empty()) {
            assert!(entry.contains("==") && entry.contains("--hash=sha256:"), "{entry}");
        }
    }

    /// Whoever comes by conda gets the same JupyterLab.
    #[test]
    fn environment_yml_names_the_same_jupyterlab() {
        let conda = include_str!("../../environment.yml");
        let version = |line: &str| line.split("jupyterlab==").nth(1).map(|rest| rest.split([' ', ';']).next().unwrap().to_owned());
        let newest = pinned(REQUIREMENTS).filter_map(version).last().unwrap();
        assert!(conda.contains(&format!("- jupyterlab={newest}\n")), "environment.yml lacks jupyterlab={newest}");
    }

    #[test]
    fn another_python_is_another_environment() {
        let python = |version: &str, prefix: &str| Python { program: "python3".into(), version: version.into(), prefix: prefix.into() };
        let keys = [python("3.11.7", "/usr"), python("3.11.8", "/usr"), python("3.11.7", "/opt")].map(|python| key(&python));
        assert_eq!(std::collections::HashSet::from(keys).len(), 3);
    }

    #[test]
    fn a_failing_program_is_quoted_and_logged() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("log");
        let mut log = Log::create(&path).unwrap();
        let mut seen = Vec::new();
        let error = log.run(Command::new("sh").args(["-c", "echo one; echo two >&2; exit 3"]), |line| seen.push(line.to_owned()));
        assert_eq!(seen, ["one", "two"]);
        assert!(error.unwrap_err().to_string().contains("one\n  two"));
        assert_eq!(fs::read_to_string(path).unwrap(), "one\ntwo\n");
    }
}
