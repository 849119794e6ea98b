//! Records which threads were active, for [`check_threads!`](crate::check_threads!).
//!
//! CPU time identifies a thread that computes, but not one that waits. So
//! [`sleep`](crate::interrupt::sleep) and a pool's workers report their thread. Unless a check is
//! running, that costs one load from memory.

use std::collections::HashSet;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

/// The number of running checks.
static CHECKS: AtomicUsize = AtomicUsize::new(0);
static ACTIVE: Mutex<Option<HashSet<u64>>> = Mutex::new(None);

/// Reports that this thread is active.
#[inline]
pub(crate) fn report() {
    if CHECKS.load(Ordering::Relaxed) > 0 {
        add_this_thread();
    }
}

#[cold]
fn add_this_thread() {
    ACTIVE
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .get_or_insert_default()
        .insert(thread_id());
}

/// Locks the set while the process forks, so that no other thread holds the lock in the child.
pub(crate) fn lock_for_fork() -> impl Sized {
    ACTIVE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Runs `f`; returns its result and the threads that were active meanwhile.
pub(crate) fn record<R>(f: impl FnOnce() -> R) -> (R, HashSet<u64>) {
    /// Ends the check, even if `f` panics.
    struct Check;
    impl Drop for Check {
        fn drop(&mut self) {
            CHECKS.fetch_sub(1, Ordering::Relaxed);
        }
    }
    ACTIVE.lock().unwrap_or_else(PoisonError::into_inner).take();
    CHECKS.fetch_add(1, Ordering::Relaxed);
    let check = Check;
    let value = f();
    drop(check);
    let active = ACTIVE.lock().unwrap_or_else(PoisonError::into_inner).take();
    (value, active.unwrap_or_default())
}

/// An id of this thread, unique among living threads: on Linux, the system's.
#[cfg(target_os = "linux")]
pub(crate) fn thread_id() -> u64 {
    // SAFETY: takes nothing and cannot fail.
    unsafe { libc::gettid() as u64 }
}

/// An id of this thread, unique among living threads.
#[cfg(not(target_os = "linux"))]
pub(crate) fn thread_id() -> u64 {
    use std::sync::atomic::AtomicU64;
    static NEXT: AtomicU64 = AtomicU64::new(0);
    thread_local!(static NUMBER: u64 = NEXT.fetch_add(1, Ordering::Relaxed));
    NUMBER.with(|number| *number)
}
