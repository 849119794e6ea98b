//! The stock evcxr_jupyter kernel from the same binary, so that every notebook is proven on it too.

use crate::engine::build_cache::{KernelKind, WorkDirectory};
use anyhow::Result;
use std::path::Path;
use std::process::ExitCode;

/// Runs the stock kernel as `evcxr_jupyter --control_file FILE` would.
///
/// On its start the stock kernel rewrites an installed `rust` kernelspec to point at the running
/// binary. That is somebody else's installation: it is hidden from it. Cells are built where no
/// other user can write ([`crate::base::paths::build_folder`]), unless `EVCXR_TMPDIR` says where. What is
/// in the stock kernel's own code stays as it is: it listens on TCP only, and a local user can end
/// it with a message that claims to be longer than the memory.
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
