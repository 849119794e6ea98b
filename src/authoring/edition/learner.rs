//! The learner's notebook: a stub for each solution, nothing that is only for the instructor.

use super::regions;
use crate::course::notebook::tags::{
    CHECK, EXERCISE, INSTRUCTOR, NEEDS_SOLUTION, NOTES, RAISES_EXCEPTION, SOLUTION,
};
use crate::course::notebook::{Cell, Document};
use anyhow::{Context, Result, bail, ensure};

/// The learner's text of a notebook, from its source's text. The same source always gives the same
/// text.
///
/// # Errors
///
/// A notebook that cannot be read, and marks of solutions that are not where they should be; the
/// message names the cell.
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

/// A cell as the learner gets it, if at all.
pub fn learner_cell(mut cell: Cell) -> Result<Option<Cell>> {
    // `solution`: whole cells, as the course had them before there were regions. Never to be given
    // away, wherever they still are.
    if [INSTRUCTOR, NOTES, SOLUTION].iter().any(|tag| cell.has_tag(tag)) {
        ensure!(
            !cell.has_tag(EXERCISE),
            "is tagged `{EXERCISE}`, but also as one that learners do not get: remove one of the tags"
        );
        return Ok(None);
    }
    if !cell.is_code() {
        ensure!(
            !regions::has_mark(&cell.source),
            "has a mark of a solution, which only code cells tagged `{EXERCISE}` can have"
        );
    } else if cell.has_tag(EXERCISE) {
        let (stub, count) = regions::cleared(&cell.source)?;
        if count == 0 {
            bail!(
                "is tagged `{EXERCISE}`, but has no solution: put it between the lines `{}` and `{}`",
                regions::BEGIN,
                regions::END
            );
        }
        cell.source = stub;
    } else {
        ensure!(
            !regions::has_mark(&cell.source),
            "has a mark of a solution, but is not tagged `{EXERCISE}`"
        );
    }
    if cell.has_tag(CHECK) || cell.has_tag(NEEDS_SOLUTION) {
        // They may fail until the exercise is solved: JupyterLab's "Run All Cells" then goes on
        // behind them.
        cell.add_tag(RAISES_EXCEPTION);
    }
    Ok(Some(cell))
}
