//! The process that runs the user's code.
//!
//! The engine starts this binary with `EVCXR_IS_RUNTIME` set and talks to it over stdin and stdout:
//! it sends `LOAD_AND_RUN <shared object> <function>` and reads lines until
//! `EVCXR_EXECUTION_COMPLETE`. Our own loop ([`run_loop`]) serves that protocol, so that the
//! program's output reaches the front end directly, in order and as it is written. The user's
//! stdout and stderr go to the kernel over a socket ([`wire`]). [`interpose`] shows how, and the
//! README beside this file explains why.

mod channel;
mod interpose;
mod run_loop;
mod stack;
pub mod support;
pub mod wire;

/// Runs the user process and does not return, if this process was started as our kernel's user
/// process. For the stock kernel it only makes the process end with its kernel and records hidden
/// events if the runner asks for them.
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
