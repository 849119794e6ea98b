//! The learner's notebook: a stub for each solution, and nothing meant for the instructor only.

use super::regions;
use crate::course::notebook::tags::{
    CHECK, EXERCISE, INSTRUCTOR, NEEDS_SOLUTION, NOTES, RAISES_EXCEPTION, SOLUTION,
};
use crate::course::notebook::{Cell, Document};
use anyhow::{Context, Result, bail, ensure};

/// Returns the learner's version of a notebook, from the source's text. The result is
/// deterministic.
///
/// # Errors
///
/// If the notebook cannot be read, or a solution marker is misplaced; the message names the cell.
pub fn learner_notebook(source: &str) -> Result<String> {
    let mut document = Document::parse(source)?;
    let count = document.cells.len();
    let mut cells = Vec::with_capacity(count);
    for (index, cell) in document.cells.into_iter().enumerate() {
        let name = cell.name(index, count);
        cells.extend(learner_cell(cell).with_context(|| name)?);
    }
    document.cells = cells;
    document.clear();
    Ok(document.to_text())
}

/// Returns the learner's version of a cell; `None` if learners do not get it.
pub fn learner_cell(mut cell: Cell) -> Result<Option<Cell>> {
    // `solution`: the old form, whole cells instead of marked regions. Never handed out.
    if [INSTRUCTOR, NOTES, SOLUTION].iter().any(|tag| cell.has_tag(tag)) {
        ensure!(
            !cell.has_tag(EXERCISE),
            "is tagged `{EXERCISE}`, but has another tag that hides it from learners: remove one \
            of the tags"
        );
        return Ok(None);
    }
    if !cell.is_code() {
        ensure!(
            !regions::has_mark(&cell.source),
            "has a solution marker, which is allowed only in code cells tagged `{EXERCISE}`"
        );
    } else if cell.has_tag(EXERCISE) {
        let (stub, count) = regions::cleared(&cell.source)?;
        if count == 0 {
            bail!(
                "is tagged `{EXERCISE}`, but has no solution: put it between the lines `{}` and \
                `{}`",
                regions::BEGIN,
                regions::END
            );
        }
        cell.source = stub;
    } else {
        ensure!(
            !regions::has_mark(&cell.source),
            "has a solution marker, but is not tagged `{EXERCISE}`"
        );
    }
    if cell.has_tag(CHECK) || cell.has_tag(NEEDS_SOLUTION) {
        // These cells may fail until the exercise is solved; with the tag, JupyterLab's "Run All
        // Cells" continues after them.
        cell.add_tag(RAISES_EXCEPTION);
    }
    Ok(Some(cell))
}
