//! A kernel's private copy of a template.

use super::flavor::Flavor;
use super::store::Template;
use super::toolchain::Toolchain;
use super::{copy, lockfile, prune};
use crate::base::owned_dir::{self, OwnedDir};
use crate::base::paths;
use anyhow::{Context, Result, bail};
use std::ffi::OsString;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

/// What checkouts are called in [`build_folder`](paths::build_folder), and what belongs to them in
/// temporary space.
const PREFIX: &str = "kernel";

/// A private copy of a template, for one kernel. Removed on drop.
#[derive(Debug)]
pub struct WorkDirectory {
    _claim: OwnedDir,
    path: PathBuf,
    environment: Vec<(&'static str, OsString)>,
}

impl WorkDirectory {
    /// The directory the engine works in: the value of `EVCXR_TMPDIR`.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Everything a kernel process needs in its environment to find its work done: the directory,
    /// the compiler it was prepared with, how cells are built; for the stock kernel also a start-up
    /// file that puts the lock file back (see `restore_lockfile`, which our own kernel calls
    /// itself).
    pub fn environment(&self) -> &[(&'static str, OsString)] {
        &self.environment
    }
}

impl WorkDirectory {
    /// An empty directory with the same care for its removal, for a kernel in `folder` that has no
    /// template.
    ///
    /// # Errors
    /// When there is no space or no permission where cells are built.
    pub fn empty(flavor: Flavor, folder: &Path) -> Result<WorkDirectory> {
        let claim = claim_for_builds()?;
        let path = claim.path().join("work");
        std::fs::create_dir(&path).with_context(|| format!("failed to make {}", path.display()))?;
        let mut environment: Vec<(&'static str, OsString)> =
            vec![("EVCXR_TMPDIR", path.clone().into())];
        environment.extend(
            flavor.cell_environment().into_iter().map(|(name, value)| (name, value.into())),
        );
        // Without a compiler the engine says so.
        if let Ok(toolchain) = paths::cache().and_then(|cache| Toolchain::find(folder, &cache)) {
            environment.extend(toolchain.environment());
            // Our own kernel loads the standard library by itself.
            environment.extend(toolchain.library_path().filter(|_| flavor == Flavor::Stock));
        }
        Ok(WorkDirectory { _claim: claim, path, environment })
    }

    /// A place beside the engine's directory for what else the kernel needs as long as it lives.
    pub fn beside(&self, name: &str) -> PathBuf {
        self.path.with_file_name(name)
    }
}

impl Template {
    /// Copies the template to where this user's cells are built on this machine.
    ///
    /// # Errors
    /// When there is no space or no permission there, and when the template turns out to be
    /// damaged; it is then removed, so that `ensure` builds it anew.
    pub fn checkout(&self) -> Result<WorkDirectory> {
        self.mark_used();
        let claim = claim_for_builds()?;
        let path = claim.path().join("work");
        let copied = copy::copy_tree(&self.work(), &path)?;
        if copied != self.manifest.contents() {
            prune::remove(&self.path);
            bail!(
                "the template {} was damaged and has been removed: `parcourse prepare` builds it again",
                self.path.display()
            );
        }
        if let Some(newest) = self.newest_source {
            refresh(&path.join("target"), &self.packages, newest)?;
        }
        let environment = self.environment(claim.path(), &path)?;
        Ok(WorkDirectory { _claim: claim, path, environment })
    }

    fn environment(&self, claimed: &Path, work: &Path) -> Result<Vec<(&'static str, OsString)>> {
        let mut environment: Vec<(&'static str, OsString)> = vec![("EVCXR_TMPDIR", work.into())];
        environment.extend(self.toolchain.environment());
        environment.extend(
            self.flavor.cell_environment().into_iter().map(|(name, value)| (name, value.into())),
        );
        if self.flavor == Flavor::Stock {
            // Our own kernel loads the standard library by itself.
            environment.extend(self.toolchain.library_path());
            let config = claimed.join("config");
            std::fs::create_dir(&config)
                .with_context(|| format!("failed to make {}", config.display()))?;
            let from = shell_word(&work.join(lockfile::KEPT))?;
            let to = shell_word(&work.join("Cargo.lock"))?;
            // The stock kernel runs these files' lines when its engine is up; a shell line is the
            // one thing in it that reaches a file.
            let restore = format!("!test -e {from} && cp {from} {to} || true\n");
            let (first, second) = lockfile::start_up(&work.join(lockfile::KEPT), &restore);
            for (name, lines) in [("init.evcxr", Some(first)), ("prelude.rs", second)] {
                let lines = lines.unwrap_or_default();
                std::fs::write(config.join(name), lines)
                    .with_context(|| format!("failed to write in {}", config.display()))?;
            }
            environment.push(("EVCXR_CONFIG_DIR", config.into()));
        }
        Ok(environment)
    }
}

/// Quoted for `sh`.
fn shell_word(path: &Path) -> Result<String> {
    let text = path.to_str().with_context(|| {
        format!("{} is not UTF-8, which the engine needs: set PARCOURSE_TMPDIR", path.display())
    })?;
    Ok(format!("'{}'", text.replace('\'', r"'\''")))
}

/// Tells cargo that the helper crate was compiled from its files as they are.
///
/// Cargo compares times: sources that were written again after the template was built (a fresh
/// clone, a change of branch and back) look newer than their compiled crate, and every kernel would
/// compile it again. The template's key says that the contents are the same. The notes of cargo are
/// moved to the time of the youngest source, not to now: an edit from now on is seen.
fn refresh(target: &Path, packages: &[String], newest: SystemTime) -> Result<()> {
    let Ok(entries) = std::fs::read_dir(target) else { return Ok(()) };
    let profiles =
        entries.flatten().map(|entry| entry.path().join("debug")).chain([target.join("debug")]);
    for notes in profiles.map(|profile| profile.join(".fingerprint")) {
        for package in std::fs::read_dir(notes).into_iter().flatten().flatten() {
            let name = package.file_name();
            let name = name.to_string_lossy();
            if !name
                .rsplit_once('-')
                .is_some_and(|(name, _)| packages.iter().any(|package| package == name))
            {
                continue;
            }
            for note in std::fs::read_dir(package.path()).into_iter().flatten().flatten() {
                let is_older = note.metadata()?.modified()? < newest;
                if note.file_name().as_encoded_bytes().starts_with(b"dep-") && is_older {
                    let file = note.path();
                    File::options()
                        .write(true)
                        .open(&file)
                        .and_then(|file| file.set_modified(newest))
                        .with_context(|| format!("failed to set the time of {}", file.display()))?;
                }
            }
        }
    }
    Ok(())
}

fn claim_for_builds() -> Result<OwnedDir> {
    let folder = paths::build_folder()?;
    owned_dir::sweep(&folder, PREFIX);
    OwnedDir::create(&folder, PREFIX)
}

/// A folder in temporary space for a kernel's sockets: where cells are built may be on a network,
/// and its path too long.
pub fn claim_for_sockets() -> Result<OwnedDir> {
    OwnedDir::create(&paths::private_tmp()?, PREFIX)
}

/// The folders in which kernels have theirs.
fn places() -> Vec<PathBuf> {
    let both = [paths::build_folder(), paths::private_tmp()];
    let mut places: Vec<PathBuf> =
        both.into_iter().flatten().filter_map(|place| place.canonicalize().ok()).collect();
    places.dedup();
    places
}

/// How many checkouts there are whose processes died, left as they are.
pub fn abandoned() -> usize {
    places().iter().map(|place| owned_dir::abandoned(place, PREFIX)).sum()
}

/// Removes the checkouts of processes that died without doing so. Returns how many.
pub fn sweep() -> usize {
    places().iter().map(|place| owned_dir::sweep(place, PREFIX)).sum()
}

/// The same, once process `pid` is known to be dead, which may have died while it made its own.
pub fn sweep_after(pid: u32) {
    for place in places() {
        owned_dir::sweep_unmarked(&place, PREFIX, pid);
    }
    sweep();
}
