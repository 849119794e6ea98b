//! Which threads did something, for [`check_threads!`](crate::check_threads!): those that say so.
//!
//! A thread that computes can be told by its CPU time. One that waits cannot, so
//! [`sleep`](crate::interrupt::sleep) and a pool's workers leave a note. While nobody asks, that
//! costs one load from memory.

use std::collections::HashSet;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

/// How many are asking.
static ASKING: AtomicUsize = AtomicUsize::new(0);
static SEEN: Mutex<Option<HashSet<u64>>> = Mutex::new(None);

/// Says that this thread takes part.
#[inline]
pub(crate) fn note() {
    if ASKING.load(Ordering::Relaxed) > 0 {
        write_down();
    }
}

#[cold]
fn write_down() {
    SEEN.lock()
        .unwrap_or_else(PoisonError::into_inner)
        .get_or_insert_default()
        .insert(this_thread());
}

/// Keeps everybody from taking notes, while the process is copied: the copy's lock must not be in
/// another thread's hands.
pub(crate) fn hold() -> impl Sized {
    SEEN.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The threads noted while `f` ran.
pub(crate) fn during<R>(f: impl FnOnce() -> R) -> (R, HashSet<u64>) {
    /// Ends the asking, whatever `f` does.
    struct Asking;
    impl Drop for Asking {
        fn drop(&mut self) {
            ASKING.fetch_sub(1, Ordering::Relaxed);
        }
    }
    SEEN.lock().unwrap_or_else(PoisonError::into_inner).take();
    ASKING.fetch_add(1, Ordering::Relaxed);
    let asking = Asking;
    let value = f();
    drop(asking);
    let seen = SEEN.lock().unwrap_or_else(PoisonError::into_inner).take();
    (value, seen.unwrap_or_default())
}

/// A number of this thread that no other living thread has: on Linux, the system's.
#[cfg(target_os = "linux")]
pub(crate) fn this_thread() -> u64 {
    // SAFETY: takes nothing and cannot fail.
    unsafe { libc::gettid() as u64 }
}

/// A number of this thread that no other living thread has.
#[cfg(not(target_os = "linux"))]
pub(crate) fn this_thread() -> u64 {
    use std::sync::atomic::AtomicU64;
    static NEXT: AtomicU64 = AtomicU64::new(0);
    thread_local!(static NUMBER: u64 = NEXT.fetch_add(1, Ordering::Relaxed));
    NUMBER.with(|number| *number)
}
