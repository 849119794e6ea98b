//! The problems found, in order.

use std::fmt;
use std::path::{Path, PathBuf};

/// Fixes all problems of form.
pub const FIX: &str = "run `parcourse check --fix`";

/// One problem.
#[derive(Debug)]
pub struct Problem {
    file: PathBuf,
    cell: Option<String>,
    /// What is wrong and, after a colon, how to fix it.
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
pub struct Problems {
    pub list: Vec<Problem>,
}

impl Problems {
    /// Reports a problem with a whole file.
    pub fn file(&mut self, file: &Path, text: impl Into<String>) {
        self.list.push(Problem { file: file.to_path_buf(), cell: None, text: text.into() });
    }

    /// Reports a problem with a cell.
    pub fn cell(&mut self, file: &Path, cell: &str, text: impl Into<String>) {
        self.list.push(Problem {
            file: file.to_path_buf(),
            cell: Some(cell.to_string()),
            text: text.into(),
        });
    }
}
