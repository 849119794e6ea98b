//! The instructor's notebook: the source with a schedule as its first cell. Also the schedule of
//! the whole course.

use super::schedule;
use crate::course::notebook::tags::INSTRUCTOR;
use crate::course::notebook::{Cell, Document, read};
use crate::course::{Course, Entry};
use anyhow::{Context, Result};
use std::fmt::Write;
use std::path::Path;

/// The id of the schedule cell.
const SCHEDULE_CELL: &str = "instructor-schedule";

/// Returns the instructor's version of a notebook, from the source's text and its manifest entry.
pub(super) fn notebook(source: &str, entry: Option<&Entry>) -> Result<String> {
    let mut document = Document::parse(source)?;
    let minutes = entry.and_then(|entry| entry.minutes);
    let table = schedule::table(&schedule::parts(&document, minutes));
    let planned = minutes.map_or(String::new(), |minutes| format!(": {minutes} minutes"));
    let text = format!(
        "**Instructor's edition**{planned}\n\n{table}\n\
         - Minutes in headings are planned; \"about\" marks an estimate, made by dividing the \
         remaining time by the length of the parts.\n\
         - Solutions are between `// BEGIN SOLUTION` and `// END SOLUTION`; learners see \
         `todo!(\"your code here\");` instead.\n\
         - Cells tagged `instructor` or `notes` are for you only: learners do not get them, nor \
         this cell.\n\
         - Run the notebook before the lesson, on the machine you will use: learners will ask \
         about its measurements."
    );
    let mut cell = Cell::markdown(SCHEDULE_CELL, text);
    cell.add_tag(INSTRUCTOR);
    document.cells.retain(|cell| cell.id.as_deref() != Some(SCHEDULE_CELL));
    document.cells.insert(0, cell);
    document.clear();
    Ok(document.to_text())
}

/// Returns the schedule of the whole course.
pub(super) fn course_schedule(folder: &Path, course: &Course) -> Result<String> {
    let title = course.title.as_deref().unwrap_or("The course");
    let mut overview = format!(
        "# Schedule: {title}\n\n| notebook | minutes | of these exercises |\n|---|---|---|\n"
    );
    let mut details = String::new();
    let (mut total, mut total_exercises) = (0, 0);
    for entry in &course.notebooks {
        let path = folder.join(&entry.file);
        let document = read(&path)
            .and_then(|text| Document::parse(&text))
            .with_context(|| path.display().to_string())?;
        let parts = schedule::parts(&document, entry.minutes);
        let exercises: u32 =
            parts.iter().filter(|part| part.exercise).filter_map(|part| part.minutes).sum();
        let minutes = entry.minutes.map_or("?".to_string(), |minutes| minutes.to_string());
        let _ = writeln!(
            overview,
            "| {}: {} | {minutes} | {exercises} |",
            entry.file,
            entry.title.replace('|', "\\|")
        );
        let _ = write!(details, "\n## {}\n\n{}", entry.title, schedule::table(&parts));
        total += entry.minutes.unwrap_or_default();
        total_exercises += exercises;
    }
    let _ = writeln!(
        overview,
        "| **together** | **{total}** ({}:{:02} h) | **{total_exercises}** |",
        total / 60,
        total % 60
    );
    Ok(overview + &details)
}
