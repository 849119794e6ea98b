//! Checks that links and images within the course lead to existing files and headings. Links to the
//! web are not checked.

use super::material::{Material, Notebook};
use super::problems::Problems;
use crate::course::notebook::{Document, markdown};
use std::path::{Component, Path, PathBuf};

pub fn check(material: &Material, notebook: &Notebook, problems: &mut Problems) {
    for (name, cell) in notebook.document.named_cells().filter(|(_, cell)| cell.is_markdown()) {
        for target in markdown::targets(&cell.source) {
            let target = decoded(&target);
            if let Some(attached) = target.strip_prefix("attachment:") {
                if !cell.has_attachment(attached) {
                    problems.cell(
                        &notebook.path,
                        &name,
                        format!(
                            "shows `{target}`, which is not attached to the cell: attach it, \
                            or fix the name"
                        ),
                    );
                }
                continue;
            }
            if is_elsewhere(&target) {
                continue;
            }
            if let Err(problem) = local(material, notebook, &target) {
                problems.cell(&notebook.path, &name, problem);
            }
        }
    }
}

/// `https://…`, `mailto:…`, `data:…`, `//host/…`.
fn is_elsewhere(target: &str) -> bool {
    let scheme = target.split_once(':').map(|(scheme, _)| scheme);
    let named = scheme.is_some_and(|scheme| {
        scheme.len() > 1
            && scheme.chars().all(|letter| letter.is_ascii_alphanumeric() || "+-.".contains(letter))
    });
    named || target.starts_with("//")
}

fn local(material: &Material, notebook: &Notebook, target: &str) -> Result<(), String> {
    let (file, anchor) =
        target.split_once('#').map_or((target, None), |(file, anchor)| (file, Some(anchor)));
    let file = file.split('?').next().unwrap_or_default();
    if file.is_empty() {
        return match anchor {
            Some(anchor) if !anchors(&notebook.document, anchor) => Err(format!(
                "links to `#{anchor}`, but the notebook has no such heading: write it as \
                JupyterLab does, with `-` for spaces"
            )),
            _ => Ok(()),
        };
    }
    let relative = PathBuf::from(file);
    // Editions consist of the notebooks' folder and, next to it, the helper crate.
    let beside = relative.strip_prefix("..").is_ok_and(|rest| rest.starts_with("helpers"));
    let leaves =
        relative.is_absolute() || relative.components().any(|part| part == Component::ParentDir);
    if leaves && !beside {
        return Err(format!(
            "links to `{file}`, which is outside the course's folder and missing in editions: \
            move it into the folder"
        ));
    }
    if beside {
        return Ok(());
    }
    if !material.folder.join(&relative).exists() {
        return Err(format!(
            "links to `{file}`, which does not exist: add the file, or fix the link"
        ));
    }
    let other = material.notebooks.iter().find(|other| Path::new(&other.file) == relative);
    if let (Some(anchor), Some(other)) = (anchor, other)
        && !anchors(&other.document, anchor)
    {
        return Err(format!(
            "links to `{file}#{anchor}`, but that notebook has no such heading: write it as \
            JupyterLab does, with `-` for spaces"
        ));
    }
    Ok(())
}

/// Whether a notebook has this anchor: a heading, as JupyterLab or Jupyter Book names it, or an
/// HTML id.
fn anchors(document: &Document, anchor: &str) -> bool {
    let texts = document.cells.iter().filter(|cell| cell.is_markdown());
    let mut texts = texts.map(|cell| &cell.source);
    texts.any(|text| {
        let html = [format!("id=\"{anchor}\""), format!("name=\"{anchor}\"")];
        html.iter().any(|mark| text.contains(mark))
            || markdown::headings(text).iter().any(|heading| {
                let plain = heading.text.replace(['`', '*'], "");
                plain.replace(' ', "-") == anchor || slug(&plain) == anchor
            })
    })
}

/// The anchor of a heading in GitHub and Jupyter Book.
fn slug(heading: &str) -> String {
    let kept = heading.to_lowercase();
    kept.chars()
        .filter(|letter| letter.is_alphanumeric() || " -_".contains(*letter))
        .map(|letter| if letter == ' ' { '-' } else { letter })
        .collect()
}

/// Decodes percent-encoding such as `%20`.
fn decoded(target: &str) -> String {
    let bytes = target.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let code =
            target.get(at + 1..at + 3).and_then(|digits| u8::from_str_radix(digits, 16).ok());
        match (bytes[at], code) {
            (b'%', Some(code)) => {
                out.push(code);
                at += 3;
            }
            (byte, _) => {
                out.push(byte);
                at += 1;
            }
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tells_the_network_from_files() {
        for target in ["https://docs.rs", "mailto:a@b.c", "//cdn/x", "data:image/png;base64,x"] {
            assert!(is_elsewhere(target), "{target}");
        }
        for target in ["01_next.ipynb", "#Key-points", "data/a.csv", "#Exercise-1:-mean"] {
            assert!(!is_elsewhere(target), "{target}");
        }
    }

    #[test]
    fn anchors_as_they_are_made() {
        assert_eq!(
            slug("Exercise 1: mean length (10 minutes)"),
            "exercise-1-mean-length-10-minutes"
        );
        assert_eq!(decoded("a%20b%C3%A9%"), "a bé%");
    }
}
