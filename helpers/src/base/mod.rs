//! What the rooms of this crate that run code of yours share: panics caught and worded, threads
//! that report that they work, values that each process has for itself. Needs no other room.
//!
//! Read [`panic_capture`] and [`panic_message`]; the other two stand alone.

pub(crate) mod panic_capture;
pub(crate) mod panic_message;
pub(crate) mod per_process;
pub(crate) mod thread_activity;
