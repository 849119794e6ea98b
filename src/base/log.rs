//! Lines on stderr from processes that may outlive their reader.
//!
//! `eprintln!` panics if nothing reads stderr any more: the terminal was closed, or the server at
//! the other end of the pipe was killed. That is exactly when the kernel and the launcher must
//! clean up.

/// Writes a line to stderr like `eprintln!`, but ignores errors.
macro_rules! log {
    ($($message:tt)*) => {{
        use std::io::Write;
        let _ = writeln!(std::io::stderr(), $($message)*);
    }};
}

pub(crate) use log;
