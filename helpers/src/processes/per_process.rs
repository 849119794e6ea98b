//! What a copy of the process must not use, because it belongs to threads or children of the
//! original: the copy gets one of its own.

use super::fork::in_child;
use std::any::Any;
use std::sync::{Mutex, PoisonError};

/// A value for the process that made it, and others for its copies.
#[derive(Debug)]
pub(crate) struct PerProcess<T> {
    value: T,
    owner: u32,
}

/// Those of copies: the process, the address of the original, the value.
type Entry = (u32, usize, &'static (dyn Any + Send + Sync));

static OF_COPIES: Mutex<Vec<Entry>> = Mutex::new(Vec::new());

/// Keeps the list from being changed, while the process is copied: the copy's lock must not be in
/// another thread's hands.
pub(super) fn hold() -> impl Sized {
    OF_COPIES.lock().unwrap_or_else(PoisonError::into_inner)
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

    /// This process's value. In a copy of the process that made this, it is made at the first call,
    /// and kept until the copy ends.
    pub(crate) fn get(&self, make: impl FnOnce() -> T) -> &T {
        if !in_child() || self.owner == std::process::id() {
            return &self.value;
        }
        let key = (std::process::id(), std::ptr::from_ref(self).addr());
        let mut entries = OF_COPIES.lock().unwrap_or_else(PoisonError::into_inner);
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
