//! A kernel's private copy of a template.

use super::kernel_kind::KernelKind;
use super::store::Template;
use super::toolchain::Toolchain;
use super::{copy, lockfile, prune};
use crate::base::owned_dir::{self, OwnedDir};
use crate::base::paths;
use crate::base::process::shell_quoted;
use anyhow::{Context, Result, bail};
use std::ffi::OsString;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

/// Prefix of checkouts in [`build_folder`](paths::build_folder) and of the kernels' socket
/// directories in temporary space.
const PREFIX: &str = "kernel";

/// The build directory of one kernel: a copy of a template, or empty. Removed on drop.
#[derive(Debug)]
pub struct WorkDirectory {
    _directory: OwnedDir,
    path: PathBuf,
    environment: Vec<(&'static str, OsString)>,
}

impl WorkDirectory {
    /// The directory in which the engine works: the value of `EVCXR_TMPDIR`.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The environment variables with which a kernel process uses this directory: its path, the
    /// compiler that filled it, and the build settings. The stock kernel also gets a start-up file
    /// that restores the lock file; our own kernel calls `restore_lockfile` itself.
    pub fn environment(&self) -> &[(&'static str, OsString)] {
        &self.environment
    }
}

impl WorkDirectory {
    /// Creates an empty directory, for a kernel in `folder` that has no template.
    ///
    /// # Errors
    /// If the folder for builds is full or not writable.
    pub fn empty(kind: KernelKind, folder: &Path) -> Result<WorkDirectory> {
        let directory = create_build_directory()?;
        let path = directory.path().join("work");
        std::fs::create_dir(&path).with_context(|| format!("failed to make {}", path.display()))?;
        let mut environment: Vec<(&'static str, OsString)> =
            vec![("EVCXR_TMPDIR", path.clone().into())];
        environment
            .extend(kind.cell_environment().into_iter().map(|(name, value)| (name, value.into())));
        // If there is no compiler, the engine reports that.
        if let Ok(toolchain) = paths::cache().and_then(|cache| Toolchain::find(folder, &cache)) {
            environment.extend(toolchain.environment());
            // Our own kernel loads the standard library itself.
            environment.extend(toolchain.library_path().filter(|_| kind == KernelKind::Evcxr));
        }
        Ok(WorkDirectory { _directory: directory, path, environment })
    }

    /// A path beside the engine's directory, for other files that live as long as the kernel.
    pub fn beside(&self, name: &str) -> PathBuf {
        self.path.with_file_name(name)
    }
}

impl Template {
    /// Copies the template into the folder where this user's cells are built on this machine.
    ///
    /// # Errors
    /// If that folder is full or not writable, or if the template is damaged. A damaged template is
    /// removed, so that `ensure` builds it again.
    pub fn checkout(&self) -> Result<WorkDirectory> {
        self.mark_used();
        let directory = create_build_directory()?;
        let path = directory.path().join("work");
        let copied = copy::copy_tree(&self.work(), &path)?;
        if copied != self.manifest.contents() {
            prune::remove(&self.path);
            bail!(
                "the template {} was damaged and has been removed: `parcourse prepare` builds it \
                 again",
                self.path.display()
            );
        }
        if let Some(newest) = self.newest_source {
            refresh(&path.join("target"), &self.packages, newest)?;
        }
        let environment = self.environment(directory.path(), &path)?;
        Ok(WorkDirectory { _directory: directory, path, environment })
    }

    fn environment(&self, directory: &Path, work: &Path) -> Result<Vec<(&'static str, OsString)>> {
        let mut environment: Vec<(&'static str, OsString)> = vec![("EVCXR_TMPDIR", work.into())];
        environment.extend(self.toolchain.environment());
        environment.extend(
            self.kind.cell_environment().into_iter().map(|(name, value)| (name, value.into())),
        );
        if self.kind == KernelKind::Evcxr {
            // Our own kernel loads the standard library itself.
            environment.extend(self.toolchain.library_path());
            let config = directory.join("config");
            std::fs::create_dir(&config)
                .with_context(|| format!("failed to make {}", config.display()))?;
            let from = shell_word(&work.join(lockfile::KEPT))?;
            let to = shell_word(&work.join("Cargo.lock"))?;
            // The stock kernel executes the lines of these files when its engine has started. Among
            // the engine's commands, only a shell line can copy a file.
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
    Ok(shell_quoted(text))
}

/// Makes cargo accept that the helper crate was compiled from its current files.
///
/// Cargo compares modification times. Sources that were written again after the template was built
/// (by a fresh clone, or by changing branches and back) look newer than the compiled crate, so
/// every kernel would compile it again. The template's key guarantees that the contents are the
/// same. We set the times of cargo's fingerprints to that of the newest source, not to now, so that
/// cargo sees later edits.
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

fn create_build_directory() -> Result<OwnedDir> {
    let folder = paths::build_folder()?;
    owned_dir::sweep(&folder, PREFIX);
    OwnedDir::create(&folder, PREFIX)
}

/// Creates a folder in temporary space for a kernel's sockets. The folder for builds may be on a
/// network file system, and its path may be too long.
pub fn create_socket_directory() -> Result<OwnedDir> {
    OwnedDir::create(&paths::private_tmp()?, PREFIX)
}

/// The folders that contain the kernels' directories.
fn parents() -> Vec<PathBuf> {
    let both = [paths::build_folder(), paths::private_tmp()];
    let mut parents: Vec<PathBuf> =
        both.into_iter().flatten().filter_map(|parent| parent.canonicalize().ok()).collect();
    parents.dedup();
    parents
}

/// Counts the checkouts whose processes have died. Removes nothing.
pub fn abandoned() -> usize {
    parents().iter().map(|parent| owned_dir::abandoned(parent, PREFIX)).sum()
}

/// Removes the checkouts of processes that died without removing them. Returns how many.
pub fn sweep() -> usize {
    parents().iter().map(|parent| owned_dir::sweep(parent, PREFIX)).sum()
}

/// Like [`sweep`], for a caller that knows process `pid` to be dead: also removes directories that
/// it had only begun to create.
pub fn sweep_after(pid: u32) {
    for parent in parents() {
        owned_dir::sweep_unmarked(&parent, PREFIX, pid);
    }
    sweep();
}
