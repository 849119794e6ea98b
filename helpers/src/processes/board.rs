//! A page of memory that a worker and its parent share: what the worker is at, which the parent
//! reads after its death, and a word from the parent to stop.

use std::io;
use std::ptr::NonNull;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

#[repr(C)]
struct Page {
    /// The item's index plus 1; 0 between two items.
    current: AtomicU64,
    stop: AtomicBool,
}

#[derive(Debug)]
pub(super) struct Board(NonNull<Page>);

// SAFETY: the page is used through atomics only.
unsafe impl Send for Board {}
// SAFETY: as above.
unsafe impl Sync for Board {}

impl Board {
    pub(super) fn new() -> io::Result<Board> {
        let (protection, flags) =
            (libc::PROT_READ | libc::PROT_WRITE, libc::MAP_SHARED | libc::MAP_ANONYMOUS);
        // SAFETY: new memory, at an address of the system's choice.
        let page = unsafe {
            libc::mmap(std::ptr::null_mut(), size_of::<Page>(), protection, flags, -1, 0)
        };
        if page == libc::MAP_FAILED {
            return Err(io::Error::last_os_error());
        }
        // All zeros is a valid page: no item, no stop.
        Ok(Board(NonNull::new(page.cast()).expect("the system maps nothing at address 0")))
    }

    fn page(&self) -> &Page {
        // SAFETY: mapped until this is dropped.
        unsafe { self.0.as_ref() }
    }

    pub(super) fn begin(&self, index: usize) {
        self.page().current.store(index as u64 + 1, Ordering::Relaxed);
    }

    pub(super) fn end(&self) {
        self.page().current.store(0, Ordering::Relaxed);
    }

    /// The item that the worker has begun and not ended.
    pub(super) fn current(&self) -> Option<usize> {
        self.page().current.load(Ordering::Relaxed).checked_sub(1).map(|index| index as usize)
    }

    pub(super) fn set_stop(&self, stop: bool) {
        self.page().stop.store(stop, Ordering::Relaxed);
    }

    pub(super) fn is_stopped(&self) -> bool {
        self.page().stop.load(Ordering::Relaxed)
    }
}

impl Drop for Board {
    fn drop(&mut self) {
        // SAFETY: mapped by `new`, with this length. In a child, its own mapping of the page.
        unsafe { libc::munmap(self.0.as_ptr().cast(), size_of::<Page>()) };
    }
}
