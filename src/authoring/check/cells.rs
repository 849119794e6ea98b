//! Checks that cells have ids and known tags.

use super::material::Notebook;
use super::report::Report;
use crate::course::notebook::Cell;
use crate::course::notebook::tags::{CHECK_OUTPUT, Tags};
use std::collections::HashSet;

pub fn check(notebook: &Notebook, report: &mut Report) {
    let mut seen = HashSet::new();
    for (name, cell) in notebook.document.named_cells() {
        match &cell.id {
            None => report.cell(
                &notebook.path,
                &name,
                "has no id: give it a short name, such as `sum-loop`",
            ),
            Some(id) if !is_valid(id) => {
                report.cell(
                    &notebook.path,
                    &name,
                    "has an id that Jupyter rejects: use at most 64 letters, digits, `-` and `_`",
                );
            }
            Some(id) if !seen.insert(id.clone()) => report.cell(
                &notebook.path,
                &name,
                "has the same id as another cell: rename one of them",
            ),
            Some(_) => {}
        }
        tags(notebook, &name, cell, report);
    }
}

fn is_valid(id: &str) -> bool {
    (1..=64).contains(&id.len())
        && id.chars().all(|letter| letter.is_ascii_alphanumeric() || "-_".contains(letter))
}

fn tags(notebook: &Notebook, name: &str, cell: &Cell, report: &mut Report) {
    let tags = cell.tags();
    // One at a time, to report every misspelt tag and not only the first.
    for tag in &tags {
        if let Err(error) = Tags::parse(std::slice::from_ref(tag)) {
            report.cell(&notebook.path, name, error);
        }
    }
    let mut seen = HashSet::new();
    for twice in tags.iter().filter(|tag| !seen.insert(*tag)) {
        report.cell(&notebook.path, name, format!("has the tag `{twice}` twice: remove one"));
    }
    if cell.has_tag(CHECK_OUTPUT) && cell.outputs.is_empty() {
        let text = format!(
            "is tagged `{CHECK_OUTPUT}`, but has no stored output to compare with: run it (`parcourse run --output DIR`) and copy its output, or remove the tag"
        );
        report.cell(&notebook.path, name, text);
    }
}
