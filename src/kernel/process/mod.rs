//! Processes and folders of one kernel: [`descendants`] finds what a kernel started, [`interrupt`]
//! stops it, [`guard`] ends it after the kernel, [`workspace`] is the folder cells are built in.

pub mod descendants;
pub mod guard;
pub mod interrupt;
pub mod workspace;
