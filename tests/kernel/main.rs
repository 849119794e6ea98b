//! The kernel's protocol, spoken to the built binary over real ZeroMQ sockets. No Python needed.
//!
//! A kernel takes seconds to start on a busy machine: each test walks through one topic on one kernel, and only what destroys a kernel
//! gets one of its own. Times that the kernel promises ("within a second") are tested with slack, see [`SOON`].

mod awaiting;
mod client;
mod code_size;
mod compiling;
mod crates_seen;
mod deaths;
mod errors;
mod interrupts;
mod lifecycle;
mod output;
mod refused;
mod requests;
mod results;
#[cfg(target_os = "linux")]
mod standby;
mod stdin;
#[path = "../support/mod.rs"]
mod support;

/// "Within a second", on a machine with more to do than cores to do it.
const SOON: std::time::Duration = std::time::Duration::from_secs(3);

/// The first lines of a notebook.
const PRELUDE: &str = ":dep parcourse = { path = \"../helpers\" }\nuse parcourse::prelude::*;";
