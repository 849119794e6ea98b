//! The private folder of one server: the kernelspec that names this binary, connection files,
//! sockets.
//!
//! It is in node-local temporary space, because sockets do not work on every network file system
//! and two clones of the course must not overwrite each other's kernelspec. It is removed at the
//! end; if the process is killed, the next start removes it.

use crate::base::owned_dir::{self, OwnedDir};
use crate::base::paths;
use anyhow::Result;
use std::path::PathBuf;

/// Name prefix of these folders.
const PREFIX: &str = "lab";

pub struct ServerFolder {
    dir: OwnedDir,
}

impl ServerFolder {
    /// Creates the folder with mode 0700, and removes folders whose owners are dead.
    pub fn create() -> Result<Self> {
        let parent = paths::private_tmp()?;
        owned_dir::sweep(&parent, PREFIX);
        Ok(Self { dir: OwnedDir::create(&parent, PREFIX)? })
    }

    /// For `JUPYTER_PATH`: kernelspecs.
    pub fn jupyter_path(&self) -> PathBuf {
        self.dir.path().join("share")
    }

    /// For `JUPYTER_RUNTIME_DIR`: connection files and sockets.
    pub fn runtime(&self) -> PathBuf {
        self.dir.path().join("run")
    }
}
