//! Which worker did what, and when: the *task stream* of pools, of rayon, of processes and of whatever is wrapped in [`task`].
//!
//! Nothing is recorded until somebody asks; then a task costs two readings of the clock and one entry in a list.

mod record;

pub use record::task;
#[allow(unused_imports, reason = "until the pools use it")]
pub(crate) use record::{Event, add, hold, recording, set_recording, take};
