//! `--offline`: disables network access of this process and everything it starts.

use anyhow::Error;

/// Configures cargo and rustup for this process and those it starts: the template builder, the
/// server, its kernels. pip gets its options where it is called.
pub fn enforce() {
    // SAFETY: called first thing, while the process has only one thread.
    unsafe {
        std::env::set_var("CARGO_NET_OFFLINE", "true");
        std::env::set_var("RUSTUP_AUTO_INSTALL", "0");
    }
}

/// Adds a likely cause to an error.
pub fn explain(error: Error, offline: bool) -> Error {
    if offline {
        error.context(
            "--offline disables downloads; if something is missing, run `parcourse lab \
            --setup-only` once with network access",
        )
    } else {
        error
    }
}
