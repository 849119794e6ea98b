//! Writing files atomically, and listing folders.

use anyhow::{Context, Result};
use std::path::{Path, PathBuf};

/// Writes a file completely or not at all: writes it under another name first, then renames it.
/// Creates missing folders.
pub fn write_atomically(path: &Path, content: &[u8]) -> Result<()> {
    let failed = || format!("failed to write {}", path.display());
    let folder = path.parent().with_context(failed)?;
    std::fs::create_dir_all(folder)
        .with_context(|| format!("failed to create the folder {}", folder.display()))?;
    let mut name = path.file_name().with_context(failed)?.to_os_string();
    name.push(format!(".partial-{}", std::process::id()));
    let partial = folder.join(name);
    let written = std::fs::write(&partial, content).and_then(|()| std::fs::rename(&partial, path));
    if written.is_err() {
        let _ = std::fs::remove_file(&partial);
    }
    written.with_context(failed)
}

/// All files below a folder, sorted, as paths relative to it. Follows links. Skips the files and
/// whole folders for whose relative path `wanted` returns false.
pub fn below(root: &Path, wanted: &dyn Fn(&Path) -> bool) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    collect(root, Path::new(""), wanted, &mut found)?;
    found.sort();
    Ok(found)
}

fn collect(
    root: &Path,
    within: &Path,
    wanted: &dyn Fn(&Path) -> bool,
    found: &mut Vec<PathBuf>,
) -> Result<()> {
    let folder = root.join(within);
    let failed = || format!("failed to read the folder {}", folder.display());
    for entry in std::fs::read_dir(&folder).with_context(failed)? {
        let entry = entry.with_context(failed)?;
        let path = within.join(entry.file_name());
        if !wanted(&path) {
            continue;
        }
        if entry.path().is_dir() {
            collect(root, &path, wanted, found)?;
        } else {
            found.push(path);
        }
    }
    Ok(())
}
