//! The folder that JupyterLab opens, and the notebook it shows first.

use anyhow::{Context, Result, bail};
use std::path::{Path, PathBuf};

/// The notebook that a newcomer meets.
pub const FIRST_NOTEBOOK: &str = "00_welcome.ipynb";

/// What is opened.
pub struct Course {
    /// Absolute path of the folder.
    pub root: PathBuf,
    /// Name of the first notebook, when the folder has it.
    pub first: Option<&'static str>,
}

impl Course {
    /// The folder named, else the course's `notebooks/` beside one of the folders above the current one, else the one beside which this
    /// binary was built.
    pub fn find(named: Option<&Path>) -> Result<Self> {
        let here = std::env::current_dir().context("failed to read the current folder")?;
        let root = match named {
            Some(directory) if directory.is_dir() => directory.to_path_buf(),
            Some(directory) => bail!("--dir {}: there is no such folder", directory.display()),
            None => here
                .ancestors()
                .chain([Path::new(env!("CARGO_MANIFEST_DIR"))])
                .map(|folder| folder.join("notebooks"))
                .find(|folder| folder.join(FIRST_NOTEBOOK).is_file())
                .with_context(|| {
                    format!("found no notebooks/{FIRST_NOTEBOOK} in {} or above: name the folder to open with --dir DIR", here.display())
                })?,
        };
        let root = root.canonicalize().with_context(|| format!("failed to read {}", root.display()))?;
        let first = root.join(FIRST_NOTEBOOK).is_file().then_some(FIRST_NOTEBOOK);
        Ok(Self { root, first })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_named_folder_without_the_first_notebook_opens_as_it_is() {
        let folder = tempfile::tempdir().unwrap();
        let course = Course::find(Some(folder.path())).unwrap();
        assert_eq!(course.root, folder.path().canonicalize().unwrap());
        assert_eq!(course.first, None);
        std::fs::write(folder.path().join(FIRST_NOTEBOOK), "{}").unwrap();
        assert_eq!(Course::find(Some(folder.path())).unwrap().first, Some(FIRST_NOTEBOOK));
    }

    #[test]
    fn a_missing_folder_is_named() {
        let error = Course::find(Some(Path::new("/no/such folder"))).err().unwrap();
        assert!(error.to_string().contains("/no/such folder"), "{error}");
    }
}
