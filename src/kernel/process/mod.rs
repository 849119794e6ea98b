//! Processes and folders of one kernel: [`processes`] finds what a kernel started, [`interrupt`]
//! stops it, [`guard`] ends it after the kernel, [`workspace`] is the folder cells are built in.

pub mod guard;
pub mod interrupt;
pub mod processes;
pub mod workspace;
