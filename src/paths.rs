//! Where things live on this machine: the cache, private temporary space, the helper crate.

use anyhow::{Context, Result, bail};
use std::path::{Path, PathBuf};

/// The user's cache folder for templates and Python environments: `PARCOURSE_CACHE`, else `~/.cache/parcourse` (or the platform's).
pub fn cache() -> Result<PathBuf> {
    if let Some(path) = std::env::var_os("PARCOURSE_CACHE") {
        return Ok(PathBuf::from(path));
    }
    let base = dirs::cache_dir().context("found no cache directory: set HOME or PARCOURSE_CACHE")?;
    Ok(base.join("parcourse"))
}

/// Node-local temporary space of this user, mode 0700, made when missing: `PARCOURSE_TMPDIR`, else `parcourse-UID` in the system's
/// temporary directory. A folder of that name which belongs to somebody else is refused.
pub fn private_tmp() -> Result<PathBuf> {
    use std::os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt};
    // SAFETY: geteuid has no preconditions.
    let uid = unsafe { libc::geteuid() };
    let path = match std::env::var_os("PARCOURSE_TMPDIR") {
        Some(path) => PathBuf::from(path),
        None => std::env::temp_dir().join(format!("parcourse-{uid}")),
    };
    match std::fs::DirBuilder::new().mode(0o700).create(&path) {
        Ok(()) => {}
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {}
        Err(error) => return Err(error).with_context(|| format!("failed to create {}", path.display())),
    }
    let metadata = std::fs::symlink_metadata(&path).with_context(|| format!("failed to read {}", path.display()))?;
    if !metadata.is_dir() || metadata.uid() != uid {
        bail!("{} is not a directory of yours: remove it, or set PARCOURSE_TMPDIR", path.display());
    }
    if metadata.permissions().mode() & 0o077 != 0 {
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o700))
            .with_context(|| format!("failed to make {} private", path.display()))?;
    }
    Ok(path)
}

/// The helper crate's folder as a kernel that starts in `start` would use it: the one named, else `helpers/` beside one of the folders
/// above `start`, else the one this binary was built beside. `None` when there is none.
pub fn find_helpers(named: Option<&Path>, start: &Path) -> Option<PathBuf> {
    let built_beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("helpers");
    named
        .map(Path::to_path_buf)
        .into_iter()
        .chain(start.ancestors().map(|folder| folder.join("helpers")))
        .chain([built_beside])
        .find(|directory| is_helper_crate(directory))
        .and_then(|directory| directory.canonicalize().ok())
}

/// Whether a folder holds the helper crate: its manifest names the package `parcourse`.
pub fn is_helper_crate(directory: &Path) -> bool {
    std::fs::read_to_string(directory.join("Cargo.toml")).is_ok_and(|text| {
        text.parse::<toml::Table>().is_ok_and(|table| {
            table.get("package").and_then(|package| package.get("name")).and_then(|name| name.as_str()) == Some("parcourse")
        })
    })
}
