//! Rewrites a whole course folder as one edition.

use crate::base::files::{below, write_atomically};
use crate::course::notebook;
use anyhow::{Context, Result, ensure};
use std::path::{Path, PathBuf};

/// The author's own files, which never go into an edition.
const LEFT_OUT: [&str; 2] = ["nbgrader_config.py", "__pycache__"];

/// A file of an edition.
pub struct File {
    /// Its path, relative to the destination.
    pub path: PathBuf,
    pub content: Vec<u8>,
}

/// Writes the learner's notebooks of the course folder `source` into the folder `out`, which is
/// created if missing, together with everything that the notebooks use: manifest, data, images.
/// Returns the notebooks written, sorted by name.
///
/// # Errors
///
/// If any notebook has a problem, nothing is written. The error lists all problems.
pub fn learner(source: &Path, out: &Path) -> Result<Vec<PathBuf>> {
    let files = course_files(source, &|_, text| super::learner_notebook(text))?;
    for file in &files {
        write_atomically(&out.join(&file.path), &file.content)?;
    }
    Ok(files
        .into_iter()
        .filter(|file| is_notebook(&file.path))
        .map(|file| out.join(file.path))
        .collect())
}

/// Returns the files of a course folder, sorted by path, with every notebook rewritten by
/// `rewrite`, which gets its path within the folder and its text.
pub(super) fn course_files(
    source: &Path,
    rewrite: &dyn Fn(&Path, &str) -> Result<String>,
) -> Result<Vec<File>> {
    let mut problems = Vec::new();
    let mut files = Vec::new();
    for path in paths(source)? {
        let from = source.join(&path);
        if !is_notebook(&path) {
            let content = std::fs::read(&from)
                .with_context(|| format!("failed to read {}", from.display()))?;
            files.push(File { path, content });
            continue;
        }
        match notebook::read(&from).and_then(|text| rewrite(&path, &text)) {
            Ok(text) => files.push(File { path, content: text.into_bytes() }),
            Err(error) => problems.push(format!("{}: {error:#}", from.display())),
        }
    }
    ensure!(problems.is_empty(), "nothing was written because\n  {}", problems.join("\n  "));
    ensure!(
        files.iter().any(|file| is_notebook(&file.path)),
        "there are no notebooks in {}",
        source.display()
    );
    Ok(files)
}

pub(super) fn is_notebook(file: &Path) -> bool {
    file.extension().is_some_and(|end| end == "ipynb")
}

/// Returns all files of a course by their paths within it, sorted. Hidden files belong to tools,
/// such as JupyterLab's checkpoints. Links are replaced by their targets, because an edition is
/// self-contained.
fn paths(folder: &Path) -> Result<Vec<PathBuf>> {
    below(folder, &|path| {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        !name.starts_with('.') && !LEFT_OUT.contains(&&*name)
    })
}
