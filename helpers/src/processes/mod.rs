//! Pools of processes.

mod board;
mod chunk;
mod crew;
mod desk;
mod events;
pub(crate) mod fork;
mod lifeline;
mod memory_file;
mod memory_map;
mod output;
mod pipe;
mod pool;
mod queue;
mod raw;
mod relay;
mod shared;
mod socket;
mod value;
mod wire;
mod worker;

#[allow(unused_imports, reason = "the kinds of shared memory are tested with it")]
pub(crate) use fork::{Connecting, Ended, ParentsEnd, Process, fork, fork_with, in_child};
pub use memory_map::{Page, Pages, page_map, pages};
pub use pipe::{Disconnected, PipeEnd, pipe};
pub use pool::Pool;
pub use queue::Queue;
pub use shared::{Element, Error, Number, Plain, Poisoned, SharedArray, SharedCounter, SharedMutex, SharedMutexGuard};
