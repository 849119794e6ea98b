//! What cargo answered before.
//!
//! An answer holds as long as nothing changes that it was made from: the question, cargo, the
//! manifest and lock file of the cells, the user's settings for cargo and the environment that
//! cargo reads, and the sources of crates in folders. The kernel's own folder, another one for each
//! kernel, stands in it as [`FOLDER`].

use crate::base::paths;
use crate::engine::skeleton::{Key, Store, sources_below};
use serde_json::Value;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

const FOLDER: &str = "@KERNEL@";

/// One question of rust-analyzer's for cargo.
pub struct Question {
    /// The kernel's folder.
    folder: String,
    store: Option<Store>,
    arguments: Vec<OsString>,
    cargo: PathBuf,
    directory: PathBuf,
}

/// Whether these are arguments of a question that rust-analyzer asks. The engine asks and builds in
/// other words.
pub fn is_question(arguments: &[OsString]) -> bool {
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

impl Question {
    pub fn new(arguments: &[OsString], cargo: &Path, directory: &Path) -> Question {
        let folder =
            directory.parent().map(|folder| folder.display().to_string()).unwrap_or_default();
        // Without a folder of its own this is no kernel of ours.
        let store = (folder.len() > 1).then(|| Store::open().ok()).flatten();
        Question {
            folder,
            store,
            arguments: arguments.to_vec(),
            cargo: cargo.to_owned(),
            directory: directory.to_owned(),
        }
    }

    /// The answer, if it was kept and its crates are where it says.
    pub fn known(&self) -> Option<Vec<u8>> {
        let store = self.store.as_ref()?;
        let notes = store.answer(&self.key("notes"))?;
        let local: Vec<PathBuf> = serde_json::from_slice(&notes).ok()?;
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

    /// Keeps an answer for the next kernel.
    pub fn keep(&self, answer: &[u8]) {
        let (Some(store), Ok(text)) = (&self.store, std::str::from_utf8(answer)) else { return };
        let local = self.folders();
        store.keep_answer(&self.full_key(&local), text.replace(&self.folder, FOLDER).as_bytes());
        if let Ok(notes) = serde_json::to_vec(&local) {
            store.keep_answer(&self.key("notes"), &notes);
        }
    }

    /// The folders of crates that the manifest takes from folders, and of those that these take.
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
                // The lock file's copy, another one each time, has the contents of the original.
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

    /// The same, with the state of these folders.
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
    fn rust_analyzers_questions_are_known() {
        let asks = |line: &str| {
            is_question(&line.split_whitespace().map(OsString::from).collect::<Vec<_>>())
        };
        for question in [
            "metadata --format-version 1 --no-deps --manifest-path /k/work/Cargo.toml",
            "rustc -Z unstable-options --print cfg -- -O",
            "-Z unstable-options config get --format toml --show-origin",
            "locate-project --workspace --manifest-path /k/work/Cargo.toml",
            "--version",
        ] {
            assert!(asks(question), "{question}");
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
