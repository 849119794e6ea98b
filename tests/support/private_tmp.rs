//! Temporary space for the command under test.
//!
//! Its path is short, because it contains sockets. It links to a folder below `target`: cells are
//! compiled only in folders that no other user can write to, at any level, which rules out `/tmp`.

use std::path::{Path, PathBuf};
use tempfile::TempDir;

/// For PARCOURSE_TMPDIR. Gone when dropped.
pub struct PrivateTmp {
    path: PathBuf,
    _short: TempDir,
    _target: TempDir,
}

impl PrivateTmp {
    pub fn new(prefix: &str) -> PrivateTmp {
        let short =
            tempfile::Builder::new().prefix(prefix).tempdir_in("/tmp").expect("a temporary folder");
        let path = short.path().join("p");
        PrivateTmp { _target: link(&path), path, _short: short }
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The folder that the command makes for itself in it.
    pub fn private(&self) -> PathBuf {
        private_folder(&self.path)
    }
}

/// Makes such a folder with a link to it at `path`.
pub fn link(path: &Path) -> TempDir {
    let target = tempfile::Builder::new()
        .prefix("p")
        .tempdir_in(env!("CARGO_TARGET_TMPDIR"))
        .expect("a folder below target");
    std::os::unix::fs::symlink(target.path(), path).expect("a link");
    target
}

/// Where the command keeps what it has in a temporary directory.
pub fn private_folder(temporary: &Path) -> PathBuf {
    // SAFETY: geteuid has no preconditions.
    temporary.join(format!("parcourse-{}", unsafe { libc::geteuid() }))
}
