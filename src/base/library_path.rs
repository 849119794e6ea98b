//! Undoes what `cargo run` and `cargo test` do to the dynamic linker's search path.
//!
//! Cargo adds its own target directory, which contains a `libparcourse.so`: the helper crate as
//! cargo built it for this workspace, not as the engine builds it for cells. The search path takes
//! precedence over the paths in compiled cells, so cells would load the wrong library and fail on a
//! missing symbol, or worse.

use std::path::Path;

/// Removes cargo's target directory from the search path that child processes inherit. Call this
/// before other threads run.
pub fn remove_target_directory() {
    let name =
        if cfg!(target_os = "macos") { "DYLD_FALLBACK_LIBRARY_PATH" } else { "LD_LIBRARY_PATH" };
    let Some(value) = std::env::var_os(name) else { return };
    let Ok(executable) = std::env::current_exe() else { return };
    let Some(target) = executable.parent() else { return };
    let kept: Vec<_> =
        std::env::split_paths(&value).filter(|path| !is_targets(path, target)).collect();
    // SAFETY: no other thread runs yet.
    unsafe {
        match std::env::join_paths(&kept) {
            Ok(joined) if !kept.is_empty() => std::env::set_var(name, joined),
            _ => std::env::remove_var(name),
        }
    }
}

fn is_targets(path: &Path, target: &Path) -> bool {
    path == target || path == target.join("deps") || path.starts_with(target.join("build"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_cargos_own_folders() {
        let target = Path::new("/c/target/release");
        for path in
            ["/c/target/release", "/c/target/release/deps", "/c/target/release/build/x-1/out"]
        {
            assert!(is_targets(Path::new(path), target), "{path}");
        }
        for path in ["/c/target", "/usr/lib", "/c/target/release-other"] {
            assert!(!is_targets(Path::new(path), target), "{path}");
        }
    }
}
