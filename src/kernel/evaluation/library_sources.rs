//! Where rust-analyzer looks for the sources of the standard library.

use std::ffi::OsString;
use std::path::Path;
use std::process::Command;
use std::sync::OnceLock;

/// Where rust-analyzer looks before it asks rustc.
const VARIABLE: &str = "RUST_SRC_PATH";

/// What the user has it, once something else was shown.
static OUTSIDE: OnceLock<Option<OsString>> = OnceLock::new();

/// The user's own choice, if there is one.
pub fn chosen() -> bool {
    std::env::var_os(VARIABLE).is_some()
}

/// Shows rust-analyzer this folder when it reads a manifest next. An empty one has a folder `core`
/// all the same, or it would look elsewhere.
pub fn show(folder: &Path) -> std::io::Result<()> {
    std::fs::create_dir_all(folder.join("core"))?;
    OUTSIDE.get_or_init(|| std::env::var_os(VARIABLE));
    // SAFETY: the other threads of this process read the environment through std only, which has a
    // lock for it.
    unsafe { std::env::set_var(VARIABLE, folder) };
    Ok(())
}

/// Shows rust-analyzer all that the user's compiler comes with.
pub fn show_whole() {
    // SAFETY: as above.
    match OUTSIDE.get() {
        Some(Some(value)) => unsafe { std::env::set_var(VARIABLE, value) },
        Some(None) => unsafe { std::env::remove_var(VARIABLE) },
        None => {}
    }
}

/// The child's environment stays as the user has it, whatever is shown later.
pub fn keep_as_is(command: &mut Command) {
    match OUTSIDE.get().cloned().unwrap_or_else(|| std::env::var_os(VARIABLE)) {
        Some(value) => command.env(VARIABLE, value),
        None => command.env_remove(VARIABLE),
    };
}
