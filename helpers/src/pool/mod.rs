//! What pools of threads and pools of processes have in common: the [`Future`] of a submitted
//! function, the [`Arguments`] of `starmap`, and the [`Failure`] of a task.
//!
//! Read `failure`, then `slot` and `future`.

mod arguments;
mod failure;
mod future;
mod slot;

pub use arguments::Arguments;
pub use failure::{Cause, Failure};
pub use future::Future;
pub(crate) use future::UntypedFuture;
pub(crate) use slot::Slot;
