//! The folder of a copy: creates and recognises it, and locks it during an update.

use super::{Changes, link};
use crate::authoring::edition;
use anyhow::{Context, Result, bail};
use std::fs::{self, File, TryLockError};
use std::path::{Path, PathBuf};

/// The subfolder that marks a copy.
const MARK: &str = ".parcourse";
/// In it, prefix of folders with new notebooks.
const NEW: &str = "new-";

/// In it, the file with the path of the course, if one was named.
const COURSE: &str = "course";

/// Whether the folder is a learner's copy.
pub fn is_copy(folder: &Path) -> bool {
    folder.join(MARK).is_dir()
}

/// Returns the course that was named with `--course` for this copy. The copy follows it from then
/// on, whatever the current folder.
pub fn remembered_course(copy: &Path) -> Option<PathBuf> {
    use std::os::unix::ffi::OsStringExt;
    Some(PathBuf::from(std::ffi::OsString::from_vec(fs::read(copy.join(MARK).join(COURSE)).ok()?)))
}

/// A learner's copy.
pub struct Folder {
    root: PathBuf,
}

impl Folder {
    /// Opens the copy in `root` and creates it if the folder is missing or empty.
    pub fn open(root: &Path) -> Result<Self> {
        if root.exists() && !is_copy(root) {
            let mut entries =
                fs::read_dir(root).with_context(|| format!("failed to read {}", root.display()))?;
            if entries.any(|entry| {
                entry.is_ok_and(|entry| !entry.file_name().as_encoded_bytes().starts_with(b"."))
            }) {
                bail!(
                    "{} holds files that do not belong to the course: choose a new folder with \
                    --dir, or open this one as it is with --source --dir {0}",
                    root.display()
                );
            }
        }
        for folder in [&root.join(MARK), &root.join("notebooks")] {
            fs::create_dir_all(folder).with_context(|| {
                format!(
                    "failed to create {}: choose a writable folder with --dir DIR",
                    folder.display()
                )
            })?;
        }
        let root =
            root.canonicalize().with_context(|| format!("failed to read {}", root.display()))?;
        Ok(Self { root })
    }

    /// The folder that JupyterLab opens.
    pub fn notebooks(&self) -> PathBuf {
        self.root.join("notebooks")
    }

    /// The file that stores the baseline.
    pub(super) fn baseline(&self) -> PathBuf {
        self.root.join(MARK).join("given.json")
    }

    /// Makes the copy follow this course from now on.
    pub fn remember_course(&self, course: &Path) -> Result<()> {
        crate::base::files::write_atomically(
            &self.root.join(MARK).join(COURSE),
            course.as_os_str().as_encoded_bytes(),
        )
    }

    /// Updates the copy from the notebooks in `course` and the helper crate in `helpers`. If
    /// another process is doing the same, calls `progress` and waits.
    pub fn update(
        &self,
        course: &Path,
        helpers: &Path,
        restore: bool,
        progress: impl FnOnce(),
    ) -> Result<Changes> {
        let mark = self.root.join(MARK);
        let lock = lock(&mark.join("lock"), progress)?;
        if lock.is_some() {
            sweep(&mark);
        }
        link::ensure(&self.root.join("helpers"), helpers)?;
        let new = tempfile::Builder::new()
            .prefix(NEW)
            .tempdir_in(&mark)
            .with_context(|| format!("failed to write in {}", mark.display()))?;
        edition::learner(course, new.path()).with_context(|| {
            format!("{} has problems (authors: --source opens it as it is)", course.display())
        })?;
        super::merge(self, new.path(), restore)
    }
}

/// Locks a file until the result is dropped. `None` on file systems without locks, where two
/// simultaneous starts at worst back up a file twice.
fn lock(path: &Path, progress: impl FnOnce()) -> Result<Option<File>> {
    let file =
        File::create(path).with_context(|| format!("failed to create {}", path.display()))?;
    match file.try_lock() {
        Ok(()) => return Ok(Some(file)),
        Err(TryLockError::WouldBlock) => progress(),
        Err(TryLockError::Error(_)) => return Ok(None),
    }
    Ok(file.lock().is_ok().then_some(file))
}

/// Removes what killed processes left behind.
fn sweep(mark: &Path) {
    for entry in fs::read_dir(mark).into_iter().flatten().flatten() {
        if entry.file_name().as_encoded_bytes().starts_with(NEW.as_bytes()) {
            let _ = fs::remove_dir_all(entry.path());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_with_other_files_is_refused() {
        let parent = tempfile::tempdir().unwrap();
        let thesis = parent.path().join("my thesis");
        fs::create_dir(&thesis).unwrap();
        fs::write(thesis.join(".hidden"), "").unwrap();
        Folder::open(&thesis).unwrap();
        fs::remove_dir_all(thesis.join(MARK)).unwrap();
        let error = Folder::open(&thesis).err().unwrap().to_string();
        assert!(error.contains("my thesis") && error.contains("--source"), "{error}");
        assert!(!is_copy(&thesis), "nothing was written");
    }

    #[test]
    fn a_place_that_cannot_be_written_names_the_option() {
        let error = format!("{:#}", Folder::open(Path::new("/proc/course")).err().unwrap());
        assert!(error.contains("--dir DIR"), "{error}");
    }
}
