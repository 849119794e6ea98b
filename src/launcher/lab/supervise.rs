//! Runs the server until it exits or a signal stops it.
//!
//! The server has its own process group, so that a Ctrl-C reaches it only through us: the first one
//! asks it to stop, which shuts down its kernels; a second one, or a timeout, kills it.

use crate::base::log::log;
use crate::base::process::die_with_parent;
use anyhow::{Context, Result};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{Command, ExitCode, ExitStatus, Stdio};
use std::time::Duration;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::time::Instant;

/// How long to wait for a clean shutdown. Jupyter takes up to five seconds per kernel.
const SHUTDOWN_TIMEOUT: Duration = Duration::from_secs(30);
/// When to repeat the signal. Python loses a signal that arrives while it writes its log, as it
/// does right after its start.
const RETRY_AFTER: Duration = Duration::from_secs(10);

/// Runs the command, turning SIGINT, SIGTERM and SIGHUP into a clean stop, and returns its exit
/// code.
pub fn run(command: Command) -> Result<ExitCode> {
    // One thread, because the child dies with the thread that starts it.
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
        // Until it is asked to stop there is no deadline: the branch is disabled and the value
        // unused.
        let deadline = asked.unwrap_or_else(Instant::now)
            + if asked_again { SHUTDOWN_TIMEOUT } else { RETRY_AFTER };
        tokio::select! {
            status = child.wait() => return status.context("failed to wait for JupyterLab"),
            () = stop_signals.next() => {
                if asked.is_none() {
                    asked = Some(Instant::now());
                    log!("\nparcourse: stopping JupyterLab and its kernels (press Ctrl-C again to \
                        kill them)");
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
                log!("parcourse: JupyterLab did not stop within {} s; killing \
                    it", SHUTDOWN_TIMEOUT.as_secs());
                send(-group, libc::SIGKILL);
                return child.wait().await.context("failed to wait for JupyterLab");
            }
        }
    }
}

/// Signals that ask us to stop, from Ctrl-C, a batch system or service manager, or a closed
/// terminal.
struct StopSignals {
    interrupt: Signal,
    terminate: Signal,
    hangup: Option<Signal>,
}

impl StopSignals {
    fn listen() -> std::io::Result<Self> {
        // Under nohup, SIGHUP is ignored; listening would undo that.
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

/// Sends a signal. Errors are ignored, because the process may have exited.
fn send(process: libc::pid_t, signal: libc::c_int) {
    // SAFETY: kill takes any two numbers.
    unsafe { libc::kill(process, signal) };
}

/// The exit code as a shell reports it: 128 + signal number for a killed process.
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
