//! A number that several processes count up.

use super::SharedArray;
use std::fmt;

/// A whole number that is one and the same in all processes that have it: Python's
/// `multiprocessing.Value`, with an `add` that needs no lock.
///
/// Takes a page of memory. A clone is another handle to the same number.
///
/// # Examples
///
/// ```
/// use parcourse::processes::{self, SharedCounter};
/// let done = SharedCounter::new(0);
/// processes::Pool::new(3).map(|_| done.add(1), &[(); 100]);
/// assert_eq!(done.get(), 100);
/// ```
#[derive(Clone)]
pub struct SharedCounter(SharedArray<i64>);

impl SharedCounter {
    /// A counter that stands at `start`, shared with processes forked from now on.
    ///
    /// # Panics
    ///
    /// When the system does not give the memory.
    #[track_caller]
    pub fn new(start: i64) -> SharedCounter {
        SharedCounter(SharedArray::from([start]))
    }

    /// Adds `number` (which may be negative), and gives back what the counter was: each number is
    /// given once. Wraps around.
    pub fn add(&self, number: i64) -> i64 {
        self.0.add(0, number)
    }

    /// What the counter is now.
    pub fn get(&self) -> i64 {
        self.0.get(0)
    }

    /// Sets it, whatever it was.
    pub fn set(&self, value: i64) {
        self.0.set(0, value);
    }
}

impl fmt::Debug for SharedCounter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("SharedCounter").field(&self.get()).finish()
    }
}
