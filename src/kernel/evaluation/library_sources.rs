//! Which sources of the standard library rust-analyzer reads.

use std::ffi::OsString;
use std::path::Path;
use std::process::Command;
use std::sync::OnceLock;

/// The environment variable that rust-analyzer reads before it asks rustc.
const VARIABLE: &str = "RUST_SRC_PATH";

/// The user's own value, saved before the first change.
static ORIGINAL: OnceLock<Option<OsString>> = OnceLock::new();

/// Whether the user has chosen the sources.
pub fn is_set() -> bool {
    std::env::var_os(VARIABLE).is_some()
}

/// Makes rust-analyzer use this folder when it next reads a manifest. Even an empty folder needs a
/// subfolder `core`, or rust-analyzer would look elsewhere.
pub fn redirect(folder: &Path) -> std::io::Result<()> {
    std::fs::create_dir_all(folder.join("core"))?;
    ORIGINAL.get_or_init(|| std::env::var_os(VARIABLE));
    // SAFETY: the other threads of this process read the environment through std only, which has a
    // lock for it.
    unsafe { std::env::set_var(VARIABLE, folder) };
    Ok(())
}

/// Makes rust-analyzer use the sources of the user's compiler.
pub fn reset() {
    match ORIGINAL.get() {
        // SAFETY: as above.
        Some(Some(value)) => unsafe { std::env::set_var(VARIABLE, value) },
        // SAFETY: as above.
        Some(None) => unsafe { std::env::remove_var(VARIABLE) },
        None => {}
    }
}

/// Gives the child the user's own value.
pub fn restore_for(command: &mut Command) {
    match ORIGINAL.get().cloned().unwrap_or_else(|| std::env::var_os(VARIABLE)) {
        Some(value) => command.env(VARIABLE, value),
        None => command.env_remove(VARIABLE),
    };
}
