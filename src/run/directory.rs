//! The private directory of one kernel: connection file, log, temporary files. Nobody else can look into it, and it goes away with the
//! kernel, however that ends.
//!
//! The runner holds a lock on a file inside. Should runner and guard both be killed, the lock is free and the next runner removes the
//! directory.

use crate::paths;
use anyhow::{Context, Result};
use std::fs::File;
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

const PREFIX: &str = "run-";
const LOCK: &str = "lock";

/// Removed when dropped.
pub struct Directory {
    path: PathBuf,
    _lock: File,
}

impl Directory {
    pub fn create() -> Result<Directory> {
        let parent = paths::private_tmp()?;
        let directory = tempfile::Builder::new().prefix(PREFIX).permissions(std::fs::Permissions::from_mode(0o700)).tempdir_in(&parent);
        let directory = directory.with_context(|| format!("failed to make a directory in {}", parent.display()))?;
        let lock = File::create(directory.path().join(LOCK)).context("failed to make the lock of a kernel's directory")?;
        rustix::fs::flock(&lock, rustix::fs::FlockOperation::LockExclusive).context("failed to lock a kernel's directory")?;
        Ok(Directory { path: directory.keep(), _lock: lock })
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Writes a file that only this user can read.
    pub fn write_private(&self, name: &str, content: &[u8]) -> Result<PathBuf> {
        let path = self.path.join(name);
        let file = File::options().write(true).create_new(true).mode(0o600).open(&path);
        let written = file.and_then(|mut file| std::io::Write::write_all(&mut file, content));
        written.with_context(|| format!("failed to write {}", path.display()))?;
        Ok(path)
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        // The guard removes it too; whoever comes second finds nothing.
        let _ = std::fs::remove_dir_all(&self.path);
    }
}

/// Removes the directories of runners that were killed before they could.
pub fn sweep() -> Result<()> {
    let parent = paths::private_tmp()?;
    for entry in std::fs::read_dir(&parent).with_context(|| format!("failed to read {}", parent.display()))?.flatten() {
        if entry.file_name().to_string_lossy().starts_with(PREFIX) && is_abandoned(&entry.path()) {
            let _ = std::fs::remove_dir_all(entry.path());
        }
    }
    Ok(())
}

fn is_abandoned(directory: &Path) -> bool {
    match File::open(directory.join(LOCK)) {
        Ok(lock) => rustix::fs::flock(&lock, rustix::fs::FlockOperation::NonBlockingLockExclusive).is_ok(),
        // Just being made, unless it has been so for a minute.
        Err(_) => {
            let age = std::fs::symlink_metadata(directory).and_then(|metadata| metadata.modified()).map(|time| time.elapsed());
            matches!(age, Ok(Ok(age)) if age > Duration::from_secs(60))
        }
    }
}
