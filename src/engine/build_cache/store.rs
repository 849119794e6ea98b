//! The templates in the cache: finding one, and removing old ones.

use super::copy::Copied;
use super::kernel_kind::KernelKind;
use super::key::CacheInputs;
use super::toolchain::Toolchain;
use super::{FORMAT, prune};
use crate::base::owned_dir;
use anyhow::{Context, Result};
use clap::ValueEnum;
use serde::{Deserialize, Serialize};
use std::fs::File;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

/// A template that was not used for this long is removed.
const MAX_UNUSED: Duration = Duration::from_secs(14 * 24 * 3600);
/// At most this many templates are kept.
const MAX_TEMPLATES: usize = 6;

/// A build directory in the cache in which the helper crate and its dependencies are compiled.
/// Kernels do not work in it, they work in copies.
#[derive(Debug)]
pub struct Template {
    pub(super) path: PathBuf,
    pub(super) manifest: Manifest,
    pub(super) kind: KernelKind,
    pub(super) toolchain: Toolchain,
    /// The crates built from folders. Cargo decides by the times of their files whether to compile
    /// them again.
    pub(super) packages: Vec<String>,
    pub(super) newest_source: Option<SystemTime>,
}

/// The contents of a template's `template.json`.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Manifest {
    pub format: u32,
    pub helpers: PathBuf,
    pub rustc: String,
    /// The size of `work/`. A checkout of another size is not used.
    pub files: u64,
    pub bytes: u64,
    /// How many crates were compiled, and how long the build took.
    pub crates: usize,
    pub seconds: f64,
}

impl Manifest {
    pub(super) fn contents(&self) -> Copied {
        Copied { files: self.files, bytes: self.bytes }
    }
}

impl Template {
    /// The template's folder.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// What the template was built from and how long that took.
    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// The compiler that the template was built with.
    pub fn toolchain(&self) -> &Toolchain {
        &self.toolchain
    }

    /// The directory that is copied.
    pub(super) fn work(&self) -> PathBuf {
        self.path.join("work")
    }

    /// Records that the template is still in use. Errors are ignored, because a shared installation
    /// may be read-only.
    pub(super) fn mark_used(&self) {
        let now = SystemTime::now();
        let _ = File::options()
            .write(true)
            .create(true)
            .truncate(false)
            .open(self.path.join("used"))
            .and_then(|file| file.set_modified(now));
    }
}

/// The folder that contains all templates.
pub fn root(cache: &Path) -> PathBuf {
    cache.join("template")
}

/// Creates the folder that contains all templates.
pub fn make(root: &Path) -> Result<()> {
    std::fs::create_dir_all(root).with_context(|| {
        format!(
            "failed to create {}: set PARCOURSE_CACHE to a writable folder, or run `parcourse \
             prepare` where this one is writable",
            root.display()
        )
    })
}

/// The template with these inputs' key, if it is complete.
pub fn find(root: &Path, inputs: &CacheInputs) -> Option<Template> {
    let path = root.join(&inputs.key);
    let manifest: Manifest =
        serde_json::from_slice(&std::fs::read(path.join("template.json")).ok()?).ok()?;
    (manifest.format == FORMAT && path.join("work").is_dir()).then(|| Template {
        path,
        manifest,
        kind: inputs.kind,
        toolchain: inputs.toolchain.clone(),
        packages: inputs.sources.packages.iter().map(|package| package.name.clone()).collect(),
        newest_source: inputs.sources.newest(),
    })
}

/// Removes templates that were not used for two weeks, all but the six most recently used, and what
/// killed builds left.
pub fn tidy(root: &Path, keep: &str) {
    owned_dir::sweep(root, BUILD_PREFIX);
    let Ok(entries) = std::fs::read_dir(root) else { return };
    let mut others = Vec::new();
    for entry in entries.flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        let path = entry.path();
        if name.starts_with(prune::REMOVING) {
            let _ = std::fs::remove_dir_all(&path);
        } else if let Some(key) = name.strip_suffix(".lock") {
            if is_key(key) && age(&path).is_some_and(|age| age > MAX_UNUSED) {
                let _ = std::fs::remove_file(&path);
            }
        } else if is_key(&name) && name != keep {
            let used = age(&path.join("used")).or_else(|| age(&path)).unwrap_or_default();
            others.push((used, path));
        }
    }
    others.sort();
    for (index, (unused_for, path)) in others.iter().enumerate() {
        if *unused_for > MAX_UNUSED || index + 1 >= MAX_TEMPLATES {
            prune::remove(path);
        }
    }
}

/// Prefix of the directories of running builds.
pub const BUILD_PREFIX: &str = ".building";

fn age(path: &Path) -> Option<Duration> {
    SystemTime::now().duration_since(std::fs::metadata(path).ok()?.modified().ok()?).ok()
}

/// Whether a name has the form of our keys. Nothing else is ever removed.
fn is_key(name: &str) -> bool {
    name.rsplit_once('-').is_some_and(|(kind, hash)| {
        KernelKind::from_str(kind, false).is_ok()
            && hash.len() == 24
            && hash.bytes().all(|byte| byte.is_ascii_hexdigit())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn template(root: &Path, number: u64, unused_days: u64) -> PathBuf {
        let path = root.join(format!("parcourse-{number:024x}"));
        std::fs::create_dir_all(path.join("work")).unwrap();
        let used = File::create(path.join("used")).unwrap();
        used.set_modified(
            SystemTime::now() - Duration::from_secs(unused_days * 24 * 3600 + number),
        )
        .unwrap();
        path
    }

    #[test]
    fn keeps_the_six_last_used_and_nothing_older_than_two_weeks() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        let current = template(root, 1, 30);
        let old = template(root, 2, 15);
        let used: Vec<PathBuf> = (10..18).map(|number| template(root, number, 1)).collect();
        let foreign = root.join("my-own-folder");
        std::fs::create_dir(&foreign).unwrap();
        let leftover = root.join(format!("{}x", prune::REMOVING));
        std::fs::create_dir(&leftover).unwrap();
        tidy(root, current.file_name().unwrap().to_str().unwrap());
        assert!(current.exists(), "the current template stays, even if it was not used for long");
        assert!(!old.exists() && !leftover.exists());
        assert!(foreign.exists(), "not one of our folders");
        let left: Vec<bool> = used.iter().map(|path| path.exists()).collect();
        assert_eq!(
            left,
            [true, true, true, true, true, false, false, false],
            "five beside the current one"
        );
    }

    #[test]
    fn only_our_names_are_keys() {
        assert!(is_key("parcourse-0123456789abcdef01234567"));
        assert!(is_key("evcxr-0123456789abcdef01234567"));
        for other in [
            "parcourse",
            "parcourse-short",
            "parcourse-0123456789abcdef0123456z",
            "thesis-0123456789abcdef01234567",
        ] {
            assert!(!is_key(other), "{other}");
        }
    }
}
