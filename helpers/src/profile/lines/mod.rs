//! The line profiler's running part: what the code written by `#[line_profile]` calls, and the
//! report.

mod clock;
mod counters;
mod frame;
mod html;
mod registry;
mod report;

pub use frame::{Frame, Resumption};
pub(crate) use registry::lock_for_fork;
pub use registry::{Function, reset};
pub use report::{FunctionReport, Line, Report, report};
