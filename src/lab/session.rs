//! The private folder of one start: the kernelspec that names this very binary, connection files, sockets.
//!
//! It lives in node-local temporary space, because sockets do not work on every network file system and two clones of the course must not
//! overwrite each other's kernelspec. It is removed at the end; what a killed process leaves is swept by the next start, which tells a dead
//! owner by the lock on the folder. Programs that tidy up temporary space (systemd-tmpfiles) respect that lock as well.

use crate::paths;
use anyhow::{Context, Result};
use std::fs::{self, File};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use tempfile::TempDir;

const PREFIX: &str = "lab-";

pub struct Session {
    directory: TempDir,
    _lock: File,
}

impl Session {
    /// Makes the folder, mode 0700, and removes those whose owners are gone.
    pub fn create() -> Result<Self> {
        Self::create_in(&paths::private_tmp()?)
    }

    fn create_in(parent: &Path) -> Result<Self> {
        // Between being made and being locked a folder looks abandoned: one start at a time.
        let gate = parent.join("lab.lock");
        let gate_file = File::create(&gate).with_context(|| format!("failed to create {}", gate.display()))?;
        gate_file.lock().with_context(|| format!("failed to lock {}", gate.display()))?;
        sweep(parent);
        let directory = tempfile::Builder::new()
            .prefix(PREFIX)
            .permissions(fs::Permissions::from_mode(0o700))
            .tempdir_in(parent)
            .with_context(|| format!("failed to create a folder in {}", parent.display()))?;
        let lock = File::open(directory.path()).and_then(|folder| folder.lock().map(|()| folder));
        let lock = lock.with_context(|| format!("failed to lock {}", directory.path().display()))?;
        Ok(Self { directory, _lock: lock })
    }

    /// For `JUPYTER_PATH`: kernelspecs.
    pub fn jupyter_path(&self) -> PathBuf {
        self.directory.path().join("share")
    }

    /// For `JUPYTER_RUNTIME_DIR`: connection files and sockets.
    pub fn runtime(&self) -> PathBuf {
        self.directory.path().join("run")
    }
}

/// Nothing here is worth failing for: what cannot be removed stays for the next start.
fn sweep(parent: &Path) {
    let Ok(entries) = fs::read_dir(parent) else { return };
    for entry in entries.flatten() {
        let abandoned =
            || entry.file_type().is_ok_and(|kind| kind.is_dir()) && File::open(entry.path()).is_ok_and(|folder| folder.try_lock().is_ok());
        if entry.file_name().as_encoded_bytes().starts_with(PREFIX.as_bytes()) && abandoned() {
            let _ = fs::remove_dir_all(entry.path());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_goes_with_its_owner_or_with_the_next_start() {
        let parent = tempfile::tempdir().unwrap();
        let ours = Session::create_in(parent.path()).unwrap();
        fs::create_dir_all(parent.path().join("lab-left/run")).unwrap();
        fs::create_dir(parent.path().join("someone-else")).unwrap();
        let next = Session::create_in(parent.path()).unwrap();
        assert!(!parent.path().join("lab-left").exists());
        assert!(ours.directory.path().exists() && next.directory.path().exists() && parent.path().join("someone-else").exists());
        let path = ours.directory.path().to_path_buf();
        drop(ours);
        assert!(!path.exists());
    }
}
