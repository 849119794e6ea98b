//! The versions of the helper crate's dependencies, as its workspace's `Cargo.lock` pins them.
//!
//! The engine compiles cells in its own package. A kernel starts without dependencies, and cargo
//! then removes all entries from that package's `Cargo.lock`. The next `:dep` would ask the
//! registry for the newest versions: a compute node has no network, and after any release of any
//! dependency every kernel would compile the template's crates again. So we keep a copy of the lock
//! file and restore it before dependencies are added.

use anyhow::{Context, Result};
use std::collections::BTreeSet;
use std::path::Path;
use toml::{Table, Value};

/// The copy of the lock file, under a name that cargo does not touch.
pub const KEPT: &str = "Cargo.lock.prepared";

/// Name and version of the package in which the engine compiles cells.
const CELLS: (&str, &str) = ("ctx", "1.0.0");

/// The part of a workspace's lock file that the package `name` needs, as a lock file for the cells'
/// package, which depends on it. `None` if the lock file does not contain the package.
pub fn closure(lock: &str, name: &str) -> Result<Option<String>> {
    let Some(mut kept) = needed_by(lock, name)? else { return Ok(None) };
    let cells = Value::Table(Table::from_iter([
        ("name".to_owned(), Value::from(CELLS.0)),
        ("version".to_owned(), Value::from(CELLS.1)),
        ("dependencies".to_owned(), Value::from(vec![name])),
    ]));
    kept.get_mut("package")
        .and_then(Value::as_array_mut)
        .context("it lists no packages")?
        .push(cells);
    Ok(Some(kept.to_string()))
}

/// The part of a workspace's lock file that the package `name` needs, itself included. `None` if
/// the lock file does not contain the package.
pub fn needed_by(lock: &str, name: &str) -> Result<Option<Table>> {
    let lock: Table = lock.parse().context("not a valid Cargo.lock")?;
    let none = Vec::new();
    let packages = lock.get("package").and_then(Value::as_array).unwrap_or(&none);
    let Some(start) = packages
        .iter()
        .position(|package| text(package, "name") == name && package.get("source").is_none())
    else {
        return Ok(None);
    };
    let mut needed = BTreeSet::new();
    let mut waiting = vec![start];
    while let Some(index) = waiting.pop() {
        if !needed.insert(index) {
            continue;
        }
        for dependency in
            packages[index].get("dependencies").and_then(Value::as_array).into_iter().flatten()
        {
            let dependency = dependency.as_str().unwrap_or_default();
            waiting.extend(packages.iter().position(|package| refers_to(package, dependency)));
        }
    }
    let kept: Vec<Value> = needed.into_iter().map(|index| packages[index].clone()).collect();
    let mut result = Table::new();
    if let Some(version) = lock.get("version") {
        result.insert("version".to_owned(), version.clone());
    }
    result.insert("package".to_owned(), Value::Array(kept));
    Ok(Some(result))
}

/// Restores the copy of the lock file if the one in the directory no longer contains the helper
/// crate. Returns whether it did.
///
/// Call this when the engine has started, and again before a `:dep` after the engine's state was
/// cleared. Does nothing if there is no copy, because the directory does not come from a template.
pub fn restore(directory: &Path) -> Result<bool> {
    let Ok(kept) = std::fs::read_to_string(directory.join(KEPT)) else { return Ok(false) };
    let current = directory.join("Cargo.lock");
    if std::fs::read_to_string(&current).is_ok_and(|text| text.contains("\nname = \"parcourse\"\n"))
    {
        return Ok(false);
    }
    std::fs::write(&current, kept)
        .with_context(|| format!("failed to write {}", current.display()))?;
    Ok(true)
}

/// The dependency that the engine adds itself at the first `.await`, unless the package already
/// depends on tokio.
pub const RUNTIME: &str =
    ":dep tokio = {version=\"1.34.0\", features=[\"rt\", \"rt-multi-thread\"]}";

/// The start-up code for a stock kernel's engine, in two steps, because the build in the first step
/// removes from the lock file what nothing depends on yet. `restore` is a shell line that restores
/// the lock file. If the lock file contains tokio, tokio becomes a dependency at once: if the
/// engine added it later, at a notebook's first `.await`, cargo would prune the lock file again.
pub fn start_up(kept: &Path, restore: &str) -> (String, Option<String>) {
    let knows =
        std::fs::read_to_string(kept).is_ok_and(|lock| lock.contains("\nname = \"tokio\"\n"));
    if knows {
        (format!("{restore}{RUNTIME}\n"), Some(restore.to_owned()))
    } else {
        (restore.to_owned(), None)
    }
}

fn text<'a>(package: &'a Value, field: &str) -> &'a str {
    package.get(field).and_then(Value::as_str).unwrap_or_default()
}

/// Whether an entry of a `dependencies` list (`name`, `name version` or `name version (source)`)
/// refers to this package.
fn refers_to(package: &Value, dependency: &str) -> bool {
    let mut parts = dependency.splitn(3, ' ');
    let name = parts.next().unwrap_or_default();
    let source = |wanted: &str| text(package, "source") == wanted.trim_matches(['(', ')']);
    text(package, "name") == name
        && parts.next().is_none_or(|version| text(package, "version") == version)
        && parts.next().is_none_or(source)
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOCK: &str = r#"
version = 4

[[package]]
name = "big-program"
version = "0.1.0"
dependencies = ["parcourse", "rand 0.8.5"]

[[package]]
name = "parcourse"
version = "0.1.0"
dependencies = ["rand 0.9.0", "rayon"]

[[package]]
name = "rand"
version = "0.8.5"
source = "registry+https://github.com/rust-lang/crates.io-index"

[[package]]
name = "rand"
version = "0.9.0"
source = "registry+https://github.com/rust-lang/crates.io-index"

[[package]]
name = "rayon"
version = "1.12.0"
source = "registry+https://github.com/rust-lang/crates.io-index"
checksum = "fb39b166"
"#;

    #[test]
    fn keeps_what_the_helper_crate_needs_and_nothing_else() {
        let closure = closure(LOCK, "parcourse").unwrap().unwrap();
        let table: Table = closure.parse().unwrap();
        let names: Vec<_> = table["package"]
            .as_array()
            .unwrap()
            .iter()
            .map(|p| (text(p, "name"), text(p, "version")))
            .collect();
        assert_eq!(
            names,
            [("parcourse", "0.1.0"), ("rand", "0.9.0"), ("rayon", "1.12.0"), ("ctx", "1.0.0")]
        );
        assert!(closure.contains("checksum = \"fb39b166\""), "{closure}");
        assert!(closure.contains("version = 4"), "{closure}");
    }

    #[test]
    fn an_unknown_package_has_no_closure() {
        assert_eq!(
            closure(LOCK, "rayon").unwrap(),
            None,
            "a registry crate cannot be the helper crate"
        );
        assert_eq!(closure("", "parcourse").unwrap(), None);
        assert!(closure("this is [not a lock file", "parcourse").is_err());
    }

    #[test]
    fn restores_only_what_was_pruned() {
        let folder = tempfile::tempdir().unwrap();
        let lock = folder.path().join("Cargo.lock");
        assert!(!restore(folder.path()).unwrap(), "nothing kept, nothing restored");
        std::fs::write(folder.path().join(KEPT), "[[package]]\nname = \"parcourse\"\n# kept\n")
            .unwrap();
        std::fs::write(&lock, "[[package]]\nname = \"ctx\"\n").unwrap();
        assert!(restore(folder.path()).unwrap());
        assert!(std::fs::read_to_string(&lock).unwrap().contains("# kept"));
        std::fs::write(
            &lock,
            "[[package]]\nname = \"parcourse\"\n# and a crate the learner added\n",
        )
        .unwrap();
        assert!(!restore(folder.path()).unwrap());
        assert!(std::fs::read_to_string(&lock).unwrap().contains("learner"));
    }

    #[test]
    fn tokio_is_added_at_the_start_if_it_is_locked() {
        let folder = tempfile::tempdir().unwrap();
        let kept = folder.path().join(KEPT);
        assert_eq!(start_up(&kept, "!cp\n"), ("!cp\n".to_owned(), None));
        std::fs::write(&kept, "[[package]]\nname = \"tokio\"\nversion = \"1.54.1\"\n").unwrap();
        assert_eq!(
            start_up(&kept, "!cp\n"),
            (format!("!cp\n{RUNTIME}\n"), Some("!cp\n".to_owned()))
        );
    }
}
