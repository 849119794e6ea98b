//! Running the server until it ends or is told to.
//!
//! It gets a process group of its own, so that a Ctrl-C reaches it once and through us: first a
//! request to stop, which shuts its kernels down, then, for the impatient or when it hangs, the
//! end.

use crate::base::log::log;
use crate::base::process::die_with_parent;
use anyhow::{Context, Result};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{Command, ExitCode, ExitStatus, Stdio};
use std::time::Duration;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::time::Instant;

/// Shutting a kernel down takes Jupyter up to five seconds.
const PATIENCE: Duration = Duration::from_secs(30);
/// Python loses a signal that comes while it is writing its log, as it does in the moment it has
/// started: asked again after this time.
const ASK_AGAIN: Duration = Duration::from_secs(10);

/// Runs the command, turning SIGINT, SIGTERM and SIGHUP into a clean stop, and returns its exit
/// code.
pub fn run(command: Command) -> Result<ExitCode> {
    // One thread: the child is tied to the life of the thread that starts it.
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .context("failed to start the signal handlers")?;
    Ok(ExitCode::from(exit_code(runtime.block_on(supervise(command))?)))
}

async fn supervise(mut command: Command) -> Result<ExitStatus> {
    let mut stop_signals = StopSignals::listen().context("failed to listen for signals")?;
    command.stdin(Stdio::null()).process_group(0);
    die_with_parent(&mut command);
    let mut command = tokio::process::Command::from(command);
    let mut child = command
        .spawn()
        .with_context(|| format!("failed to start {}", command.as_std().get_program().display()))?;
    let group = child
        .id()
        .and_then(|id| libc::pid_t::try_from(id).ok())
        .context("the process has no id")?;
    let (mut asked, mut asked_again): (Option<Instant>, bool) = (None, false);
    loop {
        // Before it is asked to stop there is no deadline; the branch is then switched off and the
        // value without meaning.
        let deadline =
            asked.unwrap_or_else(Instant::now) + if asked_again { PATIENCE } else { ASK_AGAIN };
        tokio::select! {
            status = child.wait() => return status.context("failed to wait for JupyterLab"),
            () = stop_signals.next() => {
                if asked.is_none() {
                    asked = Some(Instant::now());
                    log!("\nparcourse: stopping JupyterLab and its kernels (once more to kill them)");
                    send(group, libc::SIGTERM);
                } else {
                    send(-group, libc::SIGKILL);
                }
            }
            () = tokio::time::sleep_until(deadline), if asked.is_some() => {
                if !asked_again {
                    asked_again = true;
                    send(group, libc::SIGTERM);
                    continue;
                }
                log!("parcourse: JupyterLab did not stop within {} s and is killed", PATIENCE.as_secs());
                send(-group, libc::SIGKILL);
                return child.wait().await.context("failed to wait for JupyterLab");
            }
        }
    }
}

/// What asks us to stop: Ctrl-C, a batch system or service manager, a terminal that is closed.
struct StopSignals {
    interrupt: Signal,
    terminate: Signal,
    hangup: Option<Signal>,
}

impl StopSignals {
    fn listen() -> std::io::Result<Self> {
        // Under nohup the hang-up is ignored, which listening would undo.
        let hangup = if hangup_is_ignored() { None } else { Some(signal(SignalKind::hangup())?) };
        Ok(Self {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
            hangup,
        })
    }

    async fn next(&mut self) {
        let hangup = async {
            match &mut self.hangup {
                Some(hangup) => hangup.recv().await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
            _ = hangup => {}
        }
    }
}

fn hangup_is_ignored() -> bool {
    // SAFETY: an all-zero sigaction is a valid value, and with a null new action the call only
    // fills it.
    unsafe {
        let mut current: libc::sigaction = std::mem::zeroed();
        libc::sigaction(libc::SIGHUP, std::ptr::null(), &mut current) == 0
            && current.sa_sigaction == libc::SIG_IGN
    }
}

/// The process may be gone already: then there is nothing to tell it.
fn send(process: libc::pid_t, signal: libc::c_int) {
    // SAFETY: kill takes any two numbers.
    unsafe { libc::kill(process, signal) };
}

/// As a shell would report it: 128 + signal number for a process that was killed.
fn exit_code(status: ExitStatus) -> u8 {
    let code = status.code().or_else(|| status.signal().map(|signal| 128 + signal)).unwrap_or(1);
    u8::try_from(code).unwrap_or(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exit_codes_are_passed_on() {
        let code =
            |script: &str| exit_code(Command::new("sh").args(["-c", script]).status().unwrap());
        assert_eq!(code("exit 0"), 0);
        assert_eq!(code("exit 7"), 7);
        assert_eq!(code("kill -TERM $$"), 143);
    }
}
