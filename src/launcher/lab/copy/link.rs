//! `helpers` in the copy: a link to the helper crate, updated at each start, because the course may
//! have moved.

use crate::base::paths;
use anyhow::{Context, Result, bail};
use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

/// Makes `link` point to `helpers`. If `link` is a folder with a helper crate (the learner's own,
/// or an edition's), it stays as it is.
pub fn ensure(link: &Path, helpers: &Path) -> Result<()> {
    let failed = || format!("failed to link {} to {}", link.display(), helpers.display());
    match fs::symlink_metadata(link) {
        Ok(present) if present.is_symlink() => {
            if fs::read_link(link).with_context(failed)? == helpers {
                return Ok(());
            }
        }
        Ok(_) if paths::is_helper_crate(link) => return Ok(()),
        Ok(_) => bail!(
            "{} is in the way of the link to the helper crate: rename it, or choose another \
            folder with --dir",
            link.display()
        ),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
        Err(error) => return Err(error).with_context(failed),
    }
    // Renamed into place, because running kernels may be using the old link.
    let new = link.with_file_name(format!(".helpers-{}", std::process::id()));
    let _ = fs::remove_file(&new);
    symlink(helpers, &new).and_then(|()| fs::rename(&new, link)).with_context(failed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_is_repaired_and_a_folder_respected() {
        let folder = tempfile::tempdir().unwrap();
        let link = folder.path().join("helpers");
        for target in ["/first", "/second", "/second"] {
            ensure(&link, Path::new(target)).unwrap();
            assert_eq!(fs::read_link(&link).unwrap(), Path::new(target));
        }
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
        fs::remove_file(&link).unwrap();
        fs::create_dir(&link).unwrap();
        let error = ensure(&link, Path::new("/first")).unwrap_err().to_string();
        assert!(error.contains("--dir"), "{error}");
        fs::write(link.join("Cargo.toml"), "[package]\nname = \"parcourse\"\n").unwrap();
        ensure(&link, Path::new("/first")).unwrap();
        assert!(fs::symlink_metadata(&link).unwrap().is_dir());
    }
}
