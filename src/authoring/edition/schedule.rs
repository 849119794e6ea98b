//! How a notebook's minutes are divided among its parts.
//!
//! Exercises state their minutes in their headings. The rest of the time planned in the manifest is
//! for reading and running. It is divided among the other parts (one per `##` heading) by their
//! length in words; these estimates are marked.

use crate::course::minutes;
use crate::course::notebook::tags::{GOING_FURTHER, INSTRUCTOR, NOTES};
use crate::course::notebook::{Document, markdown};
use std::fmt::Write;

/// A part of a notebook.
#[derive(Debug)]
pub struct Part {
    pub title: String,
    /// `None` if unknown: the notebook has no total, or the part is for fast learners.
    pub minutes: Option<u32>,
    /// Whether the minutes are an estimate.
    pub estimated: bool,
    pub exercise: bool,
    words: usize,
    optional: bool,
}

/// Returns the parts of a notebook that takes `total` minutes.
pub fn parts(document: &Document, total: Option<u32>) -> Vec<Part> {
    let mut parts: Vec<Part> = Vec::new();
    for cell in
        document.cells.iter().filter(|cell| !cell.has_tag(INSTRUCTOR) && !cell.has_tag(NOTES))
    {
        let headings =
            if cell.is_markdown() { markdown::headings(&cell.source) } else { Vec::new() };
        for heading in headings.iter().filter(|heading| heading.level == 2) {
            parts.push(part(&heading.text, cell.has_tag(GOING_FURTHER)));
        }
        if parts.is_empty() {
            parts.push(part("Start", false));
        }
        if let Some(last) = parts.last_mut() {
            last.words += cell.source.split_whitespace().count();
        }
    }
    if let Some(total) = total {
        divide(&mut parts, total);
    }
    parts
}

fn part(heading: &str, optional: bool) -> Part {
    let minutes = minutes::of_heading(heading);
    let title = minutes::without(heading).to_string();
    Part {
        exercise: title.starts_with("Exercise "),
        title,
        minutes,
        estimated: false,
        words: 0,
        optional,
    }
}

/// Divides the remaining time among the parts without minutes, in whole minutes that add up.
fn divide(parts: &mut [Part], total: u32) {
    let stated: u32 = parts.iter().filter_map(|part| part.minutes).sum();
    let left = total.saturating_sub(stated);
    let mut open: Vec<&mut Part> =
        parts.iter_mut().filter(|part| part.minutes.is_none() && !part.optional).collect();
    let words: usize = open.iter().map(|part| part.words).sum();
    let (mut before, mut given) = (0, 0);
    for part in &mut open {
        // Round the running sum, so that rounding errors do not accumulate.
        before += part.words;
        let until = (f64::from(left) * before as f64 / words.max(1) as f64).round() as u32;
        (part.minutes, part.estimated) = (Some(until - given), true);
        given = until;
    }
}

/// Formats the parts as a Markdown table.
pub fn table(parts: &[Part]) -> String {
    let mut text = "| from | part | minutes |\n|---|---|---|\n".to_string();
    let mut begun = 0;
    for part in parts {
        let title = part.title.replace('|', "\\|");
        let title = if part.exercise { format!("**{title}**") } else { title };
        let minutes = match (part.minutes, part.estimated) {
            (Some(0), true) => "under 1".to_string(),
            (Some(minutes), true) => format!("about {minutes}"),
            (Some(minutes), false) => minutes.to_string(),
            (None, _) if part.optional => "optional".to_string(),
            (None, _) => "?".to_string(),
        };
        let _ = writeln!(text, "| {}:{:02} | {title} | {minutes} |", begun / 60, begun % 60);
        begun += part.minutes.unwrap_or_default();
    }
    let _ = writeln!(text, "| {}:{:02} | end | |", begun / 60, begun % 60);
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn minutes_left_go_to_reading_by_length_and_add_up() {
        let text = r###"{"nbformat":4,"nbformat_minor":5,"metadata":{},"cells":[
            {"cell_type":"markdown","metadata":{},"source":"# T"},
            {"cell_type":"markdown","metadata":{},"source":"## Long\nfour words stand here and some more"},
            {"cell_type":"markdown","metadata":{},"source":"## Exercise 1: do (10 minutes)"},
            {"cell_type":"markdown","metadata":{},"source":"## Short\none two"},
            {"cell_type":"markdown","metadata":{"tags":["going-further"]},"source":"## Going further"}]}"###;
        let document = Document::parse(text).unwrap();
        let parts = parts(&document, Some(21));
        let minutes: Vec<Option<u32>> = parts.iter().map(|part| part.minutes).collect();
        assert_eq!(minutes, [Some(1), Some(7), Some(10), Some(3), None]);
        let table = table(&parts);
        assert!(
            table.contains("| 0:08 | **Exercise 1: do** | 10 |\n| 0:18 | Short | about 3 |"),
            "{table}"
        );
        assert!(
            table.ends_with("| 0:21 | Going further | optional |\n| 0:21 | end | |\n"),
            "{table}"
        );
    }
}
