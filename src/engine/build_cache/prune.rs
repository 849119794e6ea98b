//! Removes what no kernel needs from a build directory, and removes whole directories atomically.

use anyhow::{Context, Result};
use std::path::Path;

/// Prefix of directories that are being removed.
pub const REMOVING: &str = ".removing-";

/// Removes what belongs to the builder's own cells: their compiled code and cargo's fingerprints of
/// them. The crates that they depend on stay.
pub fn strip(work: &Path) -> Result<()> {
    strip_in(&work.join("target"))?;
    for name in [".evcxr-execution-so", "src/lib.rs"] {
        remove_if_there(&work.join(name))?;
    }
    Ok(())
}

fn strip_in(folder: &Path) -> Result<()> {
    let entries = std::fs::read_dir(folder)
        .with_context(|| format!("failed to read {}", folder.display()))?;
    for entry in entries {
        let entry = entry?;
        let (path, name) = (entry.path(), entry.file_name());
        let name = name.to_string_lossy();
        let of_cells = ["ctx-", "ctx.", "libctx.", "libctx-", "libcode_", "code_"]
            .iter()
            .any(|prefix| name.starts_with(prefix));
        if entry.file_type()?.is_dir() {
            if name == "incremental" || of_cells {
                std::fs::remove_dir_all(&path)
                    .with_context(|| format!("failed to remove {}", path.display()))?;
            } else {
                strip_in(&path)?;
            }
        } else if of_cells {
            remove_if_there(&path)?;
        }
    }
    Ok(())
}

fn remove_if_there(path: &Path) -> Result<()> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(error).with_context(|| format!("failed to remove {}", path.display()))
        }
        _ => Ok(()),
    }
}

/// Removes a directory without ever leaving half of it under its name: renames it first. What
/// cannot be removed is left for the next sweep.
pub fn remove(path: &Path) {
    let Some(name) = path.file_name() else { return };
    let renamed =
        path.with_file_name(format!("{REMOVING}{}-{}", std::process::id(), name.to_string_lossy()));
    if std::fs::rename(path, &renamed).is_ok() {
        let _ = std::fs::remove_dir_all(renamed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn removes_the_cells_and_keeps_the_crates() {
        let folder = tempfile::tempdir().unwrap();
        let work = folder.path();
        let write = |name: &str| {
            let file = work.join(name);
            std::fs::create_dir_all(file.parent().unwrap()).unwrap();
            std::fs::write(file, "").unwrap();
        };
        let cells = [
            "src/lib.rs",
            ".evcxr-execution-so",
            "target/x86/debug/libctx.so",
            "target/x86/debug/deps/libctx.so",
            "target/x86/debug/deps/libcode_3.so",
            "target/x86/debug/deps/ctx.d",
            "target/x86/debug/incremental/ctx-1/s/dep-graph.bin",
            "target/x86/debug/.fingerprint/ctx-12ab/lib-ctx",
        ];
        let crates = [
            "Cargo.lock",
            "Cargo.lock.prepared",
            "target/.rustc_info.json",
            "target/x86/debug/deps/libparcourse.so",
            "target/x86/debug/deps/libctxt-1.rlib",
            "target/x86/debug/.fingerprint/parcourse-12ab/dep-lib-parcourse",
        ];
        cells.iter().chain(&crates).for_each(|name| write(name));
        strip(work).unwrap();
        for name in cells {
            assert!(!work.join(name).exists(), "{name}");
        }
        for name in crates {
            assert!(work.join(name).exists(), "{name}");
        }
    }
}
