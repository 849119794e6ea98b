//! Which worker did what, and when: the *task stream* of pools, of rayon, of processes and of
//! whatever is wrapped in [`task`].
//!
//! [`record`] calls a function and gives back, beside its value, a [`TaskStream`]: a Gantt chart
//! with a row for each worker, and the figures that tell how well the work was spread. [`live`]
//! draws the chart while the work goes on. It is what dask's dashboard shows.
//!
//! ```
//! use parcourse::prelude::*;
//! let rows: Vec<u64> = (0..8).collect();
//! let (sum, stream) = tasks::record(|| {
//!     rows.par_iter().map(|&row| tasks::task(format!("row {row}"), || (0..row * 1000).sum::<u64>())).sum::<u64>()
//! });
//! println!("{stream}");
//! assert_eq!(stream.entries().len(), 8);
//! # assert_eq!(sum, (0..8).map(|row: u64| row * 1000 * (row * 1000).saturating_sub(1) / 2).sum());
//! ```
//!
//! The crate's pools name their items by themselves. Nothing is recorded until somebody asks: then
//! [`task`] costs one load from memory, below a nanosecond. While somebody does, a task costs about
//! 0.2 µs (measured on a virtual machine with 2 cores, where each of the two readings of the clock
//! takes 30 ns) and 64 bytes beside its name; so tasks should take 10 µs or more, or their chart
//! shows the recording. Each thread writes to a list of its own: recording makes no thread wait for
//! another one.
//!
//! A recording has all tasks of this process that ended while it ran, those of other threads too.
//! Recordings may be nested, and may run at the same time; each has what happened during its time,
//! and takes nothing away from the others.

mod gantt;
mod kind;
mod live;
mod log;
mod record;
mod stream;
mod worker;

pub use live::live;
pub use record::{record, task};
pub use stream::{Entry, TaskStream, Worker};

pub(crate) use log::{Event, add, lock_for_fork, recording, set_recording, take, this_worker};
pub(crate) use record::{Task, begin};
