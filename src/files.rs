//! Writing files so that a reader never sees half of one.

use anyhow::{Context, Result};
use std::path::Path;

/// Writes a file whole or not at all: under another name first, which then replaces the file. Folders are made as needed.
pub fn write_whole(path: &Path, content: &[u8]) -> Result<()> {
    let failed = || format!("failed to write {}", path.display());
    let folder = path.parent().with_context(failed)?;
    std::fs::create_dir_all(folder).with_context(|| format!("failed to make the folder {}", folder.display()))?;
    let mut name = path.file_name().with_context(failed)?.to_os_string();
    name.push(format!(".partial-{}", std::process::id()));
    let partial = folder.join(name);
    let written = std::fs::write(&partial, content).and_then(|()| std::fs::rename(&partial, path));
    if written.is_err() {
        let _ = std::fs::remove_file(&partial);
    }
    written.with_context(failed)
}
