//! Memory that processes really share: arrays, a counter, a lock.
//!
//! After a fork, each process has its own copy of everything: what one writes, the other does not
//! see. Memory mapped as *shared* is the exception. Here it holds only plain numbers, because an
//! address would mean something else in each process.
//!
//! Read `memory`, `element` and `array`; then `mutex`, `named` and `page_map`.

mod array;
mod element;
mod error;
pub(super) mod memory;
mod mutex;
#[cfg(target_os = "linux")]
mod named;
mod page_map;
#[cfg(not(target_os = "linux"))]
mod unnamed;

pub use array::{SharedArray, SharedCounter};
pub use element::{Element, Number, Plain};
pub use error::Error;
pub use mutex::{Poisoned, SharedMutex, SharedMutexGuard};
pub use page_map::{Page, Pages, page_map, pages};
