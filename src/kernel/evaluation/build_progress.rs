//! Shows the progress of long builds of dependencies.
//!
//! The engine shows nothing while it waits for cargo. Users who ask for a large crate should see
//! that something happens and how much is left: how many crates of how many are done, and which one
//! is being compiled. This is one line, updated in place, that first appears after 1.5 seconds.

use crate::base::process;
use crate::engine::build_cache::finished_crates;
use crate::kernel::output::Outputs;
use serde_json::Value;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// Builds that are faster than this show no progress.
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
        // The template contains crates that this notebook may not use.
        let progress = total.as_ref().map(|total| {
            format!(
                ": {} of {} crates",
                finished_crates(&directory.join("target")).intersection(total).count(),
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

/// The dependency that a compiler below this process is compiling. The cell itself does not count.
fn crate_being_compiled() -> Option<String> {
    let compilers = process::descendants(rustix::process::getpid(), |_| false);
    compilers.into_iter().find_map(|pid| {
        let arguments = std::fs::read(format!("/proc/{}/cmdline", pid.as_raw_nonzero())).ok()?;
        let mut arguments =
            arguments.split(|byte| *byte == 0).skip_while(|argument| *argument != b"--crate-name");
        let name = String::from_utf8(arguments.nth(1)?.to_vec()).ok()?;
        (name != "ctx" && name != "___").then_some(name)
    })
}

/// The packages that the cells depend on, on this platform. `None` if cargo does not know yet.
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
