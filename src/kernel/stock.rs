//! The stock evcxr_jupyter kernel from the same binary, so that every notebook can be tested on it
//! too.

use crate::engine::build_cache::{KernelKind, WorkDirectory};
use anyhow::Result;
use std::path::Path;
use std::process::ExitCode;

/// Runs the stock kernel as `evcxr_jupyter --control_file FILE` would.
///
/// At its start the stock kernel rewrites an installed `rust` kernelspec to point to the running
/// binary. We hide such kernelspecs from it, because they belong to another installation. Cells are
/// built where no other user can write ([`crate::base::paths::build_folder`]), unless
/// `EVCXR_TMPDIR` is set. The stock kernel's own limitations remain: it listens on TCP only, and a
/// local user can end it with a message that claims to be larger than the memory.
pub fn main() -> Result<ExitCode> {
    let private = tempfile::tempdir()?;
    let work = match std::env::var_os("EVCXR_TMPDIR") {
        None => Some(WorkDirectory::empty(KernelKind::Evcxr, Path::new("."))?),
        Some(_) => None,
    };
    // SAFETY: no other thread runs yet.
    unsafe {
        std::env::set_var("JUPYTER_PATH", private.path());
        for (name, value) in work.iter().flat_map(WorkDirectory::environment) {
            std::env::set_var(name, value);
        }
    }
    evcxr_jupyter::main()?;
    Ok(ExitCode::SUCCESS)
}
