//! A kernel process that is always cleaned up, and the execution of a cell on it. In reading order:
//! [`directory`], [`guard`], [`process`], [`launch`], [`client`] (messages), [`session`] and
//! [`outputs`] (one cell).

pub mod client;
pub mod directory;
pub mod guard;
pub mod launch;
pub mod outputs;
pub mod process;
pub mod session;
