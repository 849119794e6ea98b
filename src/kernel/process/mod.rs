//! Processes and folders of one kernel: [`interrupt`] stops what runs, [`guard`] cleans up after
//! the kernel, [`workspace`] is the folder in which cells are built.

pub mod guard;
pub mod interrupt;
pub mod workspace;
