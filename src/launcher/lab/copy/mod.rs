//! The learner's copy of the course, and how it follows the course without ever losing work.
//!
//! A copy is a folder with `notebooks/` (the learner's edition), `helpers` (a link to the helper
//! crate, so that the notebooks' line `:dep parcourse = { path = "../helpers" }` holds wherever the
//! folder lies) and `.parcourse/`, which says what was given ([`given`]). Each start brings the
//! notebooks up to date, one by one, by what changed since they were given ([`decide`]): what the
//! learner did not touch follows the course, what the course did not change is the learner's, and
//! where both changed, the learner's file is kept aside under a name of its own ([`aside`]) and the
//! course's new one takes its place.
//!
//! An end at any moment loses nothing: new files are complete before they are renamed into place,
//! the learner's is under its second name before that, and what was given is written down last, so
//! that the next start finds either the old state or the new one.

mod aside;
mod decide;
mod folder;
mod given;
mod link;
mod version;

pub use folder::{Folder, is_copy, remembered_course};

use anyhow::{Context, Result};
use decide::Step;
use given::Given;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use version::Version;

/// What an update did, by the names of the files within `notebooks/`.
#[derive(Debug, Default, PartialEq)]
pub struct Changes {
    /// Written for the first time, or again after `--restore`.
    pub given: Vec<String>,
    /// The learner had not changed them, the course had.
    pub replaced: Vec<String>,
    /// Both had: the name, and the name under which the learner's is kept.
    pub kept_aside: Vec<(String, String)>,
    /// Deleted by the learner, and not given again.
    pub deleted: Vec<String>,
}

/// Brings the copy up to date with the files in `new`, which lies within the copy and is used up.
/// With `restore`, what the learner deleted is given again.
pub fn merge(folder: &Folder, new: &Path, restore: bool) -> Result<Changes> {
    let notebooks = folder.notebooks();
    let mut given = Given::load(folder.given());
    let mut changes = Changes::default();
    for name in files(new)? {
        let (from, to) = (new.join(&name), notebooks.join(&name));
        let shown = name.to_string_lossy().into_owned();
        let offered =
            Version::of(&from)?.with_context(|| format!("{} vanished", from.display()))?;
        let current = Version::of(&to)?;
        match decide::step(given.get(&shown), current.as_ref(), &offered, restore) {
            Step::Leave => continue,
            Step::RespectDeletion => {
                changes.deleted.push(shown);
                continue;
            }
            Step::Record => {}
            Step::Give => {
                put(&from, &to)?;
                changes.given.push(shown.clone());
            }
            Step::Replace => {
                put(&from, &to)?;
                changes.replaced.push(shown.clone());
            }
            Step::KeepAside => {
                let aside = aside::keep(&to)?;
                put(&from, &to)?;
                changes.kept_aside.push((shown.clone(), aside));
            }
        }
        given.set(shown, offered)?;
    }
    Ok(changes)
}

/// Moves a complete file to its place. What is there is replaced in one step.
fn put(from: &Path, to: &Path) -> Result<()> {
    let failed = || format!("failed to write {}", to.display());
    fs::create_dir_all(to.parent().context("a file has no folder")?).with_context(failed)?;
    // On the disk before it replaces anything: a machine may go down, too.
    File::open(from).and_then(|file| file.sync_all()).with_context(failed)?;
    fs::rename(from, to).with_context(failed)
}

/// All files below a folder, by their paths within it, in order.
fn files(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    let mut waiting = vec![PathBuf::new()];
    while let Some(below) = waiting.pop() {
        let entries = fs::read_dir(folder.join(&below))
            .with_context(|| format!("failed to read {}", folder.join(&below).display()))?;
        for entry in entries {
            let entry = entry.with_context(|| format!("failed to read {}", folder.display()))?;
            let path = below.join(entry.file_name());
            if entry.path().is_dir() {
                waiting.push(path);
            } else {
                found.push(path);
            }
        }
    }
    found.sort();
    Ok(found)
}

#[cfg(test)]
mod tests;
