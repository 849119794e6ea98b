//! Adding dependencies without compiling everything else again.
//!
//! The engine has cargo look at each new dependency by itself, in a package that has no other.
//! Cargo then drops all others from the lock file, and the next build chooses their versions anew:
//! the helper crate and whatever else had been compiled would be compiled again, from whichever
//! versions are newest by now. So new dependencies are added in a step of their own, before the
//! code that asks for them is executed, and between that look and the build the lock file is put
//! back. The engine does not look twice.
//!
//! This concerns a `:dep` in a notebook, and the first `.await`: the engine then adds tokio, which
//! the helper crate has compiled already.

use crate::engine::build_cache::RUNTIME;
use anyhow::{Context, Result};
use std::collections::BTreeSet;
use std::path::Path;

/// The commands that this code begins with that add dependencies, and the one that it implies. Not
/// those in `known`, and not the helper crate, which is loaded ahead of time.
pub fn new_ones(code: &str, known: &BTreeSet<String>) -> Vec<String> {
    let is_command = |line: &&str| {
        line.trim_start().starts_with(':') || line.starts_with('!') || is_nothing(line)
    };
    let commands = code
        .lines()
        .take_while(is_command)
        .map(str::trim)
        .filter(|line| line.starts_with(":dep "))
        .map(str::to_owned);
    let waits = code
        .split(|character: char| !(character.is_alphanumeric() || character == '_'))
        .any(|word| word == "await");
    let commands: Vec<String> =
        commands.filter(|line| names(line) != Some("parcourse") && !known.contains(line)).collect();
    let has_runtime = commands.iter().chain(known).any(|line| names(line) == Some("tokio"));
    let runtime = (waits && !has_runtime).then(|| RUNTIME.to_owned());
    commands.into_iter().chain(runtime).collect()
}

/// A line that the engine skips when it looks for commands.
fn is_nothing(line: &str) -> bool {
    line.starts_with("//") || line.trim().is_empty()
}

/// The crate that a `:dep` names.
fn names(command: &str) -> Option<&str> {
    command.strip_prefix(":dep")?.trim_start().split(['=', ' ']).next()
}

/// Lines for the engine that add these dependencies to the package in `directory` and keep the
/// versions of all others. Call [`restore`] when they fail.
pub fn lines(commands: &[String], directory: &Path) -> Result<String> {
    let (lock, kept) = (directory.join("Cargo.lock"), directory.join(KEPT));
    std::fs::copy(&lock, &kept).with_context(|| format!("failed to copy {}", lock.display()))?;
    let word = |path: &Path| {
        path.to_str().map(|text| format!("'{}'", text.replace('\'', r"'\''"))).context("not UTF-8")
    };
    Ok(format!("{}\n!cp {} {}", commands.join("\n"), word(&kept)?, word(&lock)?))
}

/// Puts back the lock file of before.
pub fn restore(directory: &Path) {
    // Where that fails, cargo makes a new one.
    let _ = std::fs::copy(directory.join(KEPT), directory.join("Cargo.lock"));
}

const KEPT: &str = "Cargo.lock.before";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_what_the_engine_will_look_at() {
        let none = BTreeSet::new();
        let code = "// first\n:dep parcourse = { path = \"../helpers\" }\n\n:opt 3\n  :dep  regex \
            = \"1\"\n:dep itertools\nuse x;\n:dep late";
        assert_eq!(new_ones(code, &none), [":dep  regex = \"1\"", ":dep itertools"]);
        assert_eq!(
            new_ones(code, &BTreeSet::from([":dep itertools".to_owned()])),
            [":dep  regex = \"1\""]
        );
        assert!(new_ones("let awaited = 1;", &none).is_empty());
    }

    #[test]
    fn waiting_needs_a_runtime_once() {
        let none = BTreeSet::new();
        assert_eq!(new_ones("sleep(x).await;", &none), [RUNTIME]);
        assert!(new_ones("sleep(x).await;", &BTreeSet::from([RUNTIME.to_owned()])).is_empty());
        assert_eq!(new_ones(":dep tokio = \"1\"\nsleep(x).await;", &none), [":dep tokio = \"1\""]);
    }
}
