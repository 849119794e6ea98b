//! Telling how far a long build of dependencies has come.
//!
//! The engine waits for cargo and shows nothing meanwhile. Who has asked for a large crate should
//! see that something happens, and how much is left: crates done of total, and the one being
//! compiled. One line, updated in place, from the second second on.

use crate::kernel::output::Outputs;
use crate::kernel::process::descendants;
use serde_json::Value;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// What is compiled faster needs no announcement.
const ANNOUNCE_AFTER: Duration = Duration::from_millis(1500);
const UPDATE_INTERVAL: Duration = Duration::from_secs(1);

/// Watches the build directory until it is dropped.
pub struct BuildProgress {
    end: Option<mpsc::Sender<()>>,
    watcher: Option<JoinHandle<()>>,
}

impl BuildProgress {
    pub fn watch(outputs: Arc<Outputs>, directory: PathBuf) -> BuildProgress {
        let (end, ended) = mpsc::channel();
        let watcher = std::thread::spawn(move || watch(&outputs, &directory, &ended));
        BuildProgress { end: Some(end), watcher: Some(watcher) }
    }
}

impl Drop for BuildProgress {
    fn drop(&mut self) {
        drop(self.end.take());
        if let Some(watcher) = self.watcher.take() {
            let _ = watcher.join();
        }
    }
}

fn watch(outputs: &Outputs, directory: &Path, ended: &mpsc::Receiver<()>) {
    let started = Instant::now();
    let mut shown = None;
    let mut wait = ANNOUNCE_AFTER;
    while ended.recv_timeout(wait) == Err(RecvTimeoutError::Timeout)
        && outputs.running_since().is_none()
    {
        wait = UPDATE_INTERVAL;
        let Some(crate_name) = crate_being_compiled() else { continue };
        let (id, total) = shown.get_or_insert_with(|| {
            let id = uuid::Uuid::new_v4().to_string();
            outputs.show_progress(&id, "compiling dependencies", true);
            (id, packages(directory))
        });
        // The template holds crates that this notebook may not have asked for.
        let progress = total.as_ref().map(|total| {
            format!(
                ": {} of {} crates",
                compiled(directory).intersection(total).count(),
                total.len()
            )
        });
        let progress = progress.unwrap_or_default();
        let text = format!(
            "compiling dependencies{progress}, now {crate_name} ({} s)",
            started.elapsed().as_secs()
        );
        outputs.show_progress(id, &text, false);
    }
    if let Some((id, _)) = shown {
        let text = format!("compiled dependencies in {:.0} s", started.elapsed().as_secs_f64());
        outputs.show_progress(&id, &text, false);
    }
}

/// The dependency that a compiler below this process works on. The cell itself is no dependency.
fn crate_being_compiled() -> Option<String> {
    let compilers = descendants::descendants(rustix::process::getpid(), |_| false);
    compilers.into_iter().find_map(|pid| {
        let arguments = std::fs::read(format!("/proc/{}/cmdline", pid.as_raw_nonzero())).ok()?;
        let mut arguments =
            arguments.split(|byte| *byte == 0).skip_while(|argument| *argument != b"--crate-name");
        let name = String::from_utf8(arguments.nth(1)?.to_vec()).ok()?;
        (name != "ctx" && name != "___").then_some(name)
    })
}

/// Names of the packages whose library cargo has finished.
fn compiled(directory: &Path) -> BTreeSet<String> {
    let profiles =
        subdirectories(&directory.join("target")).into_iter().map(|target| target.join("debug"));
    let notes = profiles
        .chain([directory.join("target/debug")])
        .flat_map(|profile| subdirectories(&profile.join(".fingerprint")));
    let is_finished = |folder: &PathBuf| {
        let files = std::fs::read_dir(folder).into_iter().flatten().flatten();
        files.into_iter().any(|file| {
            let name = file.file_name();
            ["lib-", "dylib-"]
                .iter()
                .any(|kind| name.as_encoded_bytes().starts_with(kind.as_bytes()))
                && !name.to_string_lossy().contains('.')
        })
    };
    let name = |folder: PathBuf| Some(folder.file_name()?.to_str()?.rsplit_once('-')?.0.to_owned());
    notes.filter(is_finished).filter_map(name).filter(|name| name != "ctx").collect()
}

fn subdirectories(directory: &Path) -> Vec<PathBuf> {
    std::fs::read_dir(directory)
        .into_iter()
        .flatten()
        .flatten()
        .map(|entry| entry.path())
        .filter(|path| path.is_dir())
        .collect()
}

/// Names of the packages that the cells depend on, on this platform. `None` when cargo cannot tell
/// yet.
fn packages(directory: &Path) -> Option<BTreeSet<String>> {
    let output = Command::new("cargo")
        .args(["metadata", "--format-version=1", "--offline", "--filter-platform"])
        .arg(format!("{}-unknown-linux-gnu", std::env::consts::ARCH))
        .current_dir(directory)
        .stderr(Stdio::null())
        .output()
        .ok()?;
    let metadata: Value = serde_json::from_slice(&output.stdout).ok()?;
    let used: BTreeSet<&str> = metadata["resolve"]["nodes"]
        .as_array()?
        .iter()
        .filter_map(|node| node["id"].as_str())
        .collect();
    let packages = metadata["packages"]
        .as_array()?
        .iter()
        .filter(|package| package["id"].as_str().is_some_and(|id| used.contains(id)));
    Some(
        packages
            .filter_map(|package| package["name"].as_str())
            .filter(|name| *name != "ctx")
            .map(str::to_owned)
            .collect(),
    )
}
