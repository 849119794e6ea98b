//! Adds dependencies without compiling everything else again.
//!
//! The engine makes cargo resolve each new dependency in a package without other dependencies.
//! Cargo then removes all other packages from the lock file, and the next build chooses their
//! versions again: the helper crate and everything else would be recompiled from the newest
//! versions. So we add new dependencies in a separate step, before the cell is executed, and
//! restore the lock file after cargo has resolved them. The engine does not resolve a dependency
//! twice.
//!
//! This concerns `:dep` in a notebook, and the first `.await`, at which the engine adds tokio. The
//! helper crate has already compiled tokio.

use crate::base::process::shell_quoted;
use crate::engine::build_cache::RUNTIME;
use crate::kernel::cell_source::CellSource;
use anyhow::{Context, Result};
use std::collections::BTreeSet;
use std::path::Path;

/// The `:dep` commands of this cell that are not in `known`, and tokio if the cell awaits
/// something. Without the helper crate, which is loaded in advance.
pub fn missing(source: &CellSource, known: &BTreeSet<String>) -> Vec<String> {
    let commands: Vec<String> = source
        .dependencies()
        .map(|command| command.line)
        .filter(|line| crate_name(line) != Some("parcourse") && !known.contains(*line))
        .map(str::to_owned)
        .collect();
    let has_runtime = commands.iter().chain(known).any(|line| crate_name(line) == Some("tokio"));
    let runtime = (source.contains_word(&["await"]) && !has_runtime).then(|| RUNTIME.to_owned());
    commands.into_iter().chain(runtime).collect()
}

/// The crate in a `:dep` command.
fn crate_name(command: &str) -> Option<&str> {
    command.strip_prefix(":dep")?.trim_start().split(['=', ' ', '\t']).next()
}

/// The lines with which the engine adds these dependencies to the package in `directory` and keeps
/// the versions of all others. Call [`restore`] if they fail.
pub fn lines(commands: &[String], directory: &Path) -> Result<String> {
    let (lock, kept) = (directory.join("Cargo.lock"), directory.join(KEPT));
    std::fs::copy(&lock, &kept).with_context(|| format!("failed to copy {}", lock.display()))?;
    let word = |path: &Path| path.to_str().map(shell_quoted).context("not UTF-8");
    Ok(format!("{}\n!cp {} {}", commands.join("\n"), word(&kept)?, word(&lock)?))
}

/// Restores the previous lock file.
pub fn restore(directory: &Path) {
    // If this fails, cargo creates a new one.
    let _ = std::fs::copy(directory.join(KEPT), directory.join("Cargo.lock"));
}

const KEPT: &str = "Cargo.lock.before";

#[cfg(test)]
mod tests {
    use super::*;

    fn missing(code: &str, known: &BTreeSet<String>) -> Vec<String> {
        super::missing(&CellSource::parse(code), known)
    }

    #[test]
    fn finds_the_dependencies_that_the_engine_would_add() {
        let none = BTreeSet::new();
        let code = "// first\n:dep parcourse = { path = \"../helpers\" }\n\n:opt 3\n  :dep  regex \
            = \"1\"\n:dep itertools\nuse x;\n:dep late";
        assert_eq!(missing(code, &none), [":dep  regex = \"1\"", ":dep itertools"]);
        assert_eq!(
            missing(code, &BTreeSet::from([":dep itertools".to_owned()])),
            [":dep  regex = \"1\""]
        );
        assert!(missing("let awaited = 1;", &none).is_empty());
    }

    #[test]
    fn await_adds_a_runtime_once() {
        let none = BTreeSet::new();
        assert_eq!(missing("sleep(x).await;", &none), [RUNTIME]);
        assert!(missing("sleep(x).await;", &BTreeSet::from([RUNTIME.to_owned()])).is_empty());
        assert_eq!(missing(":dep tokio = \"1\"\nsleep(x).await;", &none), [":dep tokio = \"1\""]);
    }
}
