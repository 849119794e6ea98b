//! Cleaning up after a kernel, however it ends.
//!
//! A kernel may be killed at any moment. A guard process, forked before anything else happens,
//! waits for the end of a pipe that only the kernel holds. Then it kills the processes that the
//! notebook left running and removes temporary folders. The kernel in turn ends when the Jupyter
//! server that started it ends.

use crate::base::log::log;
use crate::base::process;
use crate::engine::build_cache;
use anyhow::{Context, Result, bail};
use rustix::fd::OwnedFd;
use rustix::process::Pid;

/// Environment variable that marks every process of one kernel.
pub const MARK: &str = "PARCOURSE_KERNEL_ID";

/// The pipe that the guard watches. It closes when this is dropped or this process ends.
pub struct Guard {
    _pipe: OwnedFd,
}

/// Forks the guard. Call this while the process has a single thread.
pub fn start(id: &str) -> Result<Guard> {
    let (reader, writer) = rustix::pipe::pipe_with(rustix::pipe::PipeFlags::CLOEXEC)
        .context("failed to start the guard")?;
    let kernel = std::process::id();
    // SAFETY: this process has a single thread, so the child can continue like any other process.
    match unsafe { libc::fork() } {
        -1 => Err(std::io::Error::last_os_error()).context("failed to start the guard"),
        0 => {
            drop(writer);
            // Leave the kernel's process group before the kernel continues, so that killing the
            // group spares the guard.
            let _ = rustix::process::setsid();
            // Fork twice, so that the guard is not a child of the kernel: an interrupt does not
            // stop it, and the kernel need not wait for it. SAFETY: as above.
            match unsafe { libc::fork() } {
                0 => watch(reader, id, kernel),
                // SAFETY: exits without running the parent's exit handlers.
                _ => unsafe { libc::_exit(0) },
            }
        }
        child => {
            // SAFETY: waits for our own child and ignores its status.
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
    // The process that started the kernel may wait for the end of its output.
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
    // Several rounds: processes may be starting while we look, and killed ones take a moment to
    // end.
    for _ in 0..250 {
        let left = process::with_environment(&mark);
        if left.is_empty() {
            break;
        }
        process::kill_all(&left);
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    build_cache::sweep_after(kernel);
    std::process::exit(0)
}

/// The Jupyter server that started this kernel: the process in `JPY_PARENT_PID`, if it is one of
/// our ancestors. A kernel that was started over the network has the variable too, with the id of a
/// process on another machine.
pub struct Jupyter {
    #[cfg(target_os = "linux")]
    server: Option<OwnedFd>,
}

impl Jupyter {
    /// Call this first, so that the kernel notices a server that ends while the kernel starts.
    ///
    /// # Errors
    /// If the server has already ended.
    pub fn find() -> Result<Jupyter> {
        let named =
            std::env::var("JPY_PARENT_PID").ok().and_then(|pid| Pid::from_raw(pid.parse().ok()?));
        let ours = named.filter(|pid| is_ancestor(*pid));
        // Orphans become children of process 1. The parent of a kernel that was started over the
        // network is the program that started it on this machine.
        let is_orphan = rustix::process::getppid() == Some(Pid::INIT);
        if named.is_some() && ours.is_none() && is_orphan {
            bail!("Jupyter has ended, so the kernel does not start");
        }
        Ok(Jupyter {
            #[cfg(target_os = "linux")]
            server: ours.and_then(|pid| {
                rustix::process::pidfd_open(pid, rustix::process::PidfdFlags::empty()).ok()
            }),
        })
    }

    /// Starts a thread that ends this process when the server ends.
    pub fn exit_with_server(self) {
        #[cfg(target_os = "linux")]
        if let Some(server) = self.server {
            std::thread::spawn(move || {
                use rustix::event::{PollFd, PollFlags, poll};
                let _ = rustix::io::retry_on_intr(|| {
                    poll(&mut [PollFd::new(&server, PollFlags::IN)], None)
                });
                log!("parcourse kernel: Jupyter has ended, so the kernel ends");
                // Exit at once, because the engine's thread may be in the middle of a cell. The
                // guard cleans up. SAFETY: exits without running exit handlers.
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
        pid = process::parent(current);
    }
    false
}
