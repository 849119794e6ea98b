//! Which course a command is about, when the user does not say.

use super::FILE_NAME;
use crate::base::trust;
use anyhow::{Context, Result, bail};
use std::path::{Path, PathBuf};

/// The folder of notebooks that was named (or the one in it), else the course found from the
/// current folder upwards, else the one beside which this binary was built. It has a manifest. One
/// that was found and not named is passed over when another user could have put it there.
pub fn find(named: Option<&Path>) -> Result<PathBuf> {
    if let Some(named) = named {
        return match in_folder(named) {
            Some(folder) => Ok(folder),
            None if named.is_file() => {
                bail!("{} is a file: name the folder of a course", named.display())
            }
            None if !named.exists() => bail!("{}: there is no such folder", named.display()),
            None => bail!(
                "{} is no course: it has no {FILE_NAME}, which lists the notebooks",
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
        .with_context(|| format!("found no course ({FILE_NAME} or notebooks/{FILE_NAME}) in {} or above: name its folder", here.display()))
}

fn in_folder(folder: &Path) -> Option<PathBuf> {
    [folder.to_path_buf(), folder.join("notebooks")]
        .into_iter()
        .find(|folder| folder.join(FILE_NAME).is_file())
}

/// Messages name files as the user would, when they lie below the current folder.
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
