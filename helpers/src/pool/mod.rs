//! What pools of threads and pools of processes have in common: [`Future`]s of what was submitted,
//! the arguments of `starmap`, and how the failure of a task is told.

mod arguments;
mod failure;
mod future;
mod slot;

pub use arguments::Arguments;
pub use failure::{Cause, Failure};
pub use future::Future;
pub(crate) use future::Waiting;
pub(crate) use slot::Slot;
