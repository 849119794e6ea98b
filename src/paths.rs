//! Where things live on this machine: the cache, private temporary space, the helper crate.

use crate::trust;
use anyhow::{Context, Result, bail};
use std::io::ErrorKind;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

/// The user's cache folder for templates and Python environments: `PARCOURSE_CACHE`, else `~/.cache/parcourse` (or the platform's).
pub fn cache() -> Result<PathBuf> {
    if let Some(path) = std::env::var_os("PARCOURSE_CACHE") {
        return Ok(PathBuf::from(path));
    }
    let base = dirs::cache_dir().context("found no cache directory: set HOME or PARCOURSE_CACHE")?;
    Ok(base.join("parcourse"))
}

/// Private space on this machine for sockets, connection files and short-lived copies: [`private_folder`] in `PARCOURSE_TMPDIR` (made when
/// missing), else in the system's temporary directory.
pub fn private_tmp() -> Result<PathBuf> {
    let parent = match std::env::var_os("PARCOURSE_TMPDIR") {
        Some(named) => {
            let named = std::path::absolute(named).context("PARCOURSE_TMPDIR is empty")?;
            make_private(&named)?;
            named
        }
        None => std::env::temp_dir(),
    };
    private_folder(&parent).context("let PARCOURSE_TMPDIR name a folder that you can write")
}

/// `parcourse-UID` in `parent`, made with mode 0700 when missing. What lies in it is ours to delete, and nothing beside it is.
///
/// # Errors
/// When there is something else of that name: a link, a folder of another user, or one that others can look into.
fn private_folder(parent: &Path) -> Result<PathBuf> {
    let path = parent.join(format!("parcourse-{}", trust::user()));
    make_private(&path)?;
    let metadata = std::fs::symlink_metadata(&path).with_context(|| format!("failed to read {}", path.display()))?;
    if !metadata.is_dir() || metadata.uid() != trust::user() {
        bail!("{} is not a directory of yours: remove it", path.display());
    }
    if metadata.permissions().mode() & 0o077 != 0 {
        bail!("{} is open to other users: remove it, or close it with `chmod 700`", path.display());
    }
    Ok(path)
}

/// Makes a folder for this user alone, unless something of that name exists.
fn make_private(path: &Path) -> Result<()> {
    match std::fs::DirBuilder::new().mode(0o700).create(path) {
        Err(error) if error.kind() != ErrorKind::AlreadyExists => Err(error).with_context(|| format!("failed to make {}", path.display())),
        _ => Ok(()),
    }
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

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs::{self, Permissions};
    use std::os::unix::fs::symlink;

    #[test]
    fn the_private_folder_is_made_once_and_never_taken_over() {
        let parent = tempfile::tempdir().unwrap();
        let folder = private_folder(parent.path()).unwrap();
        assert_eq!(private_folder(parent.path()).unwrap(), folder);
        let mode = |path: &Path| path.metadata().unwrap().permissions().mode() & 0o7777;
        assert_eq!(mode(&folder), 0o700);
        fs::set_permissions(&folder, Permissions::from_mode(0o755)).unwrap();
        assert!(private_folder(parent.path()).unwrap_err().to_string().contains("chmod 700"));
        assert_eq!(mode(&folder), 0o755, "somebody wanted it so");
        fs::remove_dir(&folder).unwrap();
        symlink(parent.path(), &folder).unwrap();
        assert!(private_folder(parent.path()).unwrap_err().to_string().contains("not a directory of yours"));
        assert!(private_folder(&parent.path().join("gone")).is_err());
    }
}
