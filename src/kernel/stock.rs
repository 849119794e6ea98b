//! The stock evcxr_jupyter kernel from the same binary, so that every notebook is proven on it too.

use anyhow::Result;
use std::process::ExitCode;

/// Runs the stock kernel as `evcxr_jupyter --control_file FILE` would.
///
/// On its start the stock kernel rewrites an installed `rust` kernelspec to point at the running binary. That is somebody else's
/// installation: it is hidden from it.
pub fn main() -> Result<ExitCode> {
    let private = tempfile::tempdir()?;
    // SAFETY: no other thread runs yet.
    unsafe { std::env::set_var("JUPYTER_PATH", private.path()) };
    evcxr_jupyter::main()?;
    Ok(ExitCode::SUCCESS)
}
