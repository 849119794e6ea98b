//! The version of each file that was last copied to the learner, in `.parcourse/given.json`.

use super::version::Version;
use crate::base::files::write_atomically;
use anyhow::Result;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::PathBuf;

/// Version of the file format. Files with another version are ignored, which is safe (see
/// [`super::decide`]).
const FORMAT: u32 = 1;

#[derive(Serialize, Deserialize)]
struct Written {
    format: u32,
    files: BTreeMap<String, Version>,
}

/// The versions, saved after each change.
pub struct Baseline {
    path: PathBuf,
    files: BTreeMap<String, Version>,
}

impl Baseline {
    /// Reads the file. If it is missing or invalid, there is no baseline, and learners' files that
    /// differ are backed up.
    pub fn load(path: PathBuf) -> Self {
        let written = std::fs::read(&path)
            .ok()
            .and_then(|bytes| serde_json::from_slice::<Written>(&bytes).ok());
        let files = written
            .filter(|written| written.format == FORMAT)
            .map(|written| written.files)
            .unwrap_or_default();
        Self { path, files }
    }

    pub fn get(&self, name: &str) -> Option<&Version> {
        self.files.get(name)
    }

    /// Records that this version was copied, and saves the file.
    pub fn set(&mut self, name: String, version: Version) -> Result<()> {
        self.files.insert(name, version);
        let written = Written { format: FORMAT, files: std::mem::take(&mut self.files) };
        let text = serde_json::to_string_pretty(&written);
        self.files = written.files;
        write_atomically(&self.path, text?.as_bytes())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_set_is_found_again_and_rubbish_says_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("given.json");
        let version = Version { content: "a".into(), whole: "b".into() };
        Baseline::load(path.clone()).set("ünï code.ipynb".into(), version.clone()).unwrap();
        assert_eq!(Baseline::load(path.clone()).get("ünï code.ipynb"), Some(&version));
        assert_eq!(
            std::fs::read_dir(folder.path()).unwrap().count(),
            1,
            "nothing temporary is left"
        );
        for rubbish in ["", "{}", r#"{"format": 99, "files": {}}"#] {
            std::fs::write(&path, rubbish).unwrap();
            assert_eq!(Baseline::load(path.clone()).get("ünï code.ipynb"), None);
        }
    }
}
