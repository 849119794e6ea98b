//! Where files are on this machine: the cache, private temporary space, the helper crate.

use crate::base::trust;
use anyhow::{Context, Result, bail};
use clap::Args;
use std::io::ErrorKind;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

/// The user's cache folder for templates and Python environments: `PARCOURSE_CACHE`, else
/// `~/.cache/parcourse` (or the platform's equivalent).
pub fn cache() -> Result<PathBuf> {
    if let Some(path) = std::env::var_os("PARCOURSE_CACHE") {
        return Ok(PathBuf::from(path));
    }
    own_cache()
}

fn own_cache() -> Result<PathBuf> {
    let base =
        dirs::cache_dir().context("found no cache directory: set HOME or PARCOURSE_CACHE")?;
    Ok(base.join("parcourse"))
}

/// Cargo's folder for its configuration and for downloaded crates: `CARGO_HOME`, else `~/.cargo`.
pub fn cargo_home() -> Option<PathBuf> {
    let named = std::env::var_os("CARGO_HOME").map(PathBuf::from);
    named.or_else(|| Some(dirs::home_dir()?.join(".cargo")))
}

/// Private space on this machine for sockets, connection files and short-lived copies:
/// [`private_folder`] in `PARCOURSE_TMPDIR` (created if missing), else in the system's temporary
/// directory.
pub fn private_tmp() -> Result<PathBuf> {
    let parent = match std::env::var_os("PARCOURSE_TMPDIR") {
        Some(named) => {
            let named = std::path::absolute(named).context("PARCOURSE_TMPDIR is empty")?;
            make_private(&named)?;
            named
        }
        None => std::env::temp_dir(),
    };
    private_folder(&parent).context("set PARCOURSE_TMPDIR to a folder that you can write to")
}

/// `parcourse-UID` in `parent`, created with mode 0700 if missing. We only ever delete files inside
/// it.
///
/// # Errors
/// If something else has that name: a link, another user's folder, or one that others can read.
fn private_folder(parent: &Path) -> Result<PathBuf> {
    let path = parent.join(format!("parcourse-{}", trust::user()));
    make_private(&path)?;
    let metadata = std::fs::symlink_metadata(&path)
        .with_context(|| format!("failed to read {}", path.display()))?;
    if !metadata.is_dir() || metadata.uid() != trust::user() {
        bail!("{} is not a directory of yours: please remove it", path.display());
    }
    if metadata.permissions().mode() & 0o077 != 0 {
        bail!("{} is open to other users: remove it, or close it with `chmod 700`", path.display());
    }
    Ok(path)
}

/// Creates a folder that only this user can read, unless something of that name exists.
fn make_private(path: &Path) -> Result<()> {
    match std::fs::DirBuilder::new().mode(0o700).create(path) {
        Err(error) if error.kind() != ErrorKind::AlreadyExists => {
            Err(error).with_context(|| format!("failed to create {}", path.display()))
        }
        _ => Ok(()),
    }
}

/// Where cargo works on cells and templates: [`private_tmp`] if only this user and root can write
/// to it and to its parents, else [`private_folder`] in the cache, else in the user's own cache
/// (because the first cache may be shared and read-only).
///
/// Cargo reads `.cargo/config.toml` in every parent of its working directory and starts the
/// programs named there; [`trust`] has the details. That rules out `/tmp` on most machines, sticky
/// bit or not. The system's runtime directory (`XDG_RUNTIME_DIR`) would be safe, but it is
/// unmounted when its user logs out, while a kernel may keep running, and it is a small part of the
/// memory. Sockets stay in [`private_tmp`], because they need a short path on a local disk and no
/// program searches their parents.
///
/// # Errors
/// If there is no such folder. The error says what is wrong with each candidate.
pub fn build_folder() -> Result<PathBuf> {
    let in_cache = |cache: Result<PathBuf>| {
        let cache = cache?;
        std::fs::create_dir_all(&cache)
            .with_context(|| format!("failed to create {}", cache.display()))?;
        private_folder(&cache)
    };
    let mut reasons: Vec<String> = Vec::new();
    // One after the other, so that folders that are not needed are not created.
    let candidates: [&dyn Fn() -> Result<PathBuf>; 3] =
        [&private_tmp, &|| in_cache(cache()), &|| in_cache(own_cache())];
    for candidate in candidates {
        match candidate().and_then(|folder| check_build_folder(&folder)) {
            Ok(folder) => return Ok(folder),
            Err(error) => reasons.push(format!("{error:#}")),
        }
    }
    reasons.dedup();
    bail!(
        "found no folder to compile cells in: {}; set PARCOURSE_CACHE to a folder that, like \
         all folders above it, only you and root can \
         write to",
        reasons.join("; ")
    )
}

/// The folder's canonical path, if cells can safely be compiled in it and loaded from it.
pub fn check_build_folder(folder: &Path) -> Result<PathBuf> {
    let folder =
        folder.canonicalize().with_context(|| format!("failed to read {}", folder.display()))?;
    trust::check_parents(&folder).map_err(anyhow::Error::msg)?;
    // The engine's own loop splits a path at a space.
    if folder.to_string_lossy().contains(char::is_whitespace) {
        bail!("{} has a space in its name", folder.display());
    }
    if is_noexec(&folder) {
        bail!("{} is mounted with noexec, so programs cannot be started from it", folder.display());
    }
    Ok(folder)
}

#[cfg(target_os = "linux")]
pub fn is_noexec(folder: &Path) -> bool {
    rustix::fs::statvfs(folder)
        .is_ok_and(|status| status.f_flag.contains(rustix::fs::StatVfsMountFlags::NOEXEC))
}

#[cfg(not(target_os = "linux"))]
pub fn is_noexec(_folder: &Path) -> bool {
    false
}

/// The helper crate's folder, if the user names one.
#[derive(Args, Clone, Default)]
pub struct HelpersArgument {
    /// Directory of the helper crate [default: found from the notebook's folder upwards]
    #[arg(long, env = "PARCOURSE_HELPERS", value_name = "DIR")]
    pub helpers: Option<PathBuf>,
}

/// The helper crate's folder for a kernel that starts in `start`: the one named, else `helpers/` in
/// `start` or in one of its parents, else the one beside which this binary was built. `None` if
/// there is none. A folder that was found and not named is skipped if another user could have put
/// it there.
pub fn find_helpers(named: Option<&Path>, start: &Path) -> Option<PathBuf> {
    let built_beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("helpers");
    let found = || {
        let mut folders =
            start.ancestors().map(|folder| folder.join("helpers")).chain([built_beside]);
        folders.find(|folder| {
            is_helper_crate(folder)
                && trust::accepts_found(folder, "--helpers or PARCOURSE_HELPERS")
        })
    };
    let named = named.filter(|folder| is_helper_crate(folder)).map(Path::to_path_buf);
    named.or_else(found).and_then(|folder| folder.canonicalize().ok())
}

/// Whether the folder contains the helper crate: its manifest names the package `parcourse`.
pub fn is_helper_crate(directory: &Path) -> bool {
    std::fs::read_to_string(directory.join("Cargo.toml")).is_ok_and(|text| {
        text.parse::<toml::Table>().is_ok_and(|table| {
            table
                .get("package")
                .and_then(|package| package.get("name"))
                .and_then(|name| name.as_str())
                == Some("parcourse")
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs::{self, Permissions};
    use std::os::unix::fs::symlink;

    #[test]
    fn cells_are_not_compiled_in_folders_that_others_can_write_to() {
        // Not in the system's temporary folder, because others can write to it. Tests always have a
        // target/.
        let target = Path::new(env!("CARGO_MANIFEST_DIR")).join("target");
        fs::create_dir_all(&target).unwrap();
        let top = tempfile::Builder::new().prefix("fit-").tempdir_in(target).unwrap();
        let inner = top.path().join("inner");
        fs::create_dir(&inner).unwrap();
        assert_eq!(check_build_folder(&inner).unwrap(), inner.canonicalize().unwrap());
        let link = top.path().join("link");
        symlink(&inner, &link).unwrap();
        assert_eq!(
            check_build_folder(&link).unwrap(),
            inner.canonicalize().unwrap(),
            "cargo follows links"
        );
        for mode in [0o777, 0o1777] {
            fs::set_permissions(top.path(), Permissions::from_mode(mode)).unwrap();
            let refused = check_build_folder(&inner).unwrap_err().to_string();
            assert!(refused.contains("can be written by every user"), "{refused}");
        }
        fs::set_permissions(top.path(), Permissions::from_mode(0o700)).unwrap();
        let space = top.path().join("with a space");
        fs::create_dir(&space).unwrap();
        assert!(check_build_folder(&space).unwrap_err().to_string().contains("space"));
    }

    #[test]
    fn helpers_that_another_user_could_have_written_are_skipped() {
        let top = tempfile::tempdir().unwrap();
        let notebooks = top.path().join("course/notebooks");
        fs::create_dir_all(&notebooks).unwrap();
        let write = |folder: &Path| {
            fs::create_dir_all(folder).unwrap();
            fs::write(folder.join("Cargo.toml"), "[package]\nname = \"parcourse\"\n").unwrap();
            folder.canonicalize().unwrap()
        };
        let (outer, inner) =
            (write(&top.path().join("helpers")), write(&top.path().join("course/helpers")));
        assert_eq!(find_helpers(None, &notebooks), Some(inner.clone()));
        fs::set_permissions(top.path().join("course"), Permissions::from_mode(0o777)).unwrap();
        assert_eq!(
            find_helpers(None, &notebooks),
            Some(outer.clone()),
            "any user could have created it"
        );
        assert_eq!(find_helpers(Some(&inner), &notebooks), Some(inner.clone()), "it was named");
        fs::set_permissions(&outer, Permissions::from_mode(0o777)).unwrap();
        let built_beside =
            Path::new(env!("CARGO_MANIFEST_DIR")).join("helpers").canonicalize().unwrap();
        assert_eq!(
            find_helpers(None, &notebooks),
            Some(built_beside),
            "any user could have changed it"
        );
    }

    #[test]
    fn the_private_folder_is_created_once_and_never_taken_over() {
        let parent = tempfile::tempdir().unwrap();
        let folder = private_folder(parent.path()).unwrap();
        assert_eq!(private_folder(parent.path()).unwrap(), folder);
        let mode = |path: &Path| path.metadata().unwrap().permissions().mode() & 0o7777;
        assert_eq!(mode(&folder), 0o700);
        fs::set_permissions(&folder, Permissions::from_mode(0o755)).unwrap();
        assert!(private_folder(parent.path()).unwrap_err().to_string().contains("chmod 700"));
        assert_eq!(mode(&folder), 0o755, "the user may have wanted that");
        fs::remove_dir(&folder).unwrap();
        symlink(parent.path(), &folder).unwrap();
        assert!(
            private_folder(parent.path())
                .unwrap_err()
                .to_string()
                .contains("not a directory of yours")
        );
        assert!(private_folder(&parent.path().join("gone")).is_err());
    }
}
