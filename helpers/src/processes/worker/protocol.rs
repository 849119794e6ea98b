//! What a worker and its parent say to each other: messages with a header of fixed length, and a
//! page of shared memory for the worker's status.

use std::io;
use std::ptr::NonNull;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

/// The kind of a message.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
#[repr(u64)]
pub(crate) enum MessageKind {
    /// To a worker: compute items `start..start + count`. The bytes depend on the kind of pool.
    #[default]
    Compute = 1,
    /// From a worker: the results of items `start..start + count`, one after the other.
    Values,
    /// From a worker: the result of item `start`, a large array of numbers with this `shape`.
    Large,
    /// From a worker: the range is done, or as much of it as was wanted, in `nanoseconds`. The
    /// bytes are the recorded tasks.
    Done,
}

/// The header of a message.
#[derive(Clone, Copy, Default, Debug)]
pub(crate) struct MessageHeader {
    pub(crate) kind: MessageKind,
    pub(crate) start: usize,
    pub(crate) count: usize,
    pub(crate) shape: [usize; 2],
    pub(crate) nanoseconds: u64,
    /// Whether to record tasks.
    pub(crate) recording: bool,
    /// The number of bytes that follow.
    pub(crate) length: usize,
}

/// The length of a header in bytes.
pub(crate) const HEADER_LEN: usize = size_of::<[u64; 8]>();

impl MessageHeader {
    /// The header of the results of these items.
    pub(crate) fn of_values(items: std::ops::Range<usize>, length: usize) -> MessageHeader {
        MessageHeader {
            kind: MessageKind::Values,
            start: items.start,
            count: items.len(),
            length,
            ..MessageHeader::default()
        }
    }

    pub(crate) fn to_bytes(self) -> [u8; HEADER_LEN] {
        let MessageHeader { kind, start, count, shape, nanoseconds, recording, length } = self;
        let words = [
            kind as u64,
            start as u64,
            count as u64,
            shape[0] as u64,
            shape[1] as u64,
            nanoseconds,
            u64::from(recording),
            length as u64,
        ];
        let mut bytes = [0; HEADER_LEN];
        for (place, word) in bytes.chunks_exact_mut(8).zip(words) {
            place.copy_from_slice(&word.to_ne_bytes());
        }
        bytes
    }

    /// `None` if these bytes are not a header: something else has written to the connection.
    pub(crate) fn from_bytes(bytes: &[u8; HEADER_LEN]) -> Option<MessageHeader> {
        let word = |i: usize| u64::from_ne_bytes(std::array::from_fn(|k| bytes[8 * i + k]));
        let size = |i| word(i) as usize;
        let kind =
            [MessageKind::Compute, MessageKind::Values, MessageKind::Large, MessageKind::Done]
                .into_iter()
                .find(|kind| *kind as u64 == word(0))?;
        let (shape, recording) = ([size(3), size(4)], word(6) != 0);
        Some(MessageHeader {
            kind,
            start: size(1),
            count: size(2),
            shape,
            nanoseconds: word(5),
            recording,
            length: size(7),
        })
    }
}

#[repr(C)]
struct StatusPage {
    /// The item's index plus 1; 0 between two items.
    current: AtomicU64,
    stop: AtomicBool,
}

#[derive(Debug)]
pub(crate) struct SharedStatus(NonNull<StatusPage>);

// SAFETY: the page is only accessed through atomics.
unsafe impl Send for SharedStatus {}
// SAFETY: as above.
unsafe impl Sync for SharedStatus {}

impl SharedStatus {
    pub(crate) fn new() -> io::Result<SharedStatus> {
        let (protection, flags) =
            (libc::PROT_READ | libc::PROT_WRITE, libc::MAP_SHARED | libc::MAP_ANONYMOUS);
        // SAFETY: new memory, at an address that the system chooses.
        let page = unsafe {
            libc::mmap(std::ptr::null_mut(), size_of::<StatusPage>(), protection, flags, -1, 0)
        };
        if page == libc::MAP_FAILED {
            return Err(io::Error::last_os_error());
        }
        // All zeros is a valid page: no item, no stop.
        Ok(SharedStatus(NonNull::new(page.cast()).expect("the system maps nothing at address 0")))
    }

    fn page(&self) -> &StatusPage {
        // SAFETY: mapped until this is dropped.
        unsafe { self.0.as_ref() }
    }

    pub(crate) fn begin(&self, index: usize) {
        self.page().current.store(index as u64 + 1, Ordering::Relaxed);
    }

    pub(crate) fn end(&self) {
        self.page().current.store(0, Ordering::Relaxed);
    }

    /// The item that the worker has begun and not ended.
    pub(crate) fn current(&self) -> Option<usize> {
        self.page().current.load(Ordering::Relaxed).checked_sub(1).map(|index| index as usize)
    }

    pub(crate) fn set_stop(&self, stop: bool) {
        self.page().stop.store(stop, Ordering::Relaxed);
    }

    pub(crate) fn is_stopped(&self) -> bool {
        self.page().stop.load(Ordering::Relaxed)
    }
}

impl Drop for SharedStatus {
    fn drop(&mut self) {
        // SAFETY: mapped by `new`, with this length. In a child, its own mapping of the page.
        unsafe { libc::munmap(self.0.as_ptr().cast(), size_of::<StatusPage>()) };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_come_back() {
        let header = MessageHeader {
            kind: MessageKind::Large,
            start: 1,
            count: 2,
            shape: [3, 4],
            nanoseconds: 5,
            recording: true,
            length: 6,
        };
        let back = MessageHeader::from_bytes(&header.to_bytes()).unwrap();
        assert_eq!(format!("{back:?}"), format!("{header:?}"));
        assert!(MessageHeader::from_bytes(&[0; HEADER_LEN]).is_none());
    }
}
