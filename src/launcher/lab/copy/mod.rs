//! The learner's copy of the course, which is updated from the course without ever losing work.
//!
//! A copy is a folder with `notebooks/` (the learner's edition), `helpers` (a link to the helper
//! crate, so that the notebooks' line `:dep parcourse = { path = "../helpers" }` works wherever the
//! folder is) and `.parcourse/`, which records the last version copied of each file ([`baseline`]).
//! Each start updates the notebooks one by one, depending on who changed them since then
//! ([`decide`]): files that the learner did not touch follow the course; files that the course did
//! not change stay as the learner left them; if both changed, the learner's file is saved under
//! another name ([`backup`]) and replaced by the new one.
//!
//! Being killed at any moment loses nothing: new files are complete before they are renamed into
//! place, the learner's file is backed up before that, and the baseline is written last, so that
//! the next start finds either the old state or the new one.

mod backup;
mod baseline;
mod decide;
mod folder;
mod link;
mod version;

pub use folder::{Folder, is_copy, remembered_course};

use crate::base::files::below;
use anyhow::{Context, Result};
use baseline::Baseline;
use decide::Step;
use std::fs::{self, File};
use std::path::Path;
use version::Version;

/// What an update did, by file names within `notebooks/`.
#[derive(Debug, Default, PartialEq)]
pub struct Changes {
    /// Written for the first time, or restored with `--restore`.
    pub written: Vec<String>,
    /// Changed only by the course.
    pub replaced: Vec<String>,
    /// Changed by both: the name, and the name of the learner's backup.
    pub backed_up: Vec<(String, String)>,
    /// Deleted by the learner, and not restored.
    pub deleted: Vec<String>,
}

/// Updates the copy from the files in `new`, a folder within the copy, whose files are moved. With
/// `restore`, files that the learner deleted are written again.
pub fn merge(folder: &Folder, new: &Path, restore: bool) -> Result<Changes> {
    let notebooks = folder.notebooks();
    let mut baseline = Baseline::load(folder.baseline());
    let mut changes = Changes::default();
    for name in below(new, &|_| true)? {
        let (from, to) = (new.join(&name), notebooks.join(&name));
        let shown = name.to_string_lossy().into_owned();
        let offered =
            Version::of(&from)?.with_context(|| format!("{} vanished", from.display()))?;
        let current = Version::of(&to)?;
        match decide::step(baseline.get(&shown), current.as_ref(), &offered, restore) {
            Step::Leave => continue,
            Step::RespectDeletion => {
                changes.deleted.push(shown);
                continue;
            }
            Step::Record => {}
            Step::Write => {
                put(&from, &to)?;
                changes.written.push(shown.clone());
            }
            Step::Replace => {
                put(&from, &to)?;
                changes.replaced.push(shown.clone());
            }
            Step::BackUp => {
                let backup = backup::create(&to)?;
                put(&from, &to)?;
                changes.backed_up.push((shown.clone(), backup));
            }
        }
        baseline.set(shown, offered)?;
    }
    Ok(changes)
}

/// Moves a complete file into place, replacing an existing one atomically.
fn put(from: &Path, to: &Path) -> Result<()> {
    let failed = || format!("failed to write {}", to.display());
    fs::create_dir_all(to.parent().context("a file has no folder")?).with_context(failed)?;
    // Synced to disk before it replaces anything, in case the machine crashes.
    File::open(from).and_then(|file| file.sync_all()).with_context(failed)?;
    fs::rename(from, to).with_context(failed)
}

#[cfg(test)]
mod tests;
