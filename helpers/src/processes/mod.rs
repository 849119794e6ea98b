//! Pools of processes.

pub(crate) mod fork;
mod lifeline;
mod output;

#[allow(unused_imports, reason = "the kinds of shared memory are tested with it")]
pub(crate) use fork::{Connecting, Ended, ParentsEnd, Process, fork, fork_with, in_child};
