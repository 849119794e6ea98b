//! Checks of the machine.

pub mod cores;
pub mod disk;
pub mod filesystem;
pub mod limits;
pub mod memory;
pub mod sockets;
