//! A kernel process that is always cleaned up, and the execution of a cell on it. In reading order:
//! [`directory`], [`guard`], [`process`], [`warm`], [`client`] (messages), [`session`] and
//! [`outputs`] (one cell).

pub mod client;
pub mod directory;
pub mod guard;
pub mod outputs;
pub mod process;
pub mod session;
pub mod warm;
