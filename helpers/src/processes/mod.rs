//! Pools of processes.

mod board;
mod chunk;
mod crew;
mod desk;
mod events;
pub(crate) mod fork;
mod lifeline;
mod output;
mod pool;
mod raw;
mod relay;
mod value;
mod wire;
mod worker;

pub use pool::Pool;

#[allow(unused_imports, reason = "the kinds of shared memory are tested with it")]
pub(crate) use fork::{Connecting, Ended, ParentsEnd, Process, fork, fork_with, in_child};
