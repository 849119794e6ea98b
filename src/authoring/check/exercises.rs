//! Checks the form of exercises, which editions, nbgrader and the tests rely on.
//!
//! Exercise N is a sequence of cells with fixed ids: `exercise-N-text` (the statement, with folded
//! hints), optionally `exercise-N-given`, then `exercise-N-work` (tag `exercise`, with marked
//! solutions) and `exercise-N-check` (tag `check`). Cells that need the solution may follow; notes
//! for the instructor may be anywhere in between.

use super::material::Notebook;
use super::problems::{FIX, Problems};
use crate::authoring::edition;
use crate::course::minutes;
use crate::course::notebook::tags::{CHECK, EXERCISE, INSTRUCTOR, NEEDS_SOLUTION, NOTES, SOLUTION};
use crate::course::notebook::{Cell, Document, markdown};
use regex::Regex;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::LazyLock;

/// The allowed number of exercises per notebook.
const COUNT: std::ops::RangeInclusive<usize> = 2..=4;

/// The positions of an exercise's cells in the notebook.
#[derive(Default)]
struct Positions {
    text: Option<usize>,
    given: Option<usize>,
    work: Option<usize>,
    check: Option<usize>,
}

pub fn check(notebook: &Notebook, problems: &mut Problems) {
    let mut exercises: BTreeMap<u32, Positions> = BTreeMap::new();
    for (index, cell) in notebook.document.cells.iter().enumerate() {
        let Some((number, part)) = cell.id.as_deref().and_then(parse_id) else { continue };
        let positions = exercises.entry(number).or_default();
        let position = match part {
            "text" => &mut positions.text,
            "given" => &mut positions.given,
            "work" => &mut positions.work,
            _ => &mut positions.check,
        };
        *position = Some(index);
    }
    count(notebook, &exercises, problems);
    for (number, positions) in &exercises {
        order(notebook, *number, positions, problems);
        match positions.text.map(|index| &notebook.document.cells[index]) {
            Some(cell) => statement(notebook, *number, cell, problems),
            None => problems.file(
                &notebook.path,
                format!(
                    "exercise {number} has no cell `exercise-{number}-text`: add its statement"
                ),
            ),
        }
        match positions.work.map(|index| &notebook.document.cells[index]) {
            Some(cell) => work(notebook, *number, cell, problems),
            None => problems.file(
                &notebook.path,
                format!(
                    "exercise {number} has no cell `exercise-{number}-work`: add the cell to solve"
                ),
            ),
        }
        match positions.check.map(|index| &notebook.document.cells[index]) {
            Some(cell) => check_cell(notebook, *number, cell, problems),
            None => problems.file(
                &notebook.path,
                format!(
                    "exercise {number} has no cell `exercise-{number}-check`: add one that \
                    checks the solution"
                ),
            ),
        }
    }
    tags(notebook, &exercises, problems);
    learner(notebook, problems);
    grade_ids(notebook, problems);
}

fn parse_id(id: &str) -> Option<(u32, &str)> {
    let (number, part) = id.strip_prefix("exercise-")?.split_once('-')?;
    let number = number.parse().ok()?;
    ["text", "given", "work", "check"].contains(&part).then_some((number, part))
}

fn count(notebook: &Notebook, exercises: &BTreeMap<u32, Positions>, problems: &mut Problems) {
    let found = exercises.len();
    if !COUNT.contains(&found) {
        let (least, most) = (COUNT.start(), COUNT.end());
        problems.file(
            &notebook.path,
            format!(
                "the number of exercises (cells `exercise-N-…`) is \
            {found}: it must be {least} to {most}"
            ),
        );
    }
    if let Some(planned) = notebook.entry.as_ref().and_then(|entry| entry.exercises)
        && planned as usize != found
    {
        problems.file(
            &notebook.path,
            format!(
                "the number of exercises is {found}, but course.toml says {planned}: make \
                them agree"
            ),
        );
    }
    if !exercises.keys().copied().eq(1..=found as u32) {
        let numbers: Vec<String> = exercises.keys().map(u32::to_string).collect();
        problems.file(
            &notebook.path,
            format!("has the exercises {}: number them consecutively from 1", numbers.join(", ")),
        );
    }
}

/// The cells must be in order, with no other cells between them.
fn order(notebook: &Notebook, number: u32, positions: &Positions, problems: &mut Problems) {
    let present: Vec<usize> = [positions.text, positions.given, positions.work, positions.check]
        .into_iter()
        .flatten()
        .collect();
    if !present.is_sorted() {
        let text = format!(
            "exercise {number} is out of order: arrange its cells as text, given, work, check"
        );
        problems.file(&notebook.path, text);
        return;
    }
    let (Some(first), Some(last)) = (present.first(), present.last()) else { return };
    for (index, (name, cell)) in
        notebook.document.named_cells().enumerate().take(*last).skip(*first)
    {
        let own =
            present.contains(&index) || [INSTRUCTOR, NOTES].iter().any(|tag| cell.has_tag(tag));
        if !own {
            let text = format!(
                "is between the cells of exercise {number}: move it before \
                `exercise-{number}-text` or after `exercise-{number}-check`"
            );
            problems.cell(&notebook.path, &name, text);
        }
    }
}

fn statement(notebook: &Notebook, number: u32, cell: &Cell, problems: &mut Problems) {
    static HINT: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(r"(?s)<details>\s*<summary>[^<]*\b[Hh]ints?\b[^<]*</summary>(.*?)</details>")
            .expect("a constant")
    });
    let id = format!("exercise-{number}-text");
    let mut wrong = |text: String| problems.cell(&notebook.path, &id, text);
    if !cell.is_markdown() {
        return wrong("is the statement of an exercise: make it a Markdown cell".to_string());
    }
    let headings = markdown::headings(&cell.source);
    let heading = headings.first().filter(|heading| {
        heading.level == 2 && heading.text.starts_with(&format!("Exercise {number}: "))
    });
    match heading {
        None => wrong(format!(
            "does not begin with a heading: write `## Exercise {number}: … (10 minutes)`"
        )),
        Some(heading) if minutes::of_heading(&heading.text).is_none() => {
            wrong(format!(
                "its heading does not say how long the exercise takes: end it with `(10 \
                minutes)`, found `{}`",
                heading.text
            ));
        }
        Some(_) => {}
    }
    let (opened, closed) =
        (cell.source.matches("<details").count(), cell.source.matches("</details>").count());
    if opened != closed {
        wrong(format!(
            "opens <details> {opened} times but closes it {closed} times: add the missing tag"
        ));
    }
    let hints: Vec<&str> = HINT
        .captures_iter(&cell.source)
        .map(|found| found.get(1).map_or("", |text| text.as_str()))
        .collect();
    if hints.is_empty() {
        wrong(
            "has no hint: end it with `<details><summary>Hint</summary>`, an empty line, the \
            hint, an empty line, `</details>`"
                .to_string(),
        );
    }
    for hint in hints {
        if !hint.starts_with("\n\n") || !hint.ends_with("\n\n") {
            wrong(
                "has a hint without empty lines before and after its text, so it is not \
                rendered as Markdown: add them"
                    .to_string(),
            );
        }
    }
}

fn work(notebook: &Notebook, number: u32, cell: &Cell, problems: &mut Problems) {
    graded(notebook, &format!("exercise-{number}-work"), cell, EXERCISE, problems);
}

fn check_cell(notebook: &Notebook, number: u32, cell: &Cell, problems: &mut Problems) {
    static USED: LazyLock<Regex> =
        LazyLock::new(|| Regex::new(r"\bcheck(_\w+)?!\s*[\(\{\[]").expect("a constant"));
    let id = format!("exercise-{number}-check");
    graded(notebook, &id, cell, CHECK, problems);
    if cell.is_code() && !USED.is_match(&cell.source) {
        problems.cell(
            &notebook.path,
            &id,
            "checks nothing: use `check!`, `check_eq!` or a related macro",
        );
    }
}

/// What work and check cells have in common.
fn graded(notebook: &Notebook, id: &str, cell: &Cell, tag: &str, problems: &mut Problems) {
    if !cell.is_code() {
        problems.cell(&notebook.path, id, "must be a code cell");
    }
    if !cell.has_tag(tag) {
        problems.cell(&notebook.path, id, format!("is not tagged `{tag}`: add the tag"));
    }
    if let Some(expected) = nbgrader(id)
        && cell.metadata.get("nbgrader") != Some(&expected)
    {
        problems.cell(
            &notebook.path,
            id,
            format!("needs the nbgrader metadata `{expected}`: {FIX}"),
        );
    }
}

/// The nbgrader metadata for an exercise cell, by its id.
fn nbgrader(id: &str) -> Option<Value> {
    match parse_id(id)?.1 {
        "work" => Some(json!({
            "schema_version": 3, "grade_id": id, "solution": true, "grade": false, "locked": false, "task": false
        })),
        "check" => Some(json!({
            "schema_version": 3, "grade_id": id, "solution": false, "grade": true, "locked": true, "points": 1, "task": false, "cell_type": "code"
        })),
        _ => None,
    }
}

/// Adds the nbgrader metadata to the cells of exercises.
pub fn fix(document: &mut Document) {
    for cell in document.cells.iter_mut().filter(|cell| cell.is_code()) {
        if let Some(expected) = cell.id.as_deref().and_then(nbgrader) {
            cell.metadata.insert("nbgrader".to_string(), expected);
        }
    }
}

/// Reports exercise tags on other cells, and cells of the old form.
fn tags(notebook: &Notebook, exercises: &BTreeMap<u32, Positions>, problems: &mut Problems) {
    for (name, cell) in notebook.document.named_cells() {
        let part = cell.id.as_deref().and_then(parse_id).map(|(_, part)| part);
        for (tag, wanted) in [(EXERCISE, "work"), (CHECK, "check")] {
            if cell.has_tag(tag) && part != Some(wanted) {
                problems.cell(
                    &notebook.path,
                    &name,
                    format!(
                        "is tagged `{tag}`, but its id is not `exercise-N-{wanted}`: change \
                        the id, or remove the tag"
                    ),
                );
            }
        }
        if cell.has_tag(SOLUTION) {
            let text = format!(
                "is tagged `{SOLUTION}`: move the solution into the exercise's work cell, between \
                the markers, and delete this cell"
            );
            problems.cell(&notebook.path, &name, text);
        }
        if part == Some("given") && (cell.has_tag(NEEDS_SOLUTION) || !cell.is_code()) {
            problems.cell(
                &notebook.path,
                &name,
                "is the given part of an exercise: make it a code cell that passes in every \
                edition",
            );
        }
    }
    let first_check = exercises.values().filter_map(|positions| positions.check).min();
    for (index, (name, cell)) in notebook.document.named_cells().enumerate() {
        if cell.has_tag(NEEDS_SOLUTION)
            && (!cell.is_code() || first_check.is_none_or(|check| index < check))
        {
            problems.cell(
                &notebook.path,
                &name,
                format!(
                    "is tagged `{NEEDS_SOLUTION}`, but is not a code cell after an exercise's \
                    check: remove the tag"
                ),
            );
        }
    }
}

/// Checks that the learner's edition can be made.
fn learner(notebook: &Notebook, problems: &mut Problems) {
    for (name, cell) in notebook.document.named_cells() {
        if let Err(error) = edition::learner_cell(cell.clone()) {
            problems.cell(&notebook.path, &name, format!("{error:#}"));
        }
    }
}

fn grade_ids(notebook: &Notebook, problems: &mut Problems) {
    let mut seen: BTreeMap<&str, String> = BTreeMap::new();
    for (name, cell) in notebook.document.named_cells() {
        let Some(id) = cell
            .metadata
            .get("nbgrader")
            .and_then(|ours| ours.get("grade_id"))
            .and_then(Value::as_str)
        else {
            continue;
        };
        if let Some(other) = seen.insert(id, name.clone()) {
            problems.cell(
                &notebook.path,
                &name,
                format!("has the same grade_id `{id}` as `{other}`: each cell needs its own"),
            );
        }
    }
}
