//! The helper crate of an edition: a copy that compiles anywhere.
//!
//! In the course's repository the crate is a member of a workspace and inherits its edition, lints
//! and dependency versions. The copy has no workspace above it, so its own manifest becomes one.

use super::folder::File;
use crate::engine::build_cache::{Sources, locked};
use anyhow::{Context, Result};
use std::path::Path;
use toml::Table;

/// What members inherit from their workspace. The list of members is left out, because crates in
/// subfolders are members automatically.
const INHERITED: [&str; 4] = ["resolver", "package", "lints", "dependencies"];

/// Returns the files of the helper crate and of the crates below it, relative to its folder.
pub(super) fn files(helpers: &Path) -> Result<Vec<File>> {
    let sources = Sources::collect(helpers)?;
    let mut files = Vec::new();
    for path in sources.packages.iter().flat_map(|package| &package.files) {
        let within = path.strip_prefix(&sources.helpers).ok().with_context(|| {
            format!(
                "the helper crate uses {}, which is outside its folder and would be missing \
                in an edition",
                path.display()
            )
        })?;
        let mut content =
            std::fs::read(path).with_context(|| format!("failed to read {}", path.display()))?;
        if within == Path::new("Cargo.toml") && sources.workspace != sources.helpers {
            content.extend_from_slice(workspace(&sources.workspace)?.as_bytes());
        }
        files.push(File { path: within.to_path_buf(), content });
    }
    if let Ok(lock) = std::fs::read_to_string(sources.workspace.join("Cargo.lock"))
        && let Some(lock) = locked(&lock, &sources.packages[0].name)?
    {
        files.retain(|file| file.path != Path::new("Cargo.lock"));
        files.push(File { path: "Cargo.lock".into(), content: lock.to_string().into_bytes() });
    }
    files.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(files)
}

/// Returns the workspace section for the copy's manifest.
fn workspace(folder: &Path) -> Result<String> {
    let file = folder.join("Cargo.toml");
    let text = std::fs::read_to_string(&file)
        .with_context(|| format!("failed to read {}", file.display()))?;
    let manifest: Table =
        text.parse().with_context(|| format!("failed to parse {}", file.display()))?;
    let settings = manifest.get("workspace").and_then(toml::Value::as_table).into_iter().flatten();
    let kept: Table = settings
        .filter(|(name, _)| INHERITED.contains(&name.as_str()))
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect();
    let mut copied = Table::from_iter([("workspace".to_string(), toml::Value::Table(kept))]);
    for section in ["patch", "replace"] {
        copied.extend(manifest.get(section).map(|value| (section.to_string(), value.clone())));
    }
    Ok(format!(
        "\n# Added by `parcourse edition`: what this crate inherits from the course's \
        workspace.\n{copied}"
    ))
}
