//! Writing files so that a reader never sees half of one, and listing folders.

use anyhow::{Context, Result};
use std::path::{Path, PathBuf};

/// Writes a file whole or not at all: under another name first, which then replaces the file.
/// Folders are made as needed.
pub fn write_whole(path: &Path, content: &[u8]) -> Result<()> {
    let failed = || format!("failed to write {}", path.display());
    let folder = path.parent().with_context(failed)?;
    std::fs::create_dir_all(folder)
        .with_context(|| format!("failed to make the folder {}", folder.display()))?;
    let mut name = path.file_name().with_context(failed)?.to_os_string();
    name.push(format!(".partial-{}", std::process::id()));
    let partial = folder.join(name);
    let written = std::fs::write(&partial, content).and_then(|()| std::fs::rename(&partial, path));
    if written.is_err() {
        let _ = std::fs::remove_file(&partial);
    }
    written.with_context(failed)
}

/// All files below a folder, by their paths within it, in order; links are followed. What `wanted`
/// refuses, by the same kind of path, is left out: a folder with all that is in it.
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
