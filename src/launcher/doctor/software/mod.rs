//! Checks of the programs that the course uses.

pub mod kernels;
pub mod linker;
pub mod network;
pub mod python;
pub mod rust;
