//! Which worker did what, and when: the *task stream* of pools, of rayon, of processes and of
//! everything wrapped in [`task`].
//!
//! [`record`] calls a function and returns its value and a [`TaskStream`]: a Gantt chart with a row
//! for each worker, and figures that show how well the work was distributed. [`live`] draws the
//! chart while the work goes on, like dask's dashboard. Reading order: `record`, `log`, `stream`,
//! `gantt`, `live`.
//!
//! ```
//! use parcourse::prelude::*;
//! let rows: Vec<u64> = (0..8).collect();
//! let (sum, stream) = tasks::record(|| {
//!     rows.par_iter()
//!         .map(|&row| tasks::task(format!("row {row}"), || (0..row * 1000).sum::<u64>()))
//!         .sum::<u64>()
//! });
//! println!("{stream}");
//! assert_eq!(stream.entries().len(), 8);
//! # assert_eq!(sum, (0..8).map(|row: u64| row * 1000 * (row * 1000).saturating_sub(1) / 2).sum());
//! ```
//!
//! The crate's pools name their tasks themselves. Nothing is recorded by default: then [`task`]
//! costs one load from memory, less than a nanosecond. While recording, a task costs about 0.2 µs
//! (measured on a virtual machine with 2 cores, where each of the two readings of the clock takes
//! 30 ns) and 64 bytes plus its name. So tasks should take 10 µs or more, or their chart shows the
//! recording. Each thread writes to a list of its own: no thread waits for another one because of
//! recording.
//!
//! A recording contains all tasks of this process that ended while it ran, including those of other
//! threads. Recordings may be nested, and may run at the same time; each contains what happened
//! during its time.

mod gantt;
mod live;
mod log;
mod record;
mod stream;

pub use live::live;
pub use record::{record, task};
pub use stream::{Entry, TaskStream, Worker};

pub(crate) use log::{Event, add, lock_for_fork, recording, set_recording, take, this_worker};
pub(crate) use record::{Task, begin};
