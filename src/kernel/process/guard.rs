//! Leaving nothing behind.
//!
//! A kernel may be killed at any moment. A guard, forked before anything else happens, waits for
//! the end of a pipe that only the kernel holds; then it kills what the kernel's notebook left
//! running and removes temporary folders. The kernel in turn ends when the Jupyter server that
//! started it does.

use super::descendants;
use crate::base::log::log;
use crate::engine::build_cache;
use anyhow::{Context, Result, bail};
use rustix::fd::OwnedFd;
use rustix::process::Pid;

/// Environment variable that marks every process of one kernel.
pub const MARK: &str = "PARCOURSE_KERNEL_ID";

/// The pipe that the guard watches; it ends with this process at the latest.
pub struct Guard {
    _pipe: OwnedFd,
}

/// Forks the guard. Must be called while this process has one thread.
pub fn start(id: &str) -> Result<Guard> {
    let (reader, writer) = rustix::pipe::pipe_with(rustix::pipe::PipeFlags::CLOEXEC)
        .context("failed to start the guard")?;
    let kernel = std::process::id();
    // SAFETY: this process has one thread, so the child may go on like any other process.
    match unsafe { libc::fork() } {
        -1 => Err(std::io::Error::last_os_error()).context("failed to start the guard"),
        0 => {
            drop(writer);
            // Out of the kernel's process group before the kernel goes on: who kills the group then
            // leaves the guard alive.
            let _ = rustix::process::setsid();
            // A child of nobody: it is not among the processes that an interrupt stops, and needs
            // no waiting for. SAFETY: as above.
            match unsafe { libc::fork() } {
                0 => watch(reader, id, kernel),
                // SAFETY: leaves without running anything of the parent's.
                _ => unsafe { libc::_exit(0) },
            }
        }
        child => {
            // SAFETY: waits for our own child and asks for no status.
            unsafe { libc::waitpid(child, std::ptr::null_mut(), 0) };
            Ok(Guard { _pipe: writer })
        }
    }
}

fn watch(reader: OwnedFd, id: &str, kernel: u32) -> ! {
    for signal in [libc::SIGINT, libc::SIGTERM, libc::SIGHUP] {
        // SAFETY: ignoring a signal installs no code.
        unsafe { libc::signal(signal, libc::SIG_IGN) };
    }
    // Whoever started the kernel may wait for the end of its output.
    if let Ok(null) = std::fs::OpenOptions::new().read(true).write(true).open("/dev/null") {
        use std::os::fd::AsRawFd;
        for standard in 0..3 {
            // SAFETY: dup2 has no memory effects.
            unsafe { libc::dup2(null.as_raw_fd(), standard) };
        }
    }
    let mut byte = [0];
    while rustix::io::read(&reader, &mut byte) == Err(rustix::io::Errno::INTR) {}
    let mark = format!("{MARK}={id}");
    // What is being started while we look shows up in the next round; what is killed needs a moment
    // to go.
    for _ in 0..250 {
        let left = descendants::with_environment(&mark);
        if left.is_empty() {
            break;
        }
        descendants::kill_all(&left);
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    build_cache::sweep_after(kernel);
    std::process::exit(0)
}

/// The Jupyter server that started this kernel: the process named in `JPY_PARENT_PID`, if it is
/// among our ancestors. A kernel started over the network has the variable too, with the number of
/// a process on another machine.
pub struct Jupyter {
    #[cfg(target_os = "linux")]
    process: Option<OwnedFd>,
}

impl Jupyter {
    /// To be called first of all: a server that ends from now on is noticed, however long the
    /// kernel takes to start.
    ///
    /// # Errors
    /// When the server has ended already.
    pub fn find() -> Result<Jupyter> {
        let named =
            std::env::var("JPY_PARENT_PID").ok().and_then(|pid| Pid::from_raw(pid.parse().ok()?));
        let ours = named.filter(|pid| is_ancestor(*pid));
        // Orphans are taken over by the first process. Over the network the parent is the program
        // that does the network's bidding.
        let is_orphan = rustix::process::getppid() == Some(Pid::INIT);
        if named.is_some() && ours.is_none() && is_orphan {
            bail!("Jupyter has gone, so the kernel does not start");
        }
        Ok(Jupyter {
            #[cfg(target_os = "linux")]
            process: ours.and_then(|pid| {
                rustix::process::pidfd_open(pid, rustix::process::PidfdFlags::empty()).ok()
            }),
        })
    }

    /// Ends this process when the server ends. Starts a thread.
    pub fn end_with_it(self) {
        #[cfg(target_os = "linux")]
        if let Some(process) = self.process {
            std::thread::spawn(move || {
                use rustix::event::{PollFd, PollFlags, poll};
                let _ = rustix::io::retry_on_intr(|| {
                    poll(&mut [PollFd::new(&process, PollFlags::IN)], None)
                });
                log!("parcourse kernel: Jupyter has gone, so the kernel ends");
                // At once: the engine's thread may be in the middle of a cell, and the guard ends
                // and removes what is left. SAFETY: leaves without running anything.
                unsafe { libc::_exit(0) };
            });
        }
    }
}

fn is_ancestor(wanted: Pid) -> bool {
    let mut pid = rustix::process::getppid();
    while let Some(current) = pid {
        if current == wanted {
            return true;
        }
        pid = descendants::parent_of(current).and_then(Pid::from_raw);
    }
    false
}
