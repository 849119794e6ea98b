//! The process that runs the user's code.
//!
//! The engine starts this binary with `EVCXR_IS_RUNTIME` set and talks to it over stdin and stdout:
//! it sends `LOAD_AND_RUN <shared object> <function>` and reads lines until
//! `EVCXR_EXECUTION_COMPLETE`. Here that protocol is served by our own loop ([`run_loop`]), so that
//! the program's output reaches the front end directly, in order and as it is written. What the
//! user's code writes to stdout and stderr goes to the kernel over a socket ([`wire`]); see
//! [`interpose`] for how, and the README beside this file for why.

mod channel;
mod interpose;
mod run_loop;
mod stack;
pub mod support;
pub mod wire;

/// Takes over when this process was started to run the user's code for our kernel, and does not
/// return then. For the stock kernel it only arranges that the process ends with its kernel and
/// that hidden events are recorded where the runner asks for them.
pub fn hook() {
    if std::env::var_os("EVCXR_IS_RUNTIME").is_none() {
        return;
    }
    if std::env::var_os(wire::CHANNEL_VARIABLE).is_some() {
        run_loop::run()
    }
    if let Some(path) = std::env::var_os(wire::AUDIT_VARIABLE) {
        crate::base::process::end_with_parent();
        if let Err(error) = interpose::start_audit(&path) {
            eprintln!("parcourse: failed to open the audit file {}: {error}", path.display());
        }
    }
}
