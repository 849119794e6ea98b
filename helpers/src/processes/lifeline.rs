//! What ends a child whose parent is gone, however the parent went.
//!
//! A pipe that nothing is ever written to: the parent holds the end for writing, the child the one
//! for reading. When the last copy of the parent's end is closed, by the parent or by its death,
//! the system sends the child SIGKILL. (Linux has `PR_SET_PDEATHSIG` for this, but it counts the
//! death of the *thread* that forked as that of the parent.) Other systems have no such signal;
//! there, a thread waits.

use std::io::{self, PipeReader, PipeWriter};

/// The two ends: the parent's, the child's.
pub(crate) fn new() -> io::Result<(PipeWriter, PipeReader)> {
    io::pipe().map(|(child, parent)| (parent, child))
}

/// In the child: from now on it dies when the parent's end is closed. The descriptor stays open for
/// the life of the process.
#[cfg(target_os = "linux")]
pub(crate) fn attach(child: PipeReader) {
    let descriptor = std::os::fd::IntoRawFd::into_raw_fd(child);
    /// `fcntl`'s command of this name (`<fcntl.h>`), which the libc crate does not have.
    const F_SETSIG: libc::c_int = 10;
    // SAFETY: the descriptor is open, the arguments are those that the commands take, and poll gets
    // one valid entry.
    let is_alone = unsafe {
        libc::fcntl(descriptor, libc::F_SETOWN, libc::getpid());
        libc::fcntl(descriptor, F_SETSIG, libc::SIGKILL);
        libc::fcntl(descriptor, libc::F_SETFL, libc::O_NONBLOCK | libc::O_ASYNC);
        // The parent may have died before the signal was ordered.
        let mut entry = libc::pollfd { fd: descriptor, events: libc::POLLIN, revents: 0 };
        libc::poll(&mut entry, 1, 0) > 0
    };
    if is_alone {
        // SAFETY: ends this process, whose memory nobody else sees.
        unsafe { libc::_exit(libc::EXIT_FAILURE) }
    }
}

/// In the child: from now on it dies when the parent's end is closed. The descriptor stays open for
/// the life of the process.
#[cfg(not(target_os = "linux"))]
pub(crate) fn attach(mut child: PipeReader) {
    let _ = std::thread::Builder::new().name("lifeline".into()).spawn(move || {
        let _ = io::Read::read(&mut child, &mut [0]);
        // SAFETY: ends this process, whose memory nobody else sees.
        unsafe { libc::_exit(libc::EXIT_FAILURE) }
    });
}
