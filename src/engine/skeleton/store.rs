//! The cache of skeletons, one for each crate, compiler and set of features.
//!
//! An entry `NAME-KEY` is complete or absent, because it is created under another name and renamed.
//! It contains a mark file; if the crate has no skeleton, that file contains the reason. Entries
//! that were not used for two weeks are removed.

use crate::base::hash;
use anyhow::{Context, Result};
use sha2::{Digest, Sha256};
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

/// The code that creates skeletons. If it changes, old skeletons are not used any more.
const GENERATOR: [&str; 7] = [
    include_str!("attributes.rs"),
    include_str!("cfg.rs"),
    include_str!("crates.rs"),
    include_str!("hashbrown.rs"),
    include_str!("items.rs"),
    include_str!("macros.rs"),
    include_str!("package.rs"),
];
const MARK: &str = ".parcourse-skeleton";
const TEMPORARY: &str = ".making-";
const ANSWER: &str = "answer";
const MAX_UNUSED: Duration = Duration::from_secs(14 * 24 * 3600);

/// The folder of all skeletons.
pub struct Store(PathBuf);

impl Store {
    /// Opens the store. Creates it if it is missing.
    pub fn open() -> Result<Store> {
        Store::in_folder(crate::base::paths::cache()?.join("skeleton"))
    }

    fn in_folder(folder: PathBuf) -> Result<Store> {
        fs::create_dir_all(&folder)
            .with_context(|| format!("failed to make {}", folder.display()))?;
        Ok(Store(folder))
    }

    /// The skeleton with this name and key. Creates it if it is missing. `None` if the crate cannot
    /// be stripped.
    pub fn skeleton(
        &self,
        name: &str,
        key: &Key,
        make: impl FnOnce(&Path) -> Result<()>,
    ) -> Result<Option<PathBuf>> {
        let entry = self.0.join(format!("{name}-{}", key.finish()));
        if let Ok(mark) = fs::read(entry.join(MARK)) {
            mark_used(&entry.join(MARK));
            return Ok(mark.is_empty().then_some(entry));
        }
        self.tidy();
        let new = tempfile::Builder::new().prefix(TEMPORARY).tempdir_in(&self.0)?;
        let mark = new.path().join(MARK);
        fs::write(&mark, "unfinished")?;
        let (contents, reason) = match make(new.path()) {
            Ok(()) => (true, String::new()),
            Err(error) => (false, format!("{error:#}")),
        };
        fs::write(&mark, reason)?;
        // If another process has created it in the meantime, use that one.
        if fs::rename(new.path(), &entry).is_ok() {
            let _ = new.keep();
        }
        Ok(contents.then_some(entry))
    }

    /// The cached answer of cargo, if there is one.
    pub fn answer(&self, key: &Key) -> Option<Vec<u8>> {
        let file = self.0.join(format!("{ANSWER}-{}", key.finish()));
        let answer = fs::read(&file).ok()?;
        mark_used(&file);
        Some(answer)
    }

    /// Caches an answer of cargo. Errors are ignored, because they only cost time.
    pub fn keep_answer(&self, key: &Key, answer: &[u8]) {
        let write = || -> Result<()> {
            let new = tempfile::NamedTempFile::new_in(&self.0)?;
            fs::write(new.path(), answer)?;
            new.persist(self.0.join(format!("{ANSWER}-{}", key.finish())))?;
            Ok(())
        };
        let _ = write();
    }

    /// Removes our entries that were not used for two weeks.
    fn tidy(&self) {
        for entry in fs::read_dir(&self.0).into_iter().flatten().flatten() {
            let path = entry.path();
            let mark = path.join(MARK);
            let is_folder = mark.is_file();
            let is_ours = is_folder || entry.file_name().to_string_lossy().starts_with(ANSWER);
            let used = if is_folder { &mark } else { &path };
            let age = fs::metadata(used)
                .and_then(|file| file.modified())
                .ok()
                .and_then(|time| SystemTime::now().duration_since(time).ok());
            if is_ours && age.is_some_and(|age| age > MAX_UNUSED) {
                let _ = if is_folder { fs::remove_dir_all(&path) } else { fs::remove_file(&path) };
            }
        }
    }
}

fn mark_used(file: &Path) {
    let _ = File::options()
        .append(true)
        .open(file)
        .and_then(|file| file.set_modified(SystemTime::now()));
}

/// A hash over everything that a skeleton or an answer depends on.
pub struct Key(Sha256);

impl Key {
    pub fn new() -> Key {
        let mut key = Key(Sha256::new());
        GENERATOR.into_iter().for_each(|source| key.add(source));
        key
    }

    pub fn add(&mut self, part: impl AsRef<[u8]>) {
        self.0.update((part.as_ref().len() as u64).to_le_bytes());
        self.0.update(part);
    }

    /// Adds a file's path, size and modification time.
    pub fn add_stamp(&mut self, file: &Path) {
        let metadata = fs::metadata(file);
        let stamp = metadata.map(|metadata| (metadata.len(), metadata.modified().ok()));
        self.add(format!("{} {stamp:?}", file.display()));
    }

    fn finish(&self) -> String {
        hash::hex(&self.0.clone().finalize()[..10])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(text: &str) -> Key {
        let mut key = Key::new();
        key.add(text);
        key
    }

    #[test]
    fn creates_each_once_and_remembers_failures() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::in_folder(folder.path().join("skeleton")).unwrap();
        let made = |text: &str| {
            store
                .skeleton("rayon", &key(text), |to| Ok(fs::write(to.join("lib.rs"), text)?))
                .unwrap()
                .unwrap()
        };
        let first = made("one");
        assert_eq!(fs::read_to_string(first.join("lib.rs")).unwrap(), "one");
        assert_ne!(first, made("two"));
        assert_eq!(
            store.skeleton("rayon", &key("one"), |_| panic!("created again")).unwrap(),
            Some(first)
        );
        let fails =
            |make: fn(&Path) -> Result<()>| store.skeleton("odd", &key("three"), make).unwrap();
        assert_eq!(fails(|_| anyhow::bail!("it does not parse")), None);
        assert_eq!(fails(|_| panic!("tried again")), None);
    }

    #[test]
    fn only_unused_entries_are_removed() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::in_folder(folder.path().to_owned()).unwrap();
        let old = store.skeleton("old", &key("old"), |_| Ok(())).unwrap().unwrap();
        store.keep_answer(&key("question"), b"answer");
        assert_eq!(store.answer(&key("question")).unwrap(), b"answer");
        let foreign = folder.path().join("thesis");
        fs::create_dir(&foreign).unwrap();
        let long_ago = SystemTime::now() - 2 * MAX_UNUSED;
        for file in [old.join(MARK), foreign.clone()] {
            File::open(file).unwrap().set_modified(long_ago).unwrap();
        }
        store.skeleton("new", &key("new"), |_| Ok(())).unwrap();
        assert!(!old.exists() && foreign.exists());
        assert!(store.answer(&key("question")).is_some());
    }
}
