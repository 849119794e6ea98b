//! Writes a book into a folder that is new, empty, or holds an earlier book.
//!
//! The folder contains a list of the book's files. The next book replaces these files and removes
//! obsolete ones; files that others added (the `.git` of a published branch, a `CNAME`) stay.

use crate::base::files::{below, write_atomically};
use anyhow::{Context, Result, bail, ensure};
use std::collections::BTreeSet;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

/// The list of files, one path per line.
const LIST: &str = ".parcourse-book";
/// Does not make a folder non-empty: a fresh branch for publishing holds nothing else.
const NOT_COUNTED: &str = ".git";

/// Returns an error if the folder holds anything but a book.
pub fn check(folder: &Path) -> Result<()> {
    let entries = match std::fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
        Err(error) if error.kind() == ErrorKind::NotADirectory => {
            bail!("{} is a file, not a folder", folder.display())
        }
        Err(error) => {
            return Err(error)
                .with_context(|| format!("failed to read the folder {}", folder.display()));
        }
    };
    let holds_something = entries.flatten().any(|entry| entry.file_name() != NOT_COUNTED);
    ensure!(
        !holds_something || folder.join(LIST).is_file(),
        "{} is not empty and does not hold a book of the course: choose another folder",
        folder.display()
    );
    Ok(())
}

/// Writes the site in `from` to `folder`.
pub fn write(from: &Path, folder: &Path) -> Result<()> {
    check(folder)?;
    // Without the file that Sphinx keeps for its next build.
    let new: BTreeSet<PathBuf> =
        below(from, &|path| path != Path::new(".buildinfo"))?.into_iter().collect();
    let old: BTreeSet<PathBuf> = match std::fs::read_to_string(folder.join(LIST)) {
        Ok(list) => list.lines().map(PathBuf::from).filter(|path| path.is_relative()).collect(),
        Err(_) => BTreeSet::new(),
    };
    // List the files of both books, as long as both may be present.
    list(folder, old.union(&new))?;
    for path in &new {
        let content = std::fs::read(from.join(path))
            .with_context(|| format!("failed to read {}", from.join(path).display()))?;
        write_atomically(&folder.join(path), &content)?;
    }
    for path in old.difference(&new) {
        let path = folder.join(path);
        match std::fs::remove_file(&path) {
            Err(error) if error.kind() != ErrorKind::NotFound => {
                return Err(error).with_context(|| format!("failed to remove {}", path.display()));
            }
            // Remove folders that are now empty; removing others fails, as intended.
            _ => path
                .ancestors()
                .skip(1)
                .take_while(|parent| *parent != folder)
                .all(|parent| std::fs::remove_dir(parent).is_ok()),
        };
    }
    list(folder, new.iter())
}

fn list<'a>(folder: &Path, paths: impl Iterator<Item = &'a PathBuf>) -> Result<()> {
    let lines: String = paths.map(|path| format!("{}\n", path.display())).collect();
    write_atomically(&folder.join(LIST), lines.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn site(files: &[&str]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for file in files {
            write_atomically(&folder.path().join(file), file.as_bytes()).unwrap();
        }
        folder
    }

    #[test]
    fn a_new_book_replaces_the_old_one_and_nothing_else() {
        let parent = tempfile::tempdir().unwrap();
        let out = parent.path().join("book");
        write(site(&["index.html", "old/deep/page.html"]).path(), &out).unwrap();
        std::fs::write(out.join("CNAME"), "example.org").unwrap();
        write(site(&["index.html", "new.html"]).path(), &out).unwrap();
        assert!(
            out.join("CNAME").is_file()
                && out.join("new.html").is_file()
                && out.join("index.html").is_file()
        );
        assert!(!out.join("old").exists());
    }

    #[test]
    fn other_folders_are_refused() {
        let other = site(&["thesis.tex"]);
        let message = write(site(&["index.html"]).path(), other.path()).unwrap_err().to_string();
        assert!(message.contains("does not hold a book of the course"), "{message}");
        assert!(!other.path().join("index.html").exists());
        assert!(
            check(&other.path().join("thesis.tex")).unwrap_err().to_string().contains("is a file")
        );
        assert!(check(&other.path().join("new")).is_ok());
        assert!(check(site(&[".git"]).path()).is_ok());
    }
}
