//! Builds a template: the side that watches.
//!
//! The work is done by a process of its own (`parcourse __build-template`, see `builder`) in a
//! directory that is renamed into place when all went well. Its lines become progress for people.
//! It ends when this process ends, however that happens.

use super::key::Ingredients;
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

/// What builds outside of the templates' folder are called.
const BUILD: &str = "build";

/// A finished template that is not yet in its place.
pub struct Staged {
    _claim: OwnedDir,
    template: PathBuf,
    destination: PathBuf,
}

/// Builds the template in a directory beside its place.
pub fn build(
    ingredients: &Ingredients,
    root: &Path,
    lock: Option<&BuildLock>,
    progress: &mut dyn FnMut(&str),
) -> Result<Staged> {
    let start = Instant::now();
    ingredients.flavor.check_cpu(&ingredients.toolchain.rustc)?;
    let claim = OwnedDir::create(root, store::build_prefix())?;
    let template = claim.path().join("template");
    let work = template.join("work");
    let elsewhere = elsewhere(claim.path())?;
    let place = work;
    let work = elsewhere.as_ref().map_or_else(|| place.clone(), |claim| claim.path().join("work"));
    for folder in [&template, &work.join("src")] {
        std::fs::create_dir_all(folder)
            .with_context(|| format!("failed to make {}", folder.display()))?;
    }
    if let Some(text) = &ingredients.lock {
        std::fs::write(work.join("Cargo.lock"), text)
            .with_context(|| format!("failed to write in {}", work.display()))?;
    }
    let environment: Vec<(&str, OsString)> = ingredients
        .toolchain
        .environment()
        .into_iter()
        .chain(ingredients.toolchain.library_path())
        .chain(
            ingredients
                .flavor
                .cell_environment()
                .into_iter()
                .map(|(name, value)| (name, value.into())),
        )
        .chain([("EVCXR_TMPDIR", work.clone().into()), ("EVCXR_CONFIG_DIR", claim.path().into())])
        .collect();
    if !ingredients.toolchain.has_library_sources() {
        // The engine asks rustup for them when it starts; without rustup it does without them, and
        // guesses fewer types.
        progress(
            "the standard library's sources are not installed (rust-src): fetching them, which needs the network",
        );
    }
    let mut task = Task::new(ingredients, &work, &environment)?;
    task.command.arg("--resolve");
    let report = task.run(work.parent().unwrap_or(&work), lock, progress)?;
    prune::strip(&work)?;
    let contents =
        if elsewhere.is_some() { copy::copy_tree(&work, &place)? } else { copy::measure(&place)? };
    let manifest = Manifest {
        format: FORMAT,
        helpers: ingredients.sources.helpers.clone(),
        rustc: ingredients.toolchain.version.clone(),
        files: contents.files,
        bytes: contents.bytes,
        crates: report.total,
        seconds: start.elapsed().as_secs_f64(),
    };
    let file = template.join("template.json");
    std::fs::write(&file, serde_json::to_vec_pretty(&manifest)?)
        .with_context(|| format!("failed to write {}", file.display()))?;
    Ok(Staged { _claim: claim, template, destination: root.join(&ingredients.key) })
}

/// Another place to build in, when `folder` is not fit for that: below one that others can write
/// to, or with a space in its name.
fn elsewhere(folder: &Path) -> Result<Option<OwnedDir>> {
    if crate::base::paths::fit_for_builds(folder).is_ok() {
        return Ok(None);
    }
    let builds = crate::base::paths::build_folder()?;
    crate::base::owned_dir::sweep(&builds, BUILD);
    OwnedDir::create(&builds, BUILD).map(Some)
}

/// How many builds outside of the templates' folder were killed, left as they are.
pub fn abandoned() -> usize {
    crate::base::paths::build_folder()
        .map(|builds| crate::base::owned_dir::abandoned(&builds, BUILD))
        .unwrap_or(0)
}

impl Staged {
    /// Puts it in its place. When a complete one is there already, that one stays.
    pub fn install(self) -> Result<()> {
        for _ in 0..2 {
            match std::fs::rename(&self.template, &self.destination) {
                Ok(()) => return Ok(()),
                Err(error) if self.destination.is_dir() => {
                    if self.destination.join("template.json").exists() {
                        return Ok(());
                    }
                    // Something of that name that is no template: not built by us, which renames
                    // complete ones only.
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
        bail!("failed to replace {}: remove it", self.destination.display())
    }
}

/// What a builder process did.
#[derive(Debug, Default)]
pub struct Report {
    /// How many crates the helper crate is made of, itself included. 0 when that was not looked
    /// into.
    pub total: usize,
    /// Crates of which cargo said that it compiled them: not all (see `progress`), but always the
    /// helper crate when one of them was.
    pub compiled: Vec<String>,
    /// How long its steps took, in seconds.
    pub steps: Vec<(String, f64)>,
}

/// A builder process to be.
pub struct Task<'a> {
    command: Command,
    target: PathBuf,
    helpers: &'a Path,
}

enum Line {
    Said(String),
    Complained(String),
}

impl<'a> Task<'a> {
    /// A builder that runs the first cells of a notebook in `work`.
    pub fn new(
        ingredients: &'a Ingredients,
        work: &Path,
        environment: &[(&str, OsString)],
    ) -> Result<Task<'a>> {
        let program = std::env::current_exe().context("failed to find this program's own file")?;
        let mut command = Command::new(program);
        command.arg(builder::NAME).arg("--helpers").arg(&ingredients.sources.helpers);
        command.args(["--kernel", ingredients.flavor.name()]).arg("--directory").arg(work);
        command
            .arg("--cargo")
            .arg(ingredients.toolchain.cargo())
            .args(["--host", ingredients.toolchain.host()?]);
        // What a kernel process has in its environment does not concern a builder it starts.
        for name in
            ["EVCXR_IS_RUNTIME", "EVCXR_RUSTC_WRAPPER", "PARCOURSE_KERNEL", "PARCOURSE_AUDIT"]
        {
            command.env_remove(name);
        }
        command.envs(environment.iter().map(|(name, value)| (name, value)));
        Ok(Task { command, target: work.join("target"), helpers: &ingredients.sources.helpers })
    }

    /// Runs it in `folder` (where no `evcxr.toml` changes its ways) and passes on what it says.
    pub fn run(
        mut self,
        folder: &Path,
        lock: Option<&BuildLock>,
        report_line: &mut dyn FnMut(&str),
    ) -> Result<Report> {
        // Its standard input is the thread it hangs on: the end of it means that we are gone.
        self.command
            .current_dir(folder)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut child = self.command.spawn().context("failed to start the builder process")?;
        let _alive = child.stdin.take();
        let (sender, lines) = channel();
        forward(child.stdout.take(), sender.clone(), Line::Said);
        forward(child.stderr.take(), sender, Line::Complained);
        let mut report = Report::default();
        let mut complaints: Vec<String> = Vec::new();
        let mut shown = String::new();
        let mut show = |text: &str| {
            // Also when nothing is new: the lock's heartbeat.
            if let Some(lock) = lock {
                lock.say(text);
            }
            if text != shown {
                shown = text.to_owned();
                report_line(text);
            }
        };
        let mut step = String::new();
        loop {
            match lines.recv_timeout(lock::HEARTBEAT / 4) {
                Ok(Line::Said(line)) => match line.split_once(' ') {
                    Some(("total", number)) => report.total = number.parse().unwrap_or(0),
                    Some(("took", rest)) => {
                        if let Some((seconds, step)) = rest.split_once(' ') {
                            report
                                .steps
                                .push((step.to_owned(), seconds.parse().unwrap_or(f64::NAN)));
                        }
                    }
                    Some(("step", text)) => step = text.to_owned(),
                    _ => complaints.push(line),
                },
                Ok(Line::Complained(line)) => match compiling(&line) {
                    Some(name) => report.compiled.push(name.to_owned()),
                    None => complaints.push(line),
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
        let reason = if complaints.is_empty() {
            "it gave no reason".to_owned()
        } else {
            complaints.join("\n")
        };
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

/// The crate in cargo's line `   Compiling NAME vVERSION`.
fn compiling(line: &str) -> Option<&str> {
    let rest = line.trim_start().strip_prefix("Compiling ")?;
    rest.split_whitespace().next()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn knows_cargos_lines() {
        assert_eq!(compiling("   Compiling rayon-core v1.13.0"), Some("rayon-core"));
        assert_eq!(
            compiling("   Compiling parcourse v0.1.0 (/home/me/helpers)"),
            Some("parcourse")
        );
        assert_eq!(compiling("error: no matching package named `x` found"), None);
    }

    #[test]
    fn a_complete_template_is_not_replaced_and_rubbish_is() {
        let root = tempfile::tempdir().unwrap();
        let destination = root.path().join("parcourse-key");
        let stage = |text: &str| {
            let claim = OwnedDir::create(root.path(), store::build_prefix()).unwrap();
            let template = claim.path().join("template");
            std::fs::create_dir(&template).unwrap();
            std::fs::write(template.join("template.json"), text).unwrap();
            Staged { _claim: claim, template, destination: destination.clone() }
        };
        std::fs::create_dir(&destination).unwrap();
        std::fs::write(destination.join("rubbish"), "").unwrap();
        stage("first").install().unwrap();
        stage("second").install().unwrap();
        assert_eq!(std::fs::read_to_string(destination.join("template.json")).unwrap(), "first");
        assert_eq!(
            std::fs::read_dir(root.path()).unwrap().count(),
            1,
            "nothing else is left behind"
        );
    }
}
