//! Writes an edition without overwriting anybody's work.
//!
//! A file in the edition's folder lists the files written, with their hashes. So a later edition
//! can replace an unchanged earlier one, and everything else is left alone: folders that are not
//! editions, and editions with changed notebooks.

use super::folder::File;
use crate::base::files::write_atomically;
use crate::base::hash::sha256;
use anyhow::{Context, Result, bail, ensure};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// The name of that file.
const MARKER: &str = ".parcourse-edition.json";
/// The number of changed files listed in an error.
const NAMED: usize = 10;

#[derive(Serialize, Deserialize)]
struct Marker {
    edition: String,
    made_by: String,
    /// The hash of each file. While an edition is being replaced, the old and the new hash: a file
    /// with either is unchanged.
    files: BTreeMap<PathBuf, Vec<String>>,
}

/// Writes the files of an edition into `folder` and removes those that only an earlier edition had.
pub(super) fn write(edition: &str, folder: &Path, files: &[File], force: bool) -> Result<()> {
    let old = earlier(folder, force)?;
    if !force {
        check_unchanged(folder, files, &old)?;
    }
    let made_by = format!("parcourse {}", env!("CARGO_PKG_VERSION"));
    let new: BTreeMap<PathBuf, Vec<String>> =
        files.iter().map(|file| (file.path.clone(), vec![sha256(&file.content)])).collect();
    let mut both = new.clone();
    for (path, hashes) in &old {
        both.entry(path.clone()).or_default().extend_from_slice(hashes);
    }
    let mark = |files| -> Result<()> {
        let marker = Marker { edition: edition.to_string(), made_by: made_by.clone(), files };
        write_atomically(
            &folder.join(MARKER),
            (serde_json::to_string_pretty(&marker)? + "\n").as_bytes(),
        )
    };
    mark(both)?;
    for file in files {
        write_atomically(&folder.join(&file.path), &file.content)?;
    }
    for path in old.keys().filter(|path| !new.contains_key(*path)) {
        remove(&folder.join(path))?;
    }
    mark(new)
}

/// Returns the files of the edition in the folder; empty if the folder is empty.
fn earlier(folder: &Path, force: bool) -> Result<BTreeMap<PathBuf, Vec<String>>> {
    let nothing = match std::fs::read_dir(folder) {
        Ok(mut entries) => entries.next().is_none(),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => true,
        Err(error) if error.kind() == std::io::ErrorKind::NotADirectory => {
            bail!("{} is a file, not a folder", folder.display())
        }
        Err(error) => {
            return Err(error)
                .with_context(|| format!("failed to read the folder {}", folder.display()));
        }
    };
    if nothing {
        return Ok(BTreeMap::new());
    }
    let marker = std::fs::read_to_string(folder.join(MARKER))
        .ok()
        .and_then(|text| serde_json::from_str::<Marker>(&text).ok());
    ensure!(
        marker.is_some() || force,
        "{} is not empty and does not hold an edition of the course: choose another folder, or \
        use --force to write into it anyway",
        folder.display()
    );
    Ok(marker.map(|marker| marker.files).unwrap_or_default())
}

fn check_unchanged(
    folder: &Path,
    files: &[File],
    old: &BTreeMap<PathBuf, Vec<String>>,
) -> Result<()> {
    let mut changed = Vec::new();
    for path in files.iter().map(|file| &file.path).chain(old.keys()) {
        let Ok(content) = std::fs::read(folder.join(path)) else { continue };
        let known = old.get(path).is_some_and(|hashes| hashes.contains(&sha256(&content)));
        if !known && !changed.contains(path) {
            changed.push(path.clone());
        }
    }
    if changed.is_empty() {
        return Ok(());
    }
    let mut names: Vec<String> =
        changed.iter().take(NAMED).map(|path| path.display().to_string()).collect();
    if changed.len() > NAMED {
        names.push(format!("and {} more", changed.len() - NAMED));
    }
    bail!(
        "{} holds an edition with changed files: choose another folder, or use --force to \
        overwrite them\n  {}",
        folder.display(),
        names.join("\n  ")
    )
}

/// Removes a file of an earlier edition, and its folder if that is then empty.
fn remove(path: &Path) -> Result<()> {
    match std::fs::remove_file(path) {
        Ok(()) => {}
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
        Err(error) => {
            return Err(error).with_context(|| format!("failed to remove {}", path.display()));
        }
    }
    if let Some(folder) = path.parent() {
        // Fails, as intended, if the folder is not empty.
        let _ = std::fs::remove_dir(folder);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn files(list: &[(&str, &str)]) -> Vec<File> {
        list.iter()
            .map(|(path, content)| File { path: path.into(), content: content.as_bytes().to_vec() })
            .collect()
    }

    #[test]
    fn replaces_an_unchanged_edition() {
        let out = tempfile::tempdir().unwrap();
        write("learner", out.path(), &files(&[("notebooks/a", "1"), ("old/b", "2")]), false)
            .unwrap();
        std::fs::write(out.path().join("notes.txt"), "mine").unwrap();
        write("learner", out.path(), &files(&[("notebooks/a", "3")]), false).unwrap();
        assert_eq!(std::fs::read_to_string(out.path().join("notebooks/a")).unwrap(), "3");
        assert!(!out.path().join("old").exists() && out.path().join("notes.txt").exists());
    }

    #[test]
    fn work_is_not_overwritten() {
        let out = tempfile::tempdir().unwrap();
        let write = |list, force| super::write("learner", out.path(), &files(list), force);
        write(&[("a", "1")], false).unwrap();
        std::fs::write(out.path().join("a"), "work").unwrap();
        let error = write(&[("a", "2")], false).unwrap_err().to_string();
        assert!(error.contains("changed files") && error.ends_with("\n  a"), "{error}");
        std::fs::write(out.path().join("a"), "1").unwrap();
        std::fs::write(out.path().join("b"), "mine").unwrap();
        assert!(
            write(&[("a", "2"), ("b", "2")], false).unwrap_err().to_string().contains("\n  b"),
            "a new file in the way"
        );
        write(&[("a", "2"), ("b", "2")], true).unwrap();
    }

    #[test]
    fn other_folders_are_refused() {
        let out = tempfile::tempdir().unwrap();
        std::fs::write(out.path().join("thesis.tex"), "").unwrap();
        assert!(
            write("learner", out.path(), &files(&[("a", "1")]), false)
                .unwrap_err()
                .to_string()
                .contains("does not hold an edition")
        );
        let file = out.path().join("thesis.tex");
        assert!(
            write("learner", &file, &files(&[("a", "1")]), true)
                .unwrap_err()
                .to_string()
                .contains("is a file")
        );
    }

    #[test]
    fn an_interrupted_replacement_can_be_repeated() {
        let out = tempfile::tempdir().unwrap();
        write("learner", out.path(), &files(&[("a", "1"), ("b", "1")]), false).unwrap();
        let both =
            BTreeMap::from(["a", "b"].map(|path| (path.into(), vec![sha256(b"1"), sha256(b"2")])));
        let marker = Marker { edition: String::new(), made_by: String::new(), files: both };
        std::fs::write(out.path().join(MARKER), serde_json::to_string(&marker).unwrap()).unwrap();
        std::fs::write(out.path().join("a"), "2").unwrap();
        write("learner", out.path(), &files(&[("a", "2"), ("b", "2")]), false).unwrap();
    }
}
