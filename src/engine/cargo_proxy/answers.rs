//! A cache of cargo's answers.
//!
//! An answer is valid as long as its inputs stay the same: the query, cargo itself, the manifest
//! and lock file of the cells, the user's cargo configuration, the environment variables that cargo
//! reads, and the sources of crates in folders. Each kernel has a different folder, which is stored
//! as [`FOLDER`].

use crate::base::paths;
use crate::engine::skeleton::{Key, Store, sources_below};
use serde_json::Value;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

const FOLDER: &str = "@KERNEL@";

/// A query that rust-analyzer sends to cargo.
pub struct Query {
    /// The kernel's folder.
    folder: String,
    store: Option<Store>,
    arguments: Vec<OsString>,
    cargo: PathBuf,
    directory: PathBuf,
}

/// Whether rust-analyzer uses these arguments. The engine's own queries and builds look different.
pub fn is_query(arguments: &[OsString]) -> bool {
    let has = |word: &str| arguments.iter().any(|argument| argument == word);
    let first = arguments.first().and_then(|argument| argument.to_str()).unwrap_or_default();
    match first {
        "locate-project" | "--version" => true,
        "metadata" => has("--manifest-path"),
        "rustc" => has("--print"),
        "-Z" => has("config") && has("get"),
        _ => false,
    }
}

impl Query {
    pub fn new(arguments: &[OsString], cargo: &Path, directory: &Path) -> Query {
        let folder =
            directory.parent().map(|folder| folder.display().to_string()).unwrap_or_default();
        // Without its own folder, this is not one of our kernels.
        let store = (folder.len() > 1).then(|| Store::open().ok()).flatten();
        Query {
            folder,
            store,
            arguments: arguments.to_vec(),
            cargo: cargo.to_owned(),
            directory: directory.to_owned(),
        }
    }

    /// The cached answer, if there is one and its crates still exist.
    pub fn cached(&self) -> Option<Vec<u8>> {
        let store = self.store.as_ref()?;
        let folders = store.answer(&self.key("folders"))?;
        let local: Vec<PathBuf> = serde_json::from_slice(&folders).ok()?;
        let answer = String::from_utf8(store.answer(&self.full_key(&local))?).ok()?;
        if self.arguments.first().is_some_and(|word| word == "metadata") {
            let answer: Value = serde_json::from_str(&answer).ok()?;
            let targets = answer["packages"]
                .as_array()?
                .iter()
                .flat_map(|package| package["targets"].as_array().into_iter().flatten());
            let mut roots = targets.filter_map(|target| target["src_path"].as_str());
            if !roots.all(|root| root.starts_with(FOLDER) || Path::new(root).exists()) {
                return None;
            }
        }
        Some(answer.replace(FOLDER, &self.folder).into_bytes())
    }

    /// Caches an answer for the next kernel.
    pub fn store(&self, answer: &[u8]) {
        let (Some(store), Ok(text)) = (&self.store, std::str::from_utf8(answer)) else { return };
        let local = self.folders();
        store.keep_answer(&self.full_key(&local), text.replace(&self.folder, FOLDER).as_bytes());
        if let Ok(folders) = serde_json::to_vec(&local) {
            store.keep_answer(&self.key("folders"), &folders);
        }
    }

    /// The folders of the manifest's `path` dependencies.
    fn folders(&self) -> Vec<PathBuf> {
        let manifest =
            std::fs::read_to_string(self.directory.join("Cargo.toml")).unwrap_or_default();
        let manifest: toml::Table = manifest.parse().unwrap_or_default();
        let dependencies = manifest
            .get("dependencies")
            .and_then(toml::Value::as_table)
            .into_iter()
            .flat_map(toml::Table::values);
        let named = dependencies
            .filter_map(|dependency| Some(PathBuf::from(dependency.get("path")?.as_str()?)));
        named
            .map(|path| if path.is_absolute() { path } else { self.directory.join(path) })
            .collect()
    }

    fn key(&self, purpose: &str) -> Key {
        let mut key = Key::new();
        let mut add = |text: &str| key.add(text.replace(&self.folder, FOLDER));
        add(purpose);
        self.arguments.iter().for_each(|argument| add(&argument.to_string_lossy()));
        for name in ["Cargo.toml", "Cargo.lock"] {
            add(&std::fs::read_to_string(self.directory.join(name)).unwrap_or_default());
        }
        let mut variables: Vec<String> = std::env::vars_os()
            .map(|(name, value)| {
                (name.to_string_lossy().into_owned(), value.to_string_lossy().into_owned())
            })
            .filter(|(name, _)| {
                let matters = ["CARGO", "RUST", "__CARGO", "PARCOURSE_WHOLE"]
                    .iter()
                    .any(|prefix| name.starts_with(prefix));
                // The copy of the lock file has a different path each time, but the same contents
                // as the original.
                matters && name != "CARGO_RESOLVER_LOCKFILE_PATH" && name != "RUST_SRC_PATH"
            })
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        variables.sort();
        variables.iter().for_each(|variable| add(variable));
        key.add_stamp(&self.cargo);
        let home = paths::cargo_home().unwrap_or_default();
        for name in ["config.toml", "config"] {
            key.add_stamp(&home.join(name));
        }
        if let Ok(program) = std::env::current_exe() {
            key.add_stamp(&program);
        }
        key
    }

    /// The key of an answer, which includes the state of these folders.
    fn full_key(&self, folders: &[PathBuf]) -> Key {
        let mut key = self.key("answer");
        for file in folders.iter().flat_map(|folder| sources_below(folder)) {
            key.add_stamp(&file);
        }
        key
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rust_analyzers_queries_are_recognized() {
        let asks =
            |line: &str| is_query(&line.split_whitespace().map(OsString::from).collect::<Vec<_>>());
        for query in [
            "metadata --format-version 1 --no-deps --manifest-path /k/work/Cargo.toml",
            "rustc -Z unstable-options --print cfg -- -O",
            "-Z unstable-options config get --format toml --show-origin",
            "locate-project --workspace --manifest-path /k/work/Cargo.toml",
            "--version",
        ] {
            assert!(asks(query), "{query}");
        }
        for other in [
            "build --message-format=json",
            "--offline metadata --format-version=1",
            "check",
            "-Z unstable-options build",
        ] {
            assert!(!asks(other), "{other}");
        }
    }
}
