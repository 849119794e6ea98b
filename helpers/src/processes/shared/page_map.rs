//! Which pages of memory belong to a process alone.
//!
//! Two processes may use the same address and mean different memory, or the same memory: the system
//! maps addresses to *pages* of real memory, for each process in its own way. After a fork, parent
//! and child have the same pages; the first to write to one gets a copy of it (*copy on write*).
//! Linux lists these pages in `/proc/self/pagemap`.

use super::Element;
use super::SharedArray;
use serde::{Deserialize, Serialize};
use std::fmt;

/// The state of a page of memory in this process.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(crate = "crate::serde")]
pub enum Page {
    /// Not in memory: never touched, or moved to disk.
    Absent,
    /// Belongs to this process alone.
    Private,
    /// Another process has it, too, and the first to write gets a copy.
    CopyOnWrite,
    /// All processes see what one writes: a [`SharedArray`], a mapped file.
    Shared,
}

/// The number of pages in each state.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(crate = "crate::serde")]
pub struct Pages {
    /// All pages.
    pub total: usize,
    /// Pages of this process alone.
    pub private: usize,
    /// Pages that another process has, too, and that are copied when one of them writes.
    pub copy_on_write: usize,
    /// Pages that stay the same, whoever writes.
    pub shared: usize,
    /// Pages that are not in memory: never touched, or moved to disk.
    pub absent: usize,
}

/// Counts the pages in which these values lie, by their state in this process; see [`page_map`].
///
/// # Examples
///
/// ```
/// use parcourse::processes::{self, pages};
/// let numbers = vec![1.0; 100_000];
/// if let Some(before) = pages(&numbers) {
///     let in_child = processes::Pool::new(1).map(|_| pages(&numbers).unwrap(), &[()])[0];
///     assert!(before.private > 190 && in_child.copy_on_write > 190, "{before}; {in_child}");
/// }
/// ```
pub fn pages<T>(values: &[T]) -> Option<Pages> {
    page_map(values).map(|map| Pages::count(&map))
}

/// The state, in this process, of each page in which these values lie, from the first to the last.
/// A page usually has 4096 bytes.
///
/// `None` if the system does not report it: other systems than Linux, and some containers. Pages
/// may become private or shared at any time. A page of which the values take only a part counts as
/// a whole.
pub fn page_map<T>(values: &[T]) -> Option<Vec<Page>> {
    of_range(values.as_ptr().addr(), size_of_val(values))
}

impl<T: Element> SharedArray<T> {
    /// The state of the array's pages in this process, see [`page_map`]. Those that it has not
    /// touched itself are absent.
    pub fn page_map(&self) -> Option<Vec<Page>> {
        of_range(self.as_ptr().addr(), self.len() * size_of::<T>())
    }
}

impl Pages {
    /// Counts the pages in each state.
    pub fn count(map: &[Page]) -> Pages {
        let of = |kind| map.iter().filter(|&&page| page == kind).count();
        Pages {
            total: map.len(),
            private: of(Page::Private),
            copy_on_write: of(Page::CopyOnWrite),
            shared: of(Page::Shared),
            absent: of(Page::Absent),
        }
    }
}

impl fmt::Display for Pages {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Pages { total, private, copy_on_write, shared, absent } = self;
        write!(
            f,
            "{total} pages: {private} private, {copy_on_write} copied when written, {shared} shared"
        )?;
        if *absent > 0 { write!(f, ", {absent} not there") } else { Ok(()) }
    }
}

#[cfg(target_os = "linux")]
fn of_range(start: usize, bytes: usize) -> Option<Vec<Page>> {
    use std::os::unix::fs::FileExt;
    // SAFETY: sysconf has no preconditions.
    let page = usize::try_from(unsafe { libc::sysconf(libc::_SC_PAGESIZE) }).ok()?;
    if bytes == 0 {
        return Some(Vec::new());
    }
    let (first, last) = (start / page, (start + bytes - 1) / page);
    let mut entries = vec![0; (last - first + 1) * 8];
    std::fs::File::open("/proc/self/pagemap")
        .ok()?
        .read_exact_at(&mut entries, first as u64 * 8)
        .ok()?;
    Some(
        entries
            .chunks_exact(8)
            .map(|entry| kind(u64::from_ne_bytes(entry.try_into().expect("8 bytes each"))))
            .collect(),
    )
}

#[cfg(not(target_os = "linux"))]
fn of_range(_start: usize, _bytes: usize) -> Option<Vec<Page>> {
    None
}

/// Decodes an entry of `/proc/PID/pagemap` (Linux, `Documentation/admin-guide/mm/pagemap.rst`).
#[cfg_attr(not(target_os = "linux"), allow(dead_code, reason = "there is no such file"))]
fn kind(entry: u64) -> Page {
    let is_set = |bit: u32| entry & (1 << bit) != 0;
    let (exclusive, file_or_shared, present) = (is_set(56), is_set(61), is_set(63));
    match (present, file_or_shared, exclusive) {
        (false, _, _) => Page::Absent,
        (true, true, _) => Page::Shared,
        (true, false, true) => Page::Private,
        (true, false, false) => Page::CopyOnWrite,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_are_read_as_documented() {
        assert_eq!(kind(0), Page::Absent);
        assert_eq!(kind(1 << 62), Page::Absent, "swapped");
        assert_eq!(kind(1 << 63 | 1 << 56 | 4711), Page::Private);
        assert_eq!(kind(1 << 63 | 4711), Page::CopyOnWrite);
        assert_eq!(kind(1 << 63 | 1 << 61 | 1 << 56), Page::Shared);
    }

    #[test]
    fn pages_are_counted_from_the_first_to_the_last() {
        assert_eq!(pages::<f64>(&[]).map_or(0, |pages| pages.total), 0);
        let numbers = vec![1u8; 5 * 4096];
        if let Some(map) = page_map(&numbers) {
            assert!((5..=6).contains(&map.len()) && Pages::count(&map).absent == 0, "{map:?}");
        }
    }
}
