//! The slides: marks the cells to show with Jupyter's `slideshow` metadata.
//!
//! All cells are kept, so that the notebook can be run: a plot needs the cells before it. If cells
//! are tagged `slide`, `subslide` or `fragment`, only these are shown. Otherwise headings determine
//! the slides: `#` and `##` start a slide, `###` a subslide; text without a heading becomes speaker
//! notes; code is shown if it draws a plot. In both cases, `notes` and `instructor` are speaker
//! notes, and `skip-slide` is left out.

use crate::course::notebook::tags::{FRAGMENT, INSTRUCTOR, NOTES, SKIP_SLIDE, SLIDE, SUBSLIDE};
use crate::course::notebook::{Cell, Document, markdown};
use anyhow::{Result, bail};
use regex::Regex;
use serde_json::json;
use std::sync::LazyLock;

/// Returns the slides version of a notebook, from the source's text.
pub(super) fn notebook(source: &str) -> Result<String> {
    let mut document = Document::parse(source)?;
    let chosen = [SLIDE, SUBSLIDE, FRAGMENT];
    let tagged = document.cells.iter().any(|cell| chosen.iter().any(|tag| cell.has_tag(tag)));
    let count = document.cells.len();
    for (index, cell) in document.cells.iter_mut().enumerate() {
        if let [one, other, ..] =
            chosen.iter().filter(|tag| cell.has_tag(tag)).collect::<Vec<_>>()[..]
        {
            bail!(
                "{}: is tagged `{one}` and `{other}`: use only one of them",
                cell.name(index, count)
            );
        }
        let slide_type = slide_type(cell, tagged);
        cell.metadata.insert("slideshow".to_string(), json!({ "slide_type": slide_type }));
    }
    document.clear();
    Ok(document.to_text())
}

/// Returns Jupyter's slide type for a cell.
fn slide_type(cell: &Cell, tagged: bool) -> &'static str {
    let by_tag = [
        (SKIP_SLIDE, "skip"),
        (NOTES, "notes"),
        (INSTRUCTOR, "notes"),
        (SLIDE, "slide"),
        (SUBSLIDE, "subslide"),
        (FRAGMENT, "fragment"),
    ];
    match by_tag.iter().find(|(tag, _)| cell.has_tag(tag)) {
        // Speaker notes are text; code in them is useless.
        Some((_, "notes")) if cell.is_code() => "skip",
        Some((_, kind)) => kind,
        None if tagged => "skip",
        None if cell.is_markdown() => {
            match markdown::headings(&cell.source).first().map(|heading| heading.level) {
                Some(1 | 2) => "slide",
                Some(_) => "subslide",
                None => "notes",
            }
        }
        None if cell.is_code() && draws(&cell.source) => "subslide",
        None => "skip",
    }
}

/// Guesses from its source whether a cell draws a plot, because outputs are not stored.
fn draws(source: &str) -> bool {
    static PICTURES: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(r"(?i)plot|chart|graph|gantt|timeline|heat_?map|svg|png").expect("a constant")
    });
    let last = source.trim_end().lines().last().unwrap_or_default();
    // A declaration displays nothing.
    PICTURES.is_match(source) && !last.trim_end().ends_with(['}', ';'])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kinds(cells: &[(&str, &str, &[&str])]) -> Vec<String> {
        let cells: Vec<_> = cells
            .iter()
            .map(|(kind, source, tags)| json!({"cell_type": kind, "metadata": {"tags": tags}, "source": source, "outputs": []}))
            .collect();
        let text =
            json!({"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": cells}).to_string();
        let slides = Document::parse(&notebook(&text).unwrap()).unwrap();
        slides
            .cells
            .iter()
            .map(|cell| cell.metadata["slideshow"]["slide_type"].as_str().unwrap().to_string())
            .collect()
    }

    #[test]
    fn headings_make_slides_where_no_tag_does() {
        let found = kinds(&[
            ("markdown", "# Title", &[]),
            ("markdown", "prose", &[]),
            ("code", "let x = 1;", &[]),
            ("markdown", "### Below", &[]),
            ("code", "timing.plot()", &[]),
            ("code", "fn plot_it() {\n}", &[]),
            ("markdown", "## Not shown", &["skip-slide"]),
            ("markdown", "ask them", &["instructor"]),
        ]);
        assert_eq!(
            found,
            ["slide", "notes", "skip", "subslide", "subslide", "skip", "skip", "notes"]
        );
    }

    #[test]
    fn tags_choose_alone_where_there_are_any() {
        let found = kinds(&[
            ("markdown", "# Title", &["slide"]),
            ("markdown", "## Two", &[]),
            ("code", "x", &["fragment"]),
        ]);
        assert_eq!(found, ["slide", "skip", "fragment"]);
    }
}
