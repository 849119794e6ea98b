//! A whole course folder, as one edition.

use super::learner::learner_notebook;
use anyhow::{Context, Result, ensure};
use std::path::{Path, PathBuf};

/// What is the author's and never goes into an edition.
const LEFT_OUT: [&str; 2] = ["nbgrader_config.py", "__pycache__"];

/// Writes the learner's notebooks of the course folder `source` into the folder `out`, which is made if need be, together with everything
/// that the notebooks use: manifest, data, pictures. Returns the notebooks written, in the order of their names.
///
/// # Errors
///
/// Nothing is written when any notebook is not in order; all the problems are told at once.
pub fn learner(source: &Path, out: &Path) -> Result<Vec<PathBuf>> {
    write(source, out, &learner_notebook)
}

/// Writes a course folder with every notebook rewritten by `rewrite`, from text to text.
pub(super) fn write(source: &Path, out: &Path, rewrite: &dyn Fn(&str) -> Result<String>) -> Result<Vec<PathBuf>> {
    let files = files(source)?;
    let mut problems = Vec::new();
    let mut texts = Vec::new();
    for file in files.iter().filter(|file| is_notebook(file)) {
        let path = source.join(file);
        match crate::notebook::read(&path).and_then(|text| rewrite(&text)) {
            Ok(text) => texts.push((file, text)),
            Err(error) => problems.push(format!("{}: {error:#}", path.display())),
        }
    }
    ensure!(problems.is_empty(), "nothing was written, because\n  {}", problems.join("\n  "));
    ensure!(!texts.is_empty(), "there is no notebook in {}", source.display());
    for file in &files {
        let to = out.join(file);
        let folder = to.parent().context("a file has no folder")?;
        std::fs::create_dir_all(folder).with_context(|| format!("failed to make the folder {}", folder.display()))?;
        if !is_notebook(file) {
            std::fs::copy(source.join(file), &to).with_context(|| format!("failed to write {}", to.display()))?;
        }
    }
    let write = |(file, text): (&PathBuf, String)| {
        let to = out.join(file);
        std::fs::write(&to, text).with_context(|| format!("failed to write {}", to.display()))?;
        Ok(to)
    };
    texts.into_iter().map(write).collect()
}

fn is_notebook(file: &Path) -> bool {
    file.extension().is_some_and(|end| end == "ipynb")
}

/// All files of a course, by their paths within it, in order. Hidden ones belong to tools: JupyterLab keeps its checkpoints there.
fn files(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    collect(folder, Path::new(""), &mut found)?;
    found.sort();
    Ok(found)
}

fn collect(root: &Path, below: &Path, found: &mut Vec<PathBuf>) -> Result<()> {
    let folder = root.join(below);
    let failed = || format!("failed to read the folder {}", folder.display());
    for entry in std::fs::read_dir(&folder).with_context(failed)? {
        let entry = entry.with_context(failed)?;
        let name = entry.file_name();
        let shown = name.to_string_lossy();
        if shown.starts_with('.') || LEFT_OUT.contains(&&*shown) {
            continue;
        }
        // Follows links: an edition is complete in itself.
        if entry.path().is_dir() {
            collect(root, &below.join(&name), found)?;
        } else {
            found.push(below.join(&name));
        }
    }
    Ok(())
}
