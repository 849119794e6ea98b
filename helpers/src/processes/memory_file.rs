//! Files in memory, without a place in any folder: they go away with the last process that has them
//! open or mapped.

use std::fs::File;
use std::io;

/// A file of so many zeros whose size nobody can change any more.
#[cfg(target_os = "linux")]
pub(super) fn sealed(name: &str, bytes: usize) -> io::Result<File> {
    let file = create(name)?;
    file.set_len(bytes as u64)?;
    // SAFETY: the descriptor is open; the call has no other precondition.
    match unsafe { libc::fcntl(file.as_raw_fd(), libc::F_ADD_SEALS, SEALS) } {
        0 => Ok(file),
        _ => Err(io::Error::last_os_error()),
    }
}

#[cfg(target_os = "linux")]
use std::os::fd::AsRawFd;

#[cfg(target_os = "linux")]
const SEALS: libc::c_int = libc::F_SEAL_GROW | libc::F_SEAL_SHRINK | libc::F_SEAL_SEAL;

/// Whether its size is fixed.
#[cfg(target_os = "linux")]
pub(super) fn is_sealed(file: &File) -> bool {
    // SAFETY: the descriptor is open; the call only asks.
    unsafe { libc::fcntl(file.as_raw_fd(), libc::F_GET_SEALS) & SEALS == SEALS }
}

/// An empty file, closed in programs that this one starts.
#[cfg(target_os = "linux")]
pub(super) fn create(name: &str) -> io::Result<File> {
    use std::os::fd::FromRawFd;
    let name = std::ffi::CString::new(name)?;
    // SAFETY: the name ends with a zero and lives as long as the call.
    let descriptor =
        unsafe { libc::memfd_create(name.as_ptr(), libc::MFD_CLOEXEC | libc::MFD_ALLOW_SEALING) };
    if descriptor < 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: it is open, and nobody else knows it.
    Ok(unsafe { File::from_raw_fd(descriptor) })
}

/// An empty file: in the folder for temporary files, and removed from it at once.
#[cfg(not(target_os = "linux"))]
pub(super) fn create(name: &str) -> io::Result<File> {
    use std::sync::atomic::{AtomicU64, Ordering};
    static NEXT: AtomicU64 = AtomicU64::new(0);
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    let path =
        std::env::temp_dir().join(format!("parcourse-{name}-{}-{number}", std::process::id()));
    let file = File::options().read(true).write(true).create_new(true).open(&path)?;
    std::fs::remove_file(&path)?;
    Ok(file)
}
