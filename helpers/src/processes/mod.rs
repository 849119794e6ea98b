//! Pools of processes.

mod board;
mod by_fork;
mod chunk;
mod code;
mod crew;
mod desk;
mod events;
pub(crate) mod fork;
mod imap;
mod jobs;
mod kept;
mod lifeline;
mod output;
pub(crate) mod per_process;
mod persistent;
mod pool;
mod raw;
mod relay;
mod run;
mod shipped;
mod value;
mod wire;
mod worker;

pub use persistent::PersistentPool;
pub use pool::Pool;

#[allow(unused_imports, reason = "the kinds of shared memory are tested with it")]
pub(crate) use fork::{Connecting, Ended, ParentsEnd, Process, fork, fork_with, in_child};
