//! What is wrong, in the order in which it was found.

use std::fmt;
use std::path::{Path, PathBuf};

/// What mends all of it.
pub const FIX: &str = "run `parcourse check --fix`";

/// One thing that is wrong.
#[derive(Debug)]
pub struct Problem {
    file: PathBuf,
    cell: Option<String>,
    /// What is wrong, and after a colon what to do.
    text: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        write!(f, "{}: ", self.file.display())?;
        if let Some(cell) = &self.cell {
            write!(f, "{cell}: ")?;
        }
        f.write_str(&self.text)
    }
}

/// The problems found so far.
#[derive(Debug, Default)]
pub struct Report {
    pub problems: Vec<Problem>,
}

impl Report {
    /// Something is wrong with a whole file.
    pub fn file(&mut self, file: &Path, text: impl Into<String>) {
        self.problems.push(Problem { file: file.to_path_buf(), cell: None, text: text.into() });
    }

    /// Something is wrong with a cell.
    pub fn cell(&mut self, file: &Path, cell: &str, text: impl Into<String>) {
        self.problems.push(Problem {
            file: file.to_path_buf(),
            cell: Some(cell.to_string()),
            text: text.into(),
        });
    }
}
