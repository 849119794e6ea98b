//! Finds the course if the user does not name one.

use super::FILE_NAME;
use crate::base::trust;
use anyhow::{Context, Result, bail};
use std::path::{Path, PathBuf};

/// Returns the named folder (or `notebooks/` in it), else the nearest course in or above the
/// current folder, else the one this binary was built with. The folder has a manifest. A course
/// that was found rather than named is skipped if another user could have put it there.
pub fn find(named: Option<&Path>) -> Result<PathBuf> {
    if let Some(named) = named {
        return match in_folder(named) {
            Some(folder) => Ok(folder),
            None if named.is_file() => {
                bail!("{} is a file, not the folder of a course", named.display())
            }
            None if !named.exists() => bail!("{}: no such folder", named.display()),
            None => bail!(
                "{} is not a course: it has no {FILE_NAME}, which lists the notebooks",
                named.display()
            ),
        };
    }
    let here = std::env::current_dir().context("failed to read the current folder")?;
    let built_beside = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.ancestors()
        .chain([built_beside])
        .filter_map(in_folder)
        .find(|folder| trust::accepts_found(folder, "an argument"))
        .map(|folder| shown_from(&here, folder))
        .with_context(|| {
            format!(
                "found no course ({FILE_NAME} or notebooks/{FILE_NAME}) in {} or \
            above it: pass the course's folder",
                here.display()
            )
        })
}

fn in_folder(folder: &Path) -> Option<PathBuf> {
    [folder.to_path_buf(), folder.join("notebooks")]
        .into_iter()
        .find(|folder| folder.join(FILE_NAME).is_file())
}

/// Makes the path relative if it is below the current folder, as the user would write it.
fn shown_from(here: &Path, folder: PathBuf) -> PathBuf {
    match folder.strip_prefix(here) {
        Ok(below) if below.as_os_str().is_empty() => PathBuf::from("."),
        Ok(below) => below.to_path_buf(),
        Err(_) => folder,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_named_folder_is_the_course_or_holds_it() {
        let root = tempfile::tempdir().unwrap();
        let notebooks = root.path().join("notebooks");
        std::fs::create_dir(&notebooks).unwrap();
        assert!(find(Some(root.path())).unwrap_err().to_string().contains("has no course.toml"));
        std::fs::write(notebooks.join(FILE_NAME), "").unwrap();
        assert_eq!(find(Some(root.path())).unwrap(), notebooks);
        assert_eq!(find(Some(&notebooks)).unwrap(), notebooks);
        assert!(
            find(Some(Path::new("/no/such"))).unwrap_err().to_string().contains("no such folder")
        );
    }
}
