//! Memory that is the same in all processes that have it.

use std::fs::File;
use std::io;
use std::os::fd::AsRawFd;
use std::ptr::{NonNull, null_mut};

/// Memory that forked processes share with us, zero at first. Without a file it has no name; the
/// system frees it when the last process that has it ends, however it ends.
#[derive(Debug)]
pub(crate) struct Mapping {
    start: NonNull<u8>,
    bytes: usize,
    /// The file that it is mapped from: open, so that other processes find it.
    _file: Option<File>,
}

// SAFETY: the memory belongs to the process, not to a thread. Whoever reads or writes it ensures
// the order of accesses.
unsafe impl Send for Mapping {}
// SAFETY: as above.
unsafe impl Sync for Mapping {}

impl Mapping {
    /// New memory, all zeros. Pages that are never touched take no memory.
    pub(crate) fn anonymous(bytes: usize) -> io::Result<Mapping> {
        Mapping::map(bytes, None)
    }

    /// The content of a file that has at least this many bytes, and keeps them.
    pub(crate) fn of_file(bytes: usize, file: File) -> io::Result<Mapping> {
        Mapping::map(bytes, Some(file))
    }

    fn map(bytes: usize, file: Option<File>) -> io::Result<Mapping> {
        // An empty range cannot be mapped; a page that is never used can.
        let bytes = bytes.max(1);
        let (flags, descriptor) = match &file {
            Some(file) => (libc::MAP_SHARED, file.as_raw_fd()),
            None => (libc::MAP_SHARED | libc::MAP_ANONYMOUS, -1),
        };
        // SAFETY: the system chooses the address, so no memory in use is replaced.
        let start = unsafe {
            libc::mmap(null_mut(), bytes, libc::PROT_READ | libc::PROT_WRITE, flags, descriptor, 0)
        };
        if start == libc::MAP_FAILED {
            return Err(io::Error::last_os_error());
        }
        let start =
            NonNull::new(start.cast()).expect("the system maps nothing at 0 unless asked to");
        Ok(Mapping { start, bytes, _file: file })
    }

    /// Where it begins in this process: at a page boundary, so aligned for every type.
    pub(crate) fn start(&self) -> NonNull<u8> {
        self.start
    }
}

impl Drop for Mapping {
    fn drop(&mut self) {
        // SAFETY: it is ours, of this length, and no reference into it outlives `self`. Other
        // processes keep theirs.
        unsafe { libc::munmap(self.start.as_ptr().cast(), self.bytes) };
    }
}

/// A file of this many zeros, whose size cannot be changed any more.
#[cfg(target_os = "linux")]
pub(crate) fn sealed_file(name: &str, bytes: usize) -> io::Result<File> {
    let file = create_file(name)?;
    file.set_len(bytes as u64)?;
    // SAFETY: the descriptor is open; the call has no other precondition.
    match unsafe { libc::fcntl(file.as_raw_fd(), libc::F_ADD_SEALS, SEALS) } {
        0 => Ok(file),
        _ => Err(io::Error::last_os_error()),
    }
}

#[cfg(target_os = "linux")]
const SEALS: libc::c_int = libc::F_SEAL_GROW | libc::F_SEAL_SHRINK | libc::F_SEAL_SEAL;

/// Whether its size is fixed.
#[cfg(target_os = "linux")]
pub(crate) fn is_sealed(file: &File) -> bool {
    // SAFETY: the descriptor is open; the call only reads.
    unsafe { libc::fcntl(file.as_raw_fd(), libc::F_GET_SEALS) & SEALS == SEALS }
}

/// An empty file that programs started from here do not inherit.
#[cfg(target_os = "linux")]
pub(crate) fn create_file(name: &str) -> io::Result<File> {
    use std::os::fd::FromRawFd;
    let name = std::ffi::CString::new(name)?;
    // SAFETY: the name ends with a zero and lives as long as the call.
    let descriptor =
        unsafe { libc::memfd_create(name.as_ptr(), libc::MFD_CLOEXEC | libc::MFD_ALLOW_SEALING) };
    if descriptor < 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: it is open, and has no other owner.
    Ok(unsafe { File::from_raw_fd(descriptor) })
}

/// An empty file in the folder for temporary files, removed from it at once.
#[cfg(not(target_os = "linux"))]
pub(crate) fn create_file(name: &str) -> io::Result<File> {
    use std::sync::atomic::{AtomicU64, Ordering};
    static NEXT: AtomicU64 = AtomicU64::new(0);
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    let path =
        std::env::temp_dir().join(format!("parcourse-{name}-{}-{number}", std::process::id()));
    let file = File::options().read(true).write(true).create_new(true).open(&path)?;
    std::fs::remove_file(&path)?;
    Ok(file)
}
