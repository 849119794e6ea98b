//! The guard: a small process between the runner and one kernel, so that nothing of the kernel
//! outlives the runner.
//!
//! A kernel is a tree of processes: the engine, the user's code, cargo, rustc, and whatever a cell
//! starts. A runner that is killed with SIGKILL cannot clean them up. The guard can: its stdin,
//! which the runner holds open, is closed by the operating system when the runner ends, whatever
//! the reason. The guard is the subreaper of everything below it, including processes that leave
//! their group. It kills what is left and removes the kernel's directory.
//!
//! On stdout it reports the kernel's state to the runner, one line each: `started PID`, then
//! `exited CODE` or `killed SIGNAL`.

use crate::base::process;
use anyhow::{Context, Result};
use clap::Args;
use std::ffi::OsString;
use std::io::{Read, Write};
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Command, ExitCode, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// File in the kernel's directory that captures the kernel's own stdout and stderr.
pub const LOG: &str = "kernel.log";

/// How long to wait for processes that cannot be killed (because they wait for a dead network
/// disk).
const REAP_LIMIT: Duration = Duration::from_secs(5);

#[derive(Args)]
pub struct GuardArguments {
    /// The kernel's directory, removed at the end
    #[arg(long)]
    directory: PathBuf,
    /// Another folder to remove at the end
    #[arg(long, value_name = "DIRECTORY")]
    also_remove: Option<PathBuf>,
    /// How long processes that outlive the kernel may take to exit by themselves
    #[arg(long, value_name = "MILLISECONDS", default_value_t = 0)]
    timeout: u64,
    /// The kernel's command line
    #[arg(last = true, required = true)]
    command: Vec<OsString>,
}

pub fn main(arguments: GuardArguments) -> Result<ExitCode> {
    survive_signals();
    become_reaper();
    let log = std::fs::File::create(arguments.directory.join(LOG))
        .context("failed to create the kernel's log")?;
    let guard = std::process::id();
    let mut command = Command::new(&arguments.command[0]);
    command.args(&arguments.command[1..]).env("JPY_PARENT_PID", guard.to_string()).process_group(0);
    command.stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log);
    let kernel = process::die_with_parent(&mut command)
        .spawn()
        .with_context(|| format!("failed to start {}", arguments.command[0].display()))?
        .id() as libc::pid_t;
    report(&format!("started {kernel}"));

    let alive = Arc::new(Mutex::new(true));
    let watcher = std::thread::spawn({
        let alive = alive.clone();
        move || {
            wait_for_end_of_input();
            kill_group(kernel, &alive);
        }
    });
    report(&wait_for_exit(kernel));
    kill_group(kernel, &alive);
    reap(kernel, &alive, Duration::from_millis(arguments.timeout));
    // The runner may still want to read the log.
    let _ = watcher.join();
    // Our kernel's own guard does this too, unless it timed out or was killed.
    crate::engine::build_cache::sweep_after(kernel as u32);
    for directory in
        [Some(&arguments.directory), arguments.also_remove.as_ref()].into_iter().flatten()
    {
        crate::base::owned_dir::remove(directory);
    }
    Ok(ExitCode::SUCCESS)
}

/// Errors are ignored: the runner may be gone.
fn report(line: &str) {
    let mut stdout = std::io::stdout();
    let _ = writeln!(stdout, "{line}").and_then(|()| stdout.flush());
}

fn wait_for_end_of_input() {
    let mut buffer = [0; 64];
    while std::io::stdin().read(&mut buffer).is_ok_and(|count| count > 0) {}
}

/// Signals meant for the runner (Ctrl-C, a closed terminal) must not end the guard before it has
/// cleaned up. The signals get empty handlers rather than being ignored, because the kernel would
/// inherit ignored signals.
fn survive_signals() {
    extern "C" fn nothing(_: libc::c_int) {}
    for signal in [libc::SIGINT, libc::SIGTERM, libc::SIGHUP, libc::SIGQUIT] {
        // SAFETY: an all-zero sigaction is valid, the handler does nothing, and SA_RESTART keeps
        // interrupted reads and waits going.
        unsafe {
            let mut action: libc::sigaction = std::mem::zeroed();
            action.sa_sigaction = nothing as extern "C" fn(libc::c_int) as libc::sighandler_t;
            action.sa_flags = libc::SA_RESTART;
            libc::sigaction(signal, &action, std::ptr::null_mut());
        }
    }
}

#[cfg(target_os = "linux")]
fn become_reaper() {
    // SAFETY: takes plain integers. On failure we still have the process group.
    unsafe { libc::prctl(libc::PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) };
}

#[cfg(not(target_os = "linux"))]
fn become_reaper() {}

/// Waits for the kernel's end without reaping it: until it is reaped, no other process can get its
/// process id or group id.
fn wait_for_exit(kernel: libc::pid_t) -> String {
    loop {
        // SAFETY: the structure is only written to, and read after success.
        let (result, info) = unsafe {
            let mut info: libc::siginfo_t = std::mem::zeroed();
            (
                libc::waitid(
                    libc::P_PID,
                    kernel as libc::id_t,
                    &mut info,
                    libc::WEXITED | libc::WNOWAIT,
                ),
                info,
            )
        };
        if result == 0 {
            // SAFETY: waitid has filled in the fields of a child's end.
            let status = unsafe { info.si_status() };
            return if info.si_code == libc::CLD_EXITED {
                format!("exited {status}")
            } else {
                format!("killed {status}")
            };
        }
        if std::io::Error::last_os_error().kind() != std::io::ErrorKind::Interrupted {
            return "lost".to_string();
        }
    }
}

/// Kills the kernel and its process group, as long as the group id is still ours.
fn kill_group(kernel: libc::pid_t, alive: &Mutex<bool>) {
    let alive = alive.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
    if *alive {
        // SAFETY: a plain system call; the kernel is not reaped, so the number still names its
        // group.
        unsafe { libc::kill(-kernel, libc::SIGKILL) };
    }
}

/// Reaps the kernel, then kills and reaps the processes it left behind: orphans below a subreaper
/// become its children.
fn reap(kernel: libc::pid_t, alive: &Mutex<bool>, timeout: Duration) {
    {
        let mut alive = alive.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        // SAFETY: our own child; no status wanted.
        unsafe { libc::waitpid(kernel, std::ptr::null_mut(), 0) };
        *alive = false;
    }
    let begun = Instant::now();
    while begun.elapsed() < REAP_LIMIT {
        // SAFETY: as above.
        match unsafe { libc::waitpid(-1, std::ptr::null_mut(), libc::WNOHANG) } {
            -1 => return,
            0 => {
                // The kernel may have its own guard, which is still cleaning up.
                let leftovers = if begun.elapsed() < timeout {
                    Vec::new()
                } else {
                    process::children(rustix::process::getpid())
                };
                process::kill_all(&leftovers);
                std::thread::sleep(Duration::from_millis(5));
            }
            _ => {}
        }
    }
}
