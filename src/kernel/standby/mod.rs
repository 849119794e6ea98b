//! A warm kernel in waiting.
//!
//! Starting the engine and teaching it the standard library takes seconds. A *standby* is a kernel that has done so and owns no
//! connection yet. A kernel that Jupyter starts hands its connection file over ([`hand_over`]) and stays only to be watched and signalled;
//! the standby serves in its place. Soon after, the next standby is started, so that there is one and never two ([`waiting`]).
//!
//! The standby must be what a fresh process would have been. It takes on the newcomer's working directory, environment and log; whatever
//! cannot be taken on later (CPU affinity, limits, cgroup, user …) must be equal, or the standby declines and the newcomer starts afresh
//! ([`surroundings`]). A new helper source, compiler or binary gives it another [`key`], under which a stale standby is not found.

mod handover;
mod surroundings;
mod waiting;

pub use handover::{environment, hand_over, stand_by};
pub use waiting::{Successor, main};

use crate::template::Template;
use anyhow::{Context, Result};
use std::path::PathBuf;

/// Where standbys of this user wait on this machine.
fn directory() -> Result<PathBuf> {
    let path = crate::paths::private_tmp()?.join("standby");
    std::fs::create_dir_all(&path).with_context(|| format!("failed to create {}", path.display()))?;
    Ok(path)
}

/// What a standby is good for: this binary, and the template it has loaded.
fn key(template: &Template) -> Result<String> {
    use std::os::unix::fs::MetadataExt;
    let metadata = std::fs::metadata(std::env::current_exe()?)?;
    let name = template.path().file_name().unwrap_or_default().to_string_lossy();
    // Paths of sockets must be short; 16 digits of a hash tell templates apart.
    let name: String = name.chars().filter(char::is_ascii_hexdigit).take(16).collect();
    Ok(format!("{name}-{:x}-{:x}-{:x}", metadata.ino(), metadata.mtime(), metadata.mtime_nsec()))
}

/// The address of the standby with this key.
fn socket(key: &str) -> Result<PathBuf> {
    Ok(directory()?.join(format!("{key}.sock")))
}
