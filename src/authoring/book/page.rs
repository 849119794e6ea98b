//! Makes a page of the book from an executed notebook of the source.
//!
//! Readers get what learners get, plus the results. The instructor's notes are left out. An
//! exercise shows its stub, with the solution folded below it. Outputs of checks, and of later
//! cells that need the solution, are folded as well.

use crate::authoring::edition::regions;
use crate::course::Entry;
use crate::course::notebook::tags::{CHECK, EXERCISE, INSTRUCTOR, NEEDS_SOLUTION, NOTES};
use crate::course::notebook::{Cell, Document};
use anyhow::{Context, Result};
use serde_json::{Value, json};

/// Folder of the site that holds the notebooks for download.
pub const DOWNLOADS: &str = "downloads";

/// Returns the notebook for MyST-NB to render.
pub fn page(executed: &str, entry: &Entry) -> Result<Document> {
    let mut document = Document::parse(executed)?;
    let count = document.cells.len();
    let mut cells = Vec::with_capacity(count + 1);
    for (index, cell) in document.cells.into_iter().enumerate() {
        let name = cell.name(index, count);
        let first_heading = cells.is_empty() && cell.is_markdown() && cell.source.starts_with("# ");
        cells.extend(shown(cell).with_context(|| name)?);
        if first_heading {
            // The lesson itself states how long it takes.
            under_the_heading(
                &mut cells[0].source,
                &format!("<p class=\"facts\">{}</p>", download(&entry.file)),
            );
        }
    }
    document.cells = cells;
    // Widgets saved by extensions need scripts from other servers.
    document.metadata.remove("widgets");
    Ok(document)
}

/// Minutes, number of exercises and download link, in one line.
pub fn facts(entry: &Entry) -> String {
    let minutes = entry.minutes.map(|minutes| format!("{minutes} minutes"));
    let exercises = entry.exercises.filter(|count| *count > 0).map(|count| match count {
        1 => "1 exercise".to_owned(),
        count => format!("{count} exercises"),
    });
    let parts: Vec<String> =
        minutes.into_iter().chain(exercises).chain([download(&entry.file)]).collect();
    format!("<p class=\"facts\">{}</p>", parts.join(" · "))
}

fn download(file: &str) -> String {
    format!("<a href=\"{DOWNLOADS}/{0}\" download=\"{0}\">Download the notebook</a>", escaped(file))
}

fn under_the_heading(source: &mut String, facts: &str) {
    let end = source.find('\n').unwrap_or(source.len());
    source.insert_str(end, &format!("\n\n{facts}\n"));
}

/// Returns the cells that the page shows for a cell of the notebook.
fn shown(mut cell: Cell) -> Result<Vec<Cell>> {
    if cell.has_tag(INSTRUCTOR) || cell.has_tag(NOTES) {
        return Ok(Vec::new());
    }
    if cell.is_code() && cell.has_tag(EXERCISE) && regions::has_mark(&cell.source) {
        let (stub, _) = regions::cleared(&cell.source)?;
        let id = cell.id.as_deref().unwrap_or("exercise");
        let given = Cell::markdown(&format!("{id}-given-to-learners"), fenced(&stub));
        cell.source = without_marks(&cell.source);
        fold(&mut cell, "hide-cell", "Solution");
        return Ok(vec![given, cell]);
    }
    if cell.has_tag(CHECK) || cell.has_tag(NEEDS_SOLUTION) {
        fold(&mut cell, "hide-output", "With the solution");
    }
    Ok(vec![cell])
}

/// Makes MyST-NB fold a cell or a part of it, with this prompt.
fn fold(cell: &mut Cell, tag: &str, prompt: &str) {
    cell.add_tag(tag);
    let options = cell.metadata.entry("mystnb").or_insert_with(|| json!({}));
    if let Value::Object(options) = options {
        options.insert("code_prompt_show".to_owned(), json!(prompt));
        options.insert("code_prompt_hide".to_owned(), json!(prompt));
    }
}

fn without_marks(source: &str) -> String {
    let is_mark = |line: &&str| [regions::BEGIN, regions::END].contains(&line.trim());
    source.split('\n').filter(|line| !is_mark(line)).collect::<Vec<_>>().join("\n")
}

/// Fences a block of code with more backticks than it contains.
fn fenced(code: &str) -> String {
    let fence = (3..)
        .map(|length| "`".repeat(length))
        .find(|fence| !code.contains(fence))
        .unwrap_or_default();
    format!("{fence}rust\n{code}\n{fence}")
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('"', "&quot;").replace('<', "&lt;")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::course::Course;

    const NOTEBOOK: &str = r##"{"nbformat": 4, "nbformat_minor": 5, "metadata": {"widgets": {}}, "cells": [
        {"cell_type": "markdown", "id": "title", "metadata": {}, "source": "# Title\n\nText"},
        {"cell_type": "markdown", "id": "secret", "metadata": {"tags": ["instructor"]}, "source": "mind the time"},
        {"cell_type": "code", "id": "work", "metadata": {"tags": ["exercise"]}, "execution_count": 1, "outputs": [],
         "source": "fn two() -> i32 {\n    // BEGIN SOLUTION\n    2\n    // END SOLUTION\n}"},
        {"cell_type": "code", "id": "check", "metadata": {"tags": ["check"]}, "execution_count": 2, "outputs": [], "source": "check();"}]}"##;

    #[test]
    fn readers_see_the_stub_and_find_the_solution_folded() {
        let course =
            Course::parse("[[notebook]]\nfile='a.ipynb'\ntitle='A'\nminutes=5\nexercises=1\n")
                .unwrap();
        assert!(facts(&course.notebooks[0]).contains("5 minutes · 1 exercise · <a href"));
        let page = page(NOTEBOOK, &course.notebooks[0]).unwrap();
        let ids: Vec<&str> = page.cells.iter().filter_map(|cell| cell.id.as_deref()).collect();
        assert_eq!(ids, ["title", "work-given-to-learners", "work", "check"]);
        let sources: Vec<&str> = page.cells.iter().map(|cell| cell.source.as_str()).collect();
        assert!(
            sources[0].starts_with("# Title\n\n<p class=\"facts\"><a href=\"downloads/a.ipynb\""),
            "{}",
            sources[0]
        );
        assert!(sources[0].ends_with("</p>\n\n\nText"), "{}", sources[0]);
        assert_eq!(
            sources[1],
            "```rust\nfn two() -> i32 {\n    // YOUR CODE HERE\n    todo!(\"your code \
            here\");\n}\n```"
        );
        assert_eq!(sources[2], "fn two() -> i32 {\n    2\n}");
        assert!(page.cells[2].has_tag("hide-cell") && page.cells[3].has_tag("hide-output"));
        assert_eq!(page.cells[2].metadata["mystnb"]["code_prompt_show"], "Solution");
        assert!(!page.metadata.contains_key("widgets"));
    }

    #[test]
    fn a_fence_is_longer_than_those_within() {
        assert_eq!(fenced("/// ```\nfn f() {}"), "````rust\n/// ```\nfn f() {}\n````");
    }
}
