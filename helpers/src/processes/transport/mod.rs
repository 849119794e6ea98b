//! Values on their way between processes: as bytes, through sockets, through [`Queue`] and
//! [`pipe`](fn@pipe).
//!
//! Read [`value`] and [`numbers`] (what is sent), then [`socket`], [`queue`](mod@queue) and
//! [`pipe`](mod@pipe).

pub(super) mod numbers;
mod pipe;
mod queue;
mod socket;
pub(super) mod value;

pub use pipe::{Disconnected, PipeEnd, pipe};
pub use queue::Queue;
