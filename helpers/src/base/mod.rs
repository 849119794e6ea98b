//! What pools of threads and pools of processes need, and everything below them: catching panics
//! and their messages, reporting active threads, values that each process has for itself. Needs no
//! other module of this crate.
//!
//! Read [`panic_capture`] and [`panic_message`]; the other two stand alone.

pub(crate) mod panic_capture;
pub(crate) mod panic_message;
pub(crate) mod per_process;
pub(crate) mod thread_activity;
