//! Finds the helper crate for notebooks that were moved.
//!
//! A notebook of the course loads the helper crate from a folder beside its own: `:dep parcourse =
//! { path = "../helpers" }`. But notebooks are copied: nbgrader executes submissions in a folder
//! per student, and learners organise their files. If that path does not exist, the kernel uses the
//! helper crate that it was registered with.

use crate::base::paths;
use regex::{Captures, Regex};
use std::borrow::Cow;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

/// The code with a valid path to the helper crate. `known` is the helper crate that the kernel has
/// compiled, if any.
pub fn located<'a>(code: &'a str, known: Option<&Path>) -> Cow<'a, str> {
    located_from(Path::new("."), code, || known.map(Path::to_path_buf).or_else(registered))
}

fn registered() -> Option<PathBuf> {
    let named = std::env::var_os("PARCOURSE_HELPERS").map(PathBuf::from);
    paths::find_helpers(named.as_deref(), &std::env::current_dir().ok()?)
}

fn located_from<'a>(
    folder: &Path,
    code: &'a str,
    helpers: impl FnOnce() -> Option<PathBuf>,
) -> Cow<'a, str> {
    static DEPENDENCY: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(r#"(?m)^(\s*:dep\s+parcourse\s*=\s*\{[^}\n]*?\bpath\s*=\s*)"([^"\n]*)""#)
            .expect("a constant")
    });
    let is_missing =
        DEPENDENCY.captures(code).is_some_and(|found| !folder.join(&found[2]).exists());
    // Without a helper crate, the engine reports the missing folder.
    let Some(helpers) = is_missing.then(helpers).flatten() else { return Cow::Borrowed(code) };
    let path = toml::Value::from(helpers.display().to_string()).to_string();
    DEPENDENCY.replace(code, |found: &Captures| format!("{}{path}", &found[1]))
}

#[cfg(test)]
mod tests {
    use super::*;

    const CELL: &str = ":dep parcourse = { path = \"../helpers\" }\nuse parcourse::prelude::*;";

    #[test]
    fn a_missing_path_is_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let notebooks = folder.path().join("notebooks");
        std::fs::create_dir(&notebooks).unwrap();
        let located = |code: &'static str| {
            located_from(&notebooks, code, || Some("/course/helpers".into())).into_owned()
        };
        assert_eq!(
            located(CELL),
            ":dep parcourse = { path = \"/course/helpers\" }\nuse parcourse::prelude::*;"
        );
        let features =
            ":dep parcourse = { version = \"0.1\", path = \"../helpers\", features = [\"x\"] }";
        assert_eq!(
            located(features),
            ":dep parcourse = { version = \"0.1\", path = \"/course/helpers\", features = [\"x\"] }"
        );
        for other in
            [":dep rayon", ":dep other = { path = \"../helpers\" }", "let path = \"../helpers\";"]
        {
            assert_eq!(located(other), other);
        }
        assert_eq!(located_from(&notebooks, CELL, || None), CELL);
    }

    #[test]
    fn an_existing_path_is_kept() {
        let folder = tempfile::tempdir().unwrap();
        let notebooks = folder.path().join("notebooks");
        for path in [&notebooks, &folder.path().join("helpers")] {
            std::fs::create_dir(path).unwrap();
        }
        assert_eq!(located_from(&notebooks, CELL, || panic!("must not be called")), CELL);
    }
}
