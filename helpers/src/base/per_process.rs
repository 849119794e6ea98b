//! Values that a forked process must not use, because they belong to threads or children of its
//! parent: it makes its own.

use std::any::Any;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

/// Whether this process was forked by this crate.
static IN_CHILD: AtomicBool = AtomicBool::new(false);

/// Whether this process was forked by this crate.
pub(crate) fn in_child() -> bool {
    IN_CHILD.load(Ordering::Relaxed)
}

/// Called in a forked process, before anything else.
pub(crate) fn mark_as_child() {
    IN_CHILD.store(true, Ordering::Relaxed);
}

/// A value of the process that made it; forked processes make their own.
#[derive(Debug)]
pub(crate) struct PerProcess<T> {
    value: T,
    owner: u32,
}

/// A value of a forked process: the process, the address of the original, the value.
type Entry = (u32, usize, &'static (dyn Any + Send + Sync));

static OF_CHILDREN: Mutex<Vec<Entry>> = Mutex::new(Vec::new());

/// Locks the list while the process forks, so that no other thread holds the lock in the child.
pub(crate) fn lock_for_fork() -> impl Sized {
    OF_CHILDREN.lock().unwrap_or_else(PoisonError::into_inner)
}

impl<T: Default> Default for PerProcess<T> {
    fn default() -> PerProcess<T> {
        PerProcess { value: T::default(), owner: std::process::id() }
    }
}

impl<T: Send + Sync + 'static> PerProcess<T> {
    pub(crate) fn new(value: T) -> PerProcess<T> {
        PerProcess { value, owner: std::process::id() }
    }

    /// The value of this process. A forked process makes it at the first call, and keeps it until
    /// it ends.
    pub(crate) fn get(&self, make: impl FnOnce() -> T) -> &T {
        if !in_child() || self.owner == std::process::id() {
            return &self.value;
        }
        let key = (std::process::id(), std::ptr::from_ref(self).addr());
        let mut entries = OF_CHILDREN.lock().unwrap_or_else(PoisonError::into_inner);
        let known = entries
            .iter()
            .find(|entry| (entry.0, entry.1) == key)
            .and_then(|entry| entry.2.downcast_ref());
        known.unwrap_or_else(|| {
            let made: &'static T = Box::leak(Box::new(make()));
            entries.push((key.0, key.1, made));
            made
        })
    }
}
