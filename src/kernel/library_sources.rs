//! Where rust-analyzer looks for the sources of the standard library.

use std::ffi::OsString;
use std::path::Path;
use std::process::Command;

/// Where rust-analyzer looks before it asks rustc.
const VARIABLE: &str = "RUST_SRC_PATH";

/// While this lives, rust-analyzer finds no sources when it reads a manifest.
pub struct Hidden {
    before: Option<OsString>,
}

impl Hidden {
    /// Shows rust-analyzer the folder instead, which is made, and is empty but for what makes rust-analyzer believe in it.
    pub fn behind(folder: &Path) -> std::io::Result<Hidden> {
        std::fs::create_dir_all(folder.join("core"))?;
        let before = std::env::var_os(VARIABLE);
        // SAFETY: the other threads of this process read the environment through std only, which has a lock for it.
        unsafe { std::env::set_var(VARIABLE, folder) };
        Ok(Hidden { before })
    }
}

impl Drop for Hidden {
    fn drop(&mut self) {
        // SAFETY: as above.
        unsafe {
            match &self.before {
                Some(value) => std::env::set_var(VARIABLE, value),
                None => std::env::remove_var(VARIABLE),
            }
        }
    }
}

/// The child's environment stays as it is now, whatever is hidden later.
pub fn keep_as_is(command: &mut Command) {
    match std::env::var_os(VARIABLE) {
        Some(value) => command.env(VARIABLE, value),
        None => command.env_remove(VARIABLE),
    };
}
