//! Builds a template, as seen by the process that wants it.
//!
//! A child process (`parcourse __build-template`, see `builder`) does the work in a temporary
//! directory, which is renamed into place if the build succeeds. The lines that the child prints
//! become progress messages. The child ends when this process ends, however that happens.

use super::key::CacheInputs;
use super::lock::{self, BuildLock};
use super::store::{self, Manifest};
use super::{FORMAT, builder, copy, progress, prune};
use crate::base::owned_dir::OwnedDir;
use anyhow::{Context, Result, bail};
use std::ffi::OsString;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::time::Instant;

/// Prefix of the directories of builds outside the templates' folder.
const BUILD_PREFIX: &str = "build";

/// A finished template that has not been moved into place yet.
pub struct Staged {
    _directory: OwnedDir,
    template: PathBuf,
    destination: PathBuf,
}

/// Builds the template in a temporary directory in `root`.
pub fn build(
    inputs: &CacheInputs,
    root: &Path,
    lock: Option<&BuildLock>,
    progress: &mut dyn FnMut(&str),
) -> Result<Staged> {
    let start = Instant::now();
    inputs.kind.check_cpu(&inputs.toolchain.rustc)?;
    let directory = OwnedDir::create(root, store::BUILD_PREFIX)?;
    let template = directory.path().join("template");
    let work = template.join("work");
    let fallback = fallback_directory(directory.path())?;
    let destination = work;
    let work = fallback
        .as_ref()
        .map_or_else(|| destination.clone(), |directory| directory.path().join("work"));
    for folder in [&template, &work.join("src")] {
        std::fs::create_dir_all(folder)
            .with_context(|| format!("failed to make {}", folder.display()))?;
    }
    if let Some(text) = &inputs.lock {
        std::fs::write(work.join("Cargo.lock"), text)
            .with_context(|| format!("failed to write in {}", work.display()))?;
    }
    let environment: Vec<(&str, OsString)> = inputs
        .toolchain
        .environment()
        .into_iter()
        .chain(inputs.toolchain.library_path())
        .chain(inputs.kind.cell_environment().into_iter().map(|(name, value)| (name, value.into())))
        .chain([
            ("EVCXR_TMPDIR", work.clone().into()),
            ("EVCXR_CONFIG_DIR", directory.path().into()),
        ])
        .collect();
    if !inputs.toolchain.has_library_sources() {
        // The engine asks rustup for them when it starts. Without rustup it works without them and
        // infers fewer types.
        progress(
            "the standard library's sources are not installed (rust-src): fetching them, which \
             needs the network",
        );
    }
    let mut builder = BuilderProcess::new(inputs, &work, &environment)?;
    builder.command.arg("--resolve");
    let report = builder.run(work.parent().unwrap_or(&work), lock, progress)?;
    prune::strip(&work)?;
    let contents = if fallback.is_some() {
        copy::copy_tree(&work, &destination)?
    } else {
        copy::measure(&destination)?
    };
    let manifest = Manifest {
        format: FORMAT,
        helpers: inputs.sources.helpers.clone(),
        rustc: inputs.toolchain.version.clone(),
        files: contents.files,
        bytes: contents.bytes,
        crates: report.total,
        seconds: start.elapsed().as_secs_f64(),
    };
    let file = template.join("template.json");
    std::fs::write(&file, serde_json::to_vec_pretty(&manifest)?)
        .with_context(|| format!("failed to write {}", file.display()))?;
    Ok(Staged { _directory: directory, template, destination: root.join(&inputs.key) })
}

/// A different directory to build in if cargo cannot safely work in `folder`: other users can write
/// to one of its parents, or its path contains a space.
fn fallback_directory(folder: &Path) -> Result<Option<OwnedDir>> {
    if crate::base::paths::check_build_folder(folder).is_ok() {
        return Ok(None);
    }
    let builds = crate::base::paths::build_folder()?;
    crate::base::owned_dir::sweep(&builds, BUILD_PREFIX);
    OwnedDir::create(&builds, BUILD_PREFIX).map(Some)
}

/// Counts the directories that killed builds left outside the templates' folder. Removes nothing.
pub fn abandoned() -> usize {
    crate::base::paths::build_folder()
        .map(|builds| crate::base::owned_dir::abandoned(&builds, BUILD_PREFIX))
        .unwrap_or(0)
}

impl Staged {
    /// Moves the template into place. A complete template that is already there stays.
    pub fn install(self) -> Result<()> {
        for _ in 0..2 {
            match std::fs::rename(&self.template, &self.destination) {
                Ok(()) => return Ok(()),
                Err(error) if self.destination.is_dir() => {
                    if self.destination.join("template.json").exists() {
                        return Ok(());
                    }
                    // Something else has that name. We did not build it, because we only rename
                    // complete templates.
                    prune::remove(&self.destination);
                    drop(error);
                }
                Err(error) => {
                    return Err(error).with_context(|| {
                        format!("failed to move the template to {}", self.destination.display())
                    });
                }
            }
        }
        bail!("failed to replace {}: please remove it", self.destination.display())
    }
}

/// What a builder process reported.
#[derive(Debug, Default)]
pub struct BuildReport {
    /// The number of crates to compile, the helper crate included; 0 if the builder did not resolve
    /// them.
    pub total: usize,
    /// Crates that cargo said it compiled. Not all of them (see `progress`), but if any crate was
    /// compiled, the helper crate is among them.
    pub compiled: Vec<String>,
    /// The steps and how long each took, in seconds.
    pub steps: Vec<(String, f64)>,
}

/// A builder process that has not been started yet.
pub struct BuilderProcess<'a> {
    command: Command,
    target: PathBuf,
    helpers: &'a Path,
}

enum Line {
    Stdout(String),
    Stderr(String),
}

impl<'a> BuilderProcess<'a> {
    /// Prepares a builder that runs the first cells of a notebook in `work`.
    pub fn new(
        inputs: &'a CacheInputs,
        work: &Path,
        environment: &[(&str, OsString)],
    ) -> Result<BuilderProcess<'a>> {
        let program = std::env::current_exe().context("failed to find this program's own file")?;
        let mut command = Command::new(program);
        command.arg(builder::NAME).arg("--helpers").arg(&inputs.sources.helpers);
        command.args(["--kernel", inputs.kind.name()]).arg("--directory").arg(work);
        command
            .arg("--cargo")
            .arg(inputs.toolchain.cargo())
            .args(["--host", inputs.toolchain.host()?]);
        // These belong to the kernel process that may start the builder, not to the builder.
        for name in
            ["EVCXR_IS_RUNTIME", "EVCXR_RUSTC_WRAPPER", "PARCOURSE_KERNEL", "PARCOURSE_AUDIT"]
        {
            command.env_remove(name);
        }
        command.envs(environment.iter().map(|(name, value)| (name, value)));
        Ok(BuilderProcess {
            command,
            target: work.join("target"),
            helpers: &inputs.sources.helpers,
        })
    }

    /// Runs the builder in `folder`, where no `evcxr.toml` changes its settings, and reports its
    /// progress.
    pub fn run(
        mut self,
        folder: &Path,
        lock: Option<&BuildLock>,
        report_line: &mut dyn FnMut(&str),
    ) -> Result<BuildReport> {
        // The builder ends when its standard input ends, which happens when this process dies.
        self.command
            .current_dir(folder)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut child = self.command.spawn().context("failed to start the builder process")?;
        let _alive = child.stdin.take();
        let (sender, lines) = channel();
        forward(child.stdout.take(), sender.clone(), Line::Stdout);
        forward(child.stderr.take(), sender, Line::Stderr);
        let mut report = BuildReport::default();
        let mut errors: Vec<String> = Vec::new();
        let mut shown = String::new();
        let mut show = |text: &str| {
            // Even if nothing is new: this is the lock's heartbeat.
            if let Some(lock) = lock {
                lock.report(text);
            }
            if text != shown {
                shown = text.to_owned();
                report_line(text);
            }
        };
        let mut step = String::new();
        loop {
            match lines.recv_timeout(lock::HEARTBEAT_INTERVAL / 4) {
                Ok(Line::Stdout(line)) => match line.split_once(' ') {
                    Some(("total", number)) => report.total = number.parse().unwrap_or(0),
                    Some(("took", rest)) => {
                        if let Some((seconds, step)) = rest.split_once(' ') {
                            report
                                .steps
                                .push((step.to_owned(), seconds.parse().unwrap_or(f64::NAN)));
                        }
                    }
                    Some(("step", text)) => step = text.to_owned(),
                    _ => errors.push(line),
                },
                Ok(Line::Stderr(line)) => match compiling(&line) {
                    Some(name) => report.compiled.push(name.to_owned()),
                    None => errors.push(line),
                },
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => break,
            }
            match report.compiled.last() {
                Some(name) if step == builder::COMPILING => {
                    let done = progress::finished(&self.target).len();
                    show(&format!(
                        "{step}: {done} of {} crates done ({name})",
                        report.total.max(done)
                    ));
                }
                _ => show(&step),
            }
        }
        let status = child.wait().context("failed to wait for the builder process")?;
        if status.success() {
            return Ok(report);
        }
        let reason =
            if errors.is_empty() { "no reason was given".to_owned() } else { errors.join("\n") };
        bail!(
            "failed to compile the helper crate {} for cells ({status}):\n{reason}",
            self.helpers.display()
        )
    }
}

fn forward(
    pipe: Option<impl Read + Send + 'static>,
    sender: Sender<Line>,
    line: fn(String) -> Line,
) {
    let Some(pipe) = pipe else { return };
    std::thread::spawn(move || {
        for text in BufReader::new(pipe).split(b'\n').map_while(Result::ok) {
            if sender.send(line(String::from_utf8_lossy(&text).into_owned())).is_err() {
                return;
            }
        }
    });
}

/// Returns the crate named in cargo's line `   Compiling NAME vVERSION`.
fn compiling(line: &str) -> Option<&str> {
    let rest = line.trim_start().strip_prefix("Compiling ")?;
    rest.split_whitespace().next()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn recognizes_cargos_lines() {
        assert_eq!(compiling("   Compiling rayon-core v1.13.0"), Some("rayon-core"));
        assert_eq!(
            compiling("   Compiling parcourse v0.1.0 (/home/me/helpers)"),
            Some("parcourse")
        );
        assert_eq!(compiling("error: no matching package named `x` found"), None);
    }

    #[test]
    fn a_complete_template_stays_and_anything_else_is_replaced() {
        let root = tempfile::tempdir().unwrap();
        let destination = root.path().join("parcourse-key");
        let stage = |text: &str| {
            let directory = OwnedDir::create(root.path(), store::BUILD_PREFIX).unwrap();
            let template = directory.path().join("template");
            std::fs::create_dir(&template).unwrap();
            std::fs::write(template.join("template.json"), text).unwrap();
            Staged { _directory: directory, template, destination: destination.clone() }
        };
        std::fs::create_dir(&destination).unwrap();
        std::fs::write(destination.join("rubbish"), "").unwrap();
        stage("first").install().unwrap();
        stage("second").install().unwrap();
        assert_eq!(std::fs::read_to_string(destination.join("template.json")).unwrap(), "first");
        assert_eq!(std::fs::read_dir(root.path()).unwrap().count(), 1, "nothing else is left");
    }
}
