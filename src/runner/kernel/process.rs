//! A kernel process as the runner sees it: started through a guard, watched, and reliably stopped.

use super::directory::Directory;
use super::guard;
use super::launch::LaunchSpec;
use crate::runner::KernelKind;
use anyhow::{Context, Result};
use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, ChildStdin, Command};
use tokio::sync::watch;

/// How long a guard may take to kill and reap everything. Its own timeouts add up to a little less.
const GUARD_LIMIT: Duration = Duration::from_secs(8);

/// How a kernel process ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Death {
    Exited(i32),
    Killed(i32),
    /// Unknown, because the guard itself died.
    Unknown,
}

impl std::fmt::Display for Death {
    fn fmt(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
        match self {
            Death::Exited(code) => write!(f, "the kernel process exited with code {code}"),
            Death::Killed(signal) => write!(
                f,
                "the kernel process was killed by signal {signal}{}",
                signal_name(*signal)
            ),
            Death::Unknown => {
                write!(f, "the kernel's guard process died, and the kernel with it")
            }
        }
    }
}

fn signal_name(signal: i32) -> &'static str {
    match signal {
        libc::SIGABRT => " (SIGABRT, abort)",
        libc::SIGBUS => " (SIGBUS)",
        libc::SIGILL => " (SIGILL, an instruction that this CPU does not support)",
        libc::SIGINT => " (SIGINT)",
        libc::SIGKILL => " (SIGKILL, possibly out of memory)",
        libc::SIGSEGV => " (SIGSEGV, segmentation fault)",
        libc::SIGTERM => " (SIGTERM)",
        _ => "",
    }
}

/// A running kernel process. Dropping it kills the kernel and everything below it, and waits until
/// they are gone.
pub struct Process {
    guard: Child,
    /// Closing it makes the guard end everything.
    line: Option<ChildStdin>,
    death: watch::Receiver<Option<Death>>,
    directory: Directory,
    pub spec: LaunchSpec,
}

impl Process {
    pub fn start(
        kind: KernelKind,
        directory: Directory,
        spec: LaunchSpec,
        connection_file: &Path,
        audit: &Path,
        folder: &Path,
    ) -> Result<Process> {
        let temporary = directory.path().join("tmp");
        std::fs::create_dir(&temporary)
            .context("failed to create the kernel's temporary directory")?;
        let program = std::env::current_exe().context("failed to find this program's own file")?;
        let mut command = Command::new(&program);
        command.arg("__guard").arg("--directory").arg(directory.path());
        if let Some(owned_folder) = spec.owned_folder() {
            command.arg("--also-remove").arg(owned_folder);
        }
        if kind == KernelKind::Parcourse {
            // Our kernel has its own guard, which removes its build directory.
            command.args(["--timeout", "1000"]);
        }
        command.arg("--");
        match (kind, &spec.command) {
            (_, Some(other)) => command.args(other).arg(connection_file),
            (KernelKind::Parcourse, None) => {
                command.arg(&program).args(["kernel", "--connection-file"]).arg(connection_file);
                if let Some(helpers) = &spec.helpers {
                    command.arg("--helpers").arg(helpers);
                }
                &mut command
            }
            (KernelKind::Evcxr, None) => {
                command.arg(&program).arg("--control_file").arg(connection_file)
            }
        };
        // Temporary files that a kernel does not remove are removed with our directory.
        command
            .env("TMPDIR", &temporary)
            .envs(spec.environment.iter().map(|(name, value)| (name, value)));
        if kind == KernelKind::Evcxr {
            command.env("PARCOURSE_AUDIT", audit);
        }
        command.current_dir(folder).process_group(0).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut guard = command.spawn().context("failed to start a kernel's guard")?;
        let line = guard.stdin.take();
        let (sender, death) = watch::channel(None);
        let stdout = guard.stdout.take().context("the guard has no stdout")?;
        tokio::spawn(async move {
            let mut lines = BufReader::new(stdout).lines();
            let mut end = Death::Unknown;
            while let Ok(Some(line)) = lines.next_line().await {
                let number =
                    |word: &str| line.strip_prefix(word).and_then(|rest| rest.trim().parse().ok());
                if let Some(code) = number("exited") {
                    end = Death::Exited(code);
                    break;
                } else if let Some(signal) = number("killed") {
                    end = Death::Killed(signal);
                    break;
                }
            }
            let _ = sender.send(Some(end));
        });
        Ok(Process { guard, line, death, directory, spec })
    }

    /// The process id of the guard, the parent of all of the kernel's processes.
    pub fn guard(&self) -> Option<u32> {
        self.guard.id()
    }

    /// Waits until the kernel process has ended.
    pub async fn died(&self) -> Death {
        let mut death = self.death.clone();
        match death.wait_for(Option::is_some).await {
            Ok(end) => end.clone().unwrap_or(Death::Unknown),
            Err(_) => Death::Unknown,
        }
    }

    pub fn is_dead(&self) -> bool {
        self.death.borrow().is_some()
    }

    /// The last lines of the kernel's log, to report its death.
    pub fn log_tail(&self) -> String {
        let log = std::fs::read(self.directory.path().join(guard::LOG)).unwrap_or_default();
        let text = String::from_utf8_lossy(&log).into_owned();
        let lines: Vec<&str> = text.lines().filter(|line| !line.trim().is_empty()).collect();
        lines[lines.len().saturating_sub(12)..].join("\n")
    }

    /// Ends the kernel and everything below it. The guard does the work, so we need not send
    /// signals.
    pub async fn end(mut self) {
        self.line = None;
        let _ = tokio::time::timeout(GUARD_LIMIT, self.guard.wait()).await;
    }

    /// Kills the kernel at once and removes its directory, log included.
    pub async fn kill(&mut self) -> Death {
        self.line = None;
        match tokio::time::timeout(GUARD_LIMIT, self.died()).await {
            Ok(death) => death,
            Err(_) => Death::Unknown,
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.line = None;
        let begun = Instant::now();
        while begun.elapsed() < GUARD_LIMIT && matches!(self.guard.try_wait(), Ok(None)) {
            std::thread::sleep(Duration::from_millis(5));
        }
        // A guard that is still running waits for a process that cannot be killed.
        let _ = self.guard.start_kill();
    }
}
