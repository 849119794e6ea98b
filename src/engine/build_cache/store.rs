//! The templates in the cache: finding one, and clearing away old ones.

use super::copy::Copied;
use super::flavor::Flavor;
use super::key::Ingredients;
use super::toolchain::Toolchain;
use super::{FORMAT, prune};
use crate::base::owned_dir;
use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};
use std::fs::File;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

/// A template that nobody used for this long goes.
const UNUSED: Duration = Duration::from_secs(14 * 24 * 3600);
/// Of the others, this many stay.
const KEPT: usize = 6;

/// A prepared build directory.
#[derive(Debug)]
pub struct Template {
    pub(super) path: PathBuf,
    pub(super) manifest: Manifest,
    pub(super) flavor: Flavor,
    pub(super) toolchain: Toolchain,
    /// The crates built from folders, whose freshness cargo judges by the times of their files.
    pub(super) packages: Vec<String>,
    pub(super) newest_source: Option<SystemTime>,
}

/// What is written down in a template's `template.json`.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Manifest {
    pub format: u32,
    pub helpers: PathBuf,
    pub rustc: String,
    /// What `work/` holds: a checkout that finds less is not used.
    pub files: u64,
    pub bytes: u64,
    /// Crates compiled for it, and the seconds it took.
    pub crates: usize,
    pub seconds: f64,
}

impl Manifest {
    pub(super) fn contents(&self) -> Copied {
        Copied { files: self.files, bytes: self.bytes }
    }
}

impl Template {
    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// What it was built from and how long that took.
    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// The compiler it was built with.
    pub fn toolchain(&self) -> &Toolchain {
        &self.toolchain
    }

    /// The directory that is copied.
    pub(super) fn work(&self) -> PathBuf {
        self.path.join("work")
    }

    /// Notes that it is still wanted. A cache that cannot be written (a shared installation) is
    /// none of the user's business.
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

/// The folder of all templates.
pub fn root(cache: &Path) -> PathBuf {
    cache.join("template")
}

/// Makes the folder of all templates.
pub fn make(root: &Path) -> Result<()> {
    std::fs::create_dir_all(root).with_context(|| {
        format!(
            "failed to make {}: let PARCOURSE_CACHE name a folder that can be written, or run `parcourse prepare` where this one can be",
            root.display()
        )
    })
}

/// The template of that key, if it is complete.
pub fn find(root: &Path, ingredients: &Ingredients) -> Option<Template> {
    let path = root.join(&ingredients.key);
    let manifest: Manifest =
        serde_json::from_slice(&std::fs::read(path.join("template.json")).ok()?).ok()?;
    (manifest.format == FORMAT && path.join("work").is_dir()).then(|| Template {
        path,
        manifest,
        flavor: ingredients.flavor,
        toolchain: ingredients.toolchain.clone(),
        packages: ingredients.sources.packages.iter().map(|package| package.name.clone()).collect(),
        newest_source: ingredients.sources.newest(),
    })
}

/// Removes templates that nobody used for two weeks, all but the six most recently used, and what
/// killed builds left.
pub fn tidy(root: &Path, keep: &str) {
    owned_dir::sweep(root, build_prefix());
    let Ok(entries) = std::fs::read_dir(root) else { return };
    let mut others = Vec::new();
    for entry in entries.flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        let path = entry.path();
        if name.starts_with(prune::REMOVING) {
            let _ = std::fs::remove_dir_all(&path);
        } else if let Some(key) = name.strip_suffix(".lock") {
            if is_key(key) && age(&path).is_some_and(|age| age > UNUSED) {
                let _ = std::fs::remove_file(&path);
            }
        } else if is_key(&name) && name != keep {
            let used = age(&path.join("used")).or_else(|| age(&path)).unwrap_or_default();
            others.push((used, path));
        }
    }
    others.sort();
    for (index, (unused_for, path)) in others.iter().enumerate() {
        if *unused_for > UNUSED || index + 1 >= KEPT {
            prune::remove(path);
        }
    }
}

/// What directories of builds under way are called.
pub fn build_prefix() -> &'static str {
    ".building"
}

fn age(path: &Path) -> Option<Duration> {
    SystemTime::now().duration_since(std::fs::metadata(path).ok()?.modified().ok()?).ok()
}

/// Only what looks like one of ours is ever removed.
fn is_key(name: &str) -> bool {
    name.rsplit_once('-').is_some_and(|(flavor, hash)| {
        Flavor::from_name(flavor).is_some()
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
        assert!(current.exists(), "the current one stays, however long unused");
        assert!(!old.exists() && !leftover.exists());
        assert!(foreign.exists(), "not ours");
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
