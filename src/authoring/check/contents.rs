//! Checks that every notebook has a title, minutes, goals, key points and a part to go further, and
//! that they match the manifest.

use super::material::Notebook;
use super::problems::Problems;
use crate::course::minutes;
use crate::course::notebook::tags::{GOALS, GOING_FURTHER, KEY_POINTS};
use crate::course::notebook::{Cell, markdown};

pub fn check(notebook: &Notebook, problems: &mut Problems) {
    let Some((name, first)) = notebook.document.named_cells().next() else {
        problems.file(&notebook.path, "has no cells");
        return;
    };
    title(notebook, &name, first, problems);
    stated_minutes(notebook, &name, first, problems);
    goals(notebook, problems);
    if let Some((name, cell)) = single(notebook, KEY_POINTS, "the key points", problems) {
        if !has_heading(cell, "Key points") {
            problems.cell(
                &notebook.path,
                &name,
                format!("is tagged `{KEY_POINTS}`, but has no heading `## Key points`: add it"),
            );
        }
        if markdown::bullets(&cell.source).is_empty() {
            problems.cell(&notebook.path, &name, "lists no key points: write each as a line `- …`");
        }
    }
    if let Some((name, cell)) =
        single(notebook, GOING_FURTHER, "the part for fast learners", problems)
        && !has_heading(cell, "Going further")
    {
        problems.cell(
            &notebook.path,
            &name,
            format!("is tagged `{GOING_FURTHER}`, but has no heading `## Going further`: add it"),
        );
    }
}

fn title(notebook: &Notebook, name: &str, first: &Cell, problems: &mut Problems) {
    let headings = if first.is_markdown() { markdown::headings(&first.source) } else { Vec::new() };
    let Some(heading) = headings.first().filter(|heading| heading.level == 1) else {
        problems.cell(
            &notebook.path,
            name,
            "is the first cell, but does not begin with a title: write `# Title`",
        );
        return;
    };
    if let Some(entry) = &notebook.entry
        && entry.title != heading.text
    {
        let text = format!(
            "has the title {:?}, but course.toml says {:?}: make them equal",
            heading.text, entry.title
        );
        problems.cell(&notebook.path, name, text);
    }
}

/// `**45 minutes**: 15 to read and run, 30 for three exercises.`
fn stated_minutes(notebook: &Notebook, name: &str, first: &Cell, problems: &mut Problems) {
    let stated = minutes::stated(&first.source);
    let planned = notebook.entry.as_ref().and_then(|entry| entry.minutes);
    let mut wrong = |text: String| problems.cell(&notebook.path, name, text);
    match (stated.total, planned) {
        (None, _) => {
            wrong("does not say how long the notebook takes: write `**45 minutes**`".to_string())
        }
        (Some(total), Some(planned)) if total != planned => {
            wrong(format!("says {total} minutes, but course.toml says {planned}: make them equal"));
        }
        _ => {}
    }
    let all = notebook.document.cells.iter().filter(|cell| cell.is_markdown());
    let headings: Vec<_> = all.flat_map(|cell| markdown::headings(&cell.source)).collect();
    let exercises: Vec<u32> = headings
        .iter()
        .filter(|heading| heading.text.starts_with("Exercise "))
        .filter_map(|heading| minutes::of_heading(&heading.text))
        .collect();
    let sum: u32 = exercises.iter().sum();
    if let Some((minutes, word)) = &stated.exercises {
        if *minutes != sum {
            wrong(format!(
                "says {minutes} minutes for exercises, but their headings add up to {sum}: make \
                them agree"
            ));
        }
        if minutes::count(word).is_some_and(|count| count as usize != exercises.len()) {
            wrong(format!(
                "says {word} exercises, but {} headings state minutes: make them agree",
                exercises.len()
            ));
        }
    }
    if let (Some(total), Some(reading), Some((minutes, _))) =
        (stated.total, stated.reading, &stated.exercises)
        && reading + minutes != total
    {
        wrong(format!(
            "says {total} minutes, but {reading} to read and run and {minutes} for exercises add \
            up to {}: make them agree",
            reading + minutes
        ));
    }
}

fn goals(notebook: &Notebook, problems: &mut Problems) {
    let Some((name, cell)) = single(notebook, GOALS, "the goals", problems) else { return };
    let Some(entry) = &notebook.entry else { return };
    let listed = markdown::bullets(&cell.source);
    let plain = |goal: &String| goal.trim_end_matches([';', '.', ',']).to_string();
    let listed: Vec<String> = listed.iter().map(plain).collect();
    let planned: Vec<String> = entry.goals.iter().map(plain).collect();
    for missing in planned.iter().filter(|goal| !listed.contains(goal)) {
        problems.cell(
            &notebook.path,
            &name,
            format!("does not list the goal {missing:?} of course.toml: make the two lists equal"),
        );
    }
    for unknown in listed.iter().filter(|goal| !planned.contains(goal)) {
        problems.cell(
            &notebook.path,
            &name,
            format!(
                "lists the goal {unknown:?}, which course.toml does not: make the two lists equal"
            ),
        );
    }
    if listed.len() == planned.len()
        && listed != planned
        && listed.iter().all(|goal| planned.contains(goal))
    {
        problems.cell(
            &notebook.path,
            &name,
            "lists the goals in a different order than course.toml: make the two lists equal",
        );
    }
}

/// Returns the only Markdown cell with this tag, and reports if there are none or several.
fn single<'a>(
    notebook: &'a Notebook,
    tag: &str,
    what: &str,
    problems: &mut Problems,
) -> Option<(String, &'a Cell)> {
    let mut found = notebook.tagged(tag);
    found.retain(|(_, cell)| cell.is_markdown());
    match found.len() {
        0 => problems.file(
            &notebook.path,
            format!("has no Markdown cell tagged `{tag}`: tag the one with {what}"),
        ),
        1 => return found.pop(),
        _ => {
            let names: Vec<&str> = found.iter().map(|(name, _)| name.as_str()).collect();
            problems.file(
                &notebook.path,
                format!(
                    "has several cells tagged `{tag}` ({}): keep the tag on one of them",
                    names.join(", ")
                ),
            );
        }
    }
    None
}

fn has_heading(cell: &Cell, text: &str) -> bool {
    markdown::headings(&cell.source)
        .iter()
        .any(|heading| heading.level == 2 && heading.text == text)
}
