//! Memory that stays one and the same in all processes that have it.

use std::fs::File;
use std::io;
use std::os::fd::AsRawFd;
use std::ptr::{NonNull, null_mut};

/// Memory of the system that forked processes share with us, zero at first. Without a file it has
/// no name; the system takes it back when the last process that has it ends, however that may be.
#[derive(Debug)]
pub(super) struct Mapping {
    start: NonNull<u8>,
    bytes: usize,
    /// What it is mapped from: open, so that others find it.
    _file: Option<File>,
}

// SAFETY: the memory belongs to the process, not to a thread. Who reads or writes it looks after
// the order of accesses.
unsafe impl Send for Mapping {}
// SAFETY: as above.
unsafe impl Sync for Mapping {}

impl Mapping {
    /// New memory, of zeros. Pages that nobody touches take no memory.
    pub(super) fn anonymous(bytes: usize) -> io::Result<Mapping> {
        Mapping::map(bytes, None)
    }

    /// The content of a file that has at least so many bytes, and keeps them.
    pub(super) fn of_file(bytes: usize, file: File) -> io::Result<Mapping> {
        Mapping::map(bytes, Some(file))
    }

    fn map(bytes: usize, file: Option<File>) -> io::Result<Mapping> {
        // Nothing cannot be mapped; a page that is never used can.
        let bytes = bytes.max(1);
        let (flags, descriptor) = match &file {
            Some(file) => (libc::MAP_SHARED, file.as_raw_fd()),
            None => (libc::MAP_SHARED | libc::MAP_ANONYMOUS, -1),
        };
        // SAFETY: the system chooses the place, so that no memory in use is replaced.
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

    /// Where it begins in this process: at the beginning of a page, so aligned for every type.
    pub(super) fn start(&self) -> NonNull<u8> {
        self.start
    }
}

impl Drop for Mapping {
    fn drop(&mut self) {
        // SAFETY: it is ours, of this length, and nobody has a reference into it beyond the life of
        // `self`. Other processes keep theirs.
        unsafe { libc::munmap(self.start.as_ptr().cast(), self.bytes) };
    }
}
