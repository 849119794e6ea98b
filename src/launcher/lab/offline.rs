//! `--offline`: what would reach for the network is told not to, here and in all that is started
//! from here.

use anyhow::Error;

/// Tells cargo and rustup, in this process and those it starts: the template's builder, the server,
/// its kernels. pip is told where it is called.
pub fn enforce() {
    // SAFETY: called before anything else of the command, while the process has one thread.
    unsafe {
        std::env::set_var("CARGO_NET_OFFLINE", "true");
        std::env::set_var("RUSTUP_AUTO_INSTALL", "0");
    }
}

/// Adds to an error what may be behind it.
pub fn explain(error: Error, offline: bool) -> Error {
    if offline {
        error.context(
            "--offline allows no download; if something is missing, run `parcourse lab --setup-only` once where there is a network",
        )
    } else {
        error
    }
}
