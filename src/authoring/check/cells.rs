//! Checks that cells have ids and known tags.

use super::material::Notebook;
use super::problems::Problems;
use crate::course::notebook::Cell;
use crate::course::notebook::tags::{CHECK_OUTPUT, Tags};
use std::collections::HashSet;

pub fn check(notebook: &Notebook, problems: &mut Problems) {
    let mut seen = HashSet::new();
    for (name, cell) in notebook.document.named_cells() {
        match &cell.id {
            None => problems.cell(
                &notebook.path,
                &name,
                "has no id: give it a short name, such as `sum-loop`",
            ),
            Some(id) if !is_valid(id) => {
                problems.cell(
                    &notebook.path,
                    &name,
                    "has an id that Jupyter rejects: use at most 64 letters, digits, `-` and `_`",
                );
            }
            Some(id) if !seen.insert(id.clone()) => problems.cell(
                &notebook.path,
                &name,
                "has the same id as another cell: rename one of them",
            ),
            Some(_) => {}
        }
        tags(notebook, &name, cell, problems);
    }
}

fn is_valid(id: &str) -> bool {
    (1..=64).contains(&id.len())
        && id.chars().all(|letter| letter.is_ascii_alphanumeric() || "-_".contains(letter))
}

fn tags(notebook: &Notebook, name: &str, cell: &Cell, problems: &mut Problems) {
    let tags = cell.tags();
    // One at a time, to report every misspelt tag and not only the first.
    for tag in &tags {
        if let Err(error) = Tags::parse(std::slice::from_ref(tag)) {
            problems.cell(&notebook.path, name, error);
        }
    }
    let mut seen = HashSet::new();
    for twice in tags.iter().filter(|tag| !seen.insert(*tag)) {
        problems.cell(&notebook.path, name, format!("has the tag `{twice}` twice: remove one"));
    }
    if cell.has_tag(CHECK_OUTPUT) && cell.outputs.is_empty() {
        let text = format!(
            "is tagged `{CHECK_OUTPUT}`, but has no stored output to compare with: run it \
            (`parcourse run --output DIR`) and copy its output, or remove the tag"
        );
        problems.cell(&notebook.path, name, text);
    }
}
