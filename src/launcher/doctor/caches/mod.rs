//! Checks of what earlier builds and kernels have left.

pub mod builds;
pub mod leftovers;
pub mod template;
