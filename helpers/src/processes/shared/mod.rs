//! Memory that processes really share: arrays, a counter, a lock.
//!
//! After a fork, everything is there twice: what one process writes, the other does not see. Memory
//! mapped as *shared* is the exception. Here it holds plain numbers only, because an address in it
//! would mean something else in each process.

mod array;
mod chunks;
mod counter;
mod element;
mod error;
mod mapping;
mod mutex;
#[cfg(target_os = "linux")]
mod named;
mod plain;
#[cfg(not(target_os = "linux"))]
mod unnamed;

pub use array::SharedArray;
pub use counter::SharedCounter;
pub use element::{Element, Number};
pub use error::Error;
pub use mutex::{Poisoned, SharedMutex, SharedMutexGuard};
pub use plain::Plain;
