//! Ends a child whose parent is gone, however the parent ended.
//!
//! Nothing is ever written to this pipe: the parent holds the write end, the child the read end.
//! When the last copy of the write end is closed, by the parent or by its death, the system sends
//! SIGKILL to the child. (Linux has `PR_SET_PDEATHSIG` for this, but it triggers when the *thread*
//! that forked ends.) Other systems have no such signal; there, a thread waits.

use std::io::{self, PipeReader, PipeWriter};

/// The two ends: the parent's, the child's.
pub(crate) fn new() -> io::Result<(PipeWriter, PipeReader)> {
    io::pipe().map(|(child, parent)| (parent, child))
}

/// Called in the child: from now on it dies when the parent's end is closed. The descriptor stays
/// open until the child ends.
#[cfg(target_os = "linux")]
pub(crate) fn attach(child: PipeReader) {
    let descriptor = std::os::fd::IntoRawFd::into_raw_fd(child);
    /// `fcntl`'s command of this name (`<fcntl.h>`), which the libc crate lacks.
    const F_SETSIG: libc::c_int = 10;
    // SAFETY: the descriptor is open, the arguments fit the commands, and poll gets one valid
    // entry.
    let is_alone = unsafe {
        libc::fcntl(descriptor, libc::F_SETOWN, libc::getpid());
        libc::fcntl(descriptor, F_SETSIG, libc::SIGKILL);
        libc::fcntl(descriptor, libc::F_SETFL, libc::O_NONBLOCK | libc::O_ASYNC);
        // The parent may have died before the signal was requested.
        let mut entry = libc::pollfd { fd: descriptor, events: libc::POLLIN, revents: 0 };
        libc::poll(&mut entry, 1, 0) > 0
    };
    if is_alone {
        // SAFETY: ends this process, whose memory no other process sees.
        unsafe { libc::_exit(libc::EXIT_FAILURE) }
    }
}

/// Called in the child: from now on it dies when the parent's end is closed. The descriptor stays
/// open until the child ends.
#[cfg(not(target_os = "linux"))]
pub(crate) fn attach(mut child: PipeReader) {
    let _ = std::thread::Builder::new().name("lifeline".into()).spawn(move || {
        let _ = io::Read::read(&mut child, &mut [0]);
        // SAFETY: ends this process, whose memory no other process sees.
        unsafe { libc::_exit(libc::EXIT_FAILURE) }
    });
}
