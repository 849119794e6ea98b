//! What is said on stderr by processes that outlive whoever reads it.
//!
//! `eprintln!` panics when nobody reads: a terminal that was closed, the pipe of a server that was
//! killed. That is exactly when the kernel and the launcher have something to end and to remove.

/// Writes a line to stderr, as `eprintln!` does; where that fails there is nobody to tell.
macro_rules! log {
    ($($message:tt)*) => {{
        use std::io::Write;
        let _ = writeln!(std::io::stderr(), $($message)*);
    }};
}

pub(crate) use log;
