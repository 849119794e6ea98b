//! A worker process: how the parent sees it, what the child does, and what they say to each other.
//!
//! Read [`protocol`], then [`child_side`], [`parent_side`] and [`spawn`]. [`remote_fn`] and
//! [`code`] are for workers that are older than the function they run.

mod child_side;
mod code;
mod output_relay;
pub(super) mod parent_side;
mod protocol;
pub(super) mod remote_fn;
pub(super) mod spawn;
mod task_events;

pub(super) use child_side::ItemStream;
