//! The private directory of one kernel, for its connection file, log and temporary files. No other
//! user can read it. It is removed with the kernel, however that ends; if runner and guard are both
//! killed, the next run removes it.

use crate::base::owned_dir::{self, OwnedDir};
use crate::base::paths;
use anyhow::{Context, Result};
use std::fs::File;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

const PREFIX: &str = "run";

/// Removed when dropped.
pub struct Directory {
    dir: OwnedDir,
}

impl Directory {
    pub fn create() -> Result<Directory> {
        Ok(Directory { dir: OwnedDir::create(&paths::private_tmp()?, PREFIX)? })
    }

    pub fn path(&self) -> &Path {
        self.dir.path()
    }

    /// Writes a file that only this user can read.
    pub fn write_private(&self, name: &str, content: &[u8]) -> Result<PathBuf> {
        let path = self.path().join(name);
        let file = File::options().write(true).create_new(true).mode(0o600).open(&path);
        let written = file.and_then(|mut file| std::io::Write::write_all(&mut file, content));
        written.with_context(|| format!("failed to write {}", path.display()))?;
        Ok(path)
    }
}

/// Removes what earlier runs left behind if they were killed together with their guards.
pub fn sweep() -> Result<()> {
    owned_dir::sweep(&paths::private_tmp()?, PREFIX);
    crate::engine::build_cache::sweep();
    Ok(())
}
