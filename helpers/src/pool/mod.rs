//! What pools of threads and pools of processes have in common: how the failure of a task is told.

mod failure;

pub use failure::{Cause, Failure};
