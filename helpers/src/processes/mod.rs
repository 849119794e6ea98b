//! Pools of processes.

pub(crate) mod fork;
mod lifeline;
mod memory_file;
mod memory_map;
mod output;
mod pipe;
mod queue;
mod shared;
mod socket;

#[allow(unused_imports, reason = "the kinds of shared memory are tested with it")]
pub(crate) use fork::{Connecting, Ended, ParentsEnd, Process, fork, fork_with, in_child};
pub use memory_map::{Page, Pages, page_map, pages};
pub use pipe::{Disconnected, PipeEnd, pipe};
pub use queue::Queue;
pub use shared::{Element, Error, Number, Plain, Poisoned, SharedArray, SharedCounter, SharedMutex, SharedMutexGuard};
