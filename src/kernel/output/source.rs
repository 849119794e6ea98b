//! Maps lines of the generated program back to lines of the notebook.
//!
//! The engine compiles a file `src/lib.rs` that contains the current cell, all items of earlier
//! cells and its own code. It copies the user's statements verbatim, so we find a line of that file
//! in the notebook by its text, and if the text occurs twice, by the lines around it.

use crate::kernel::colours::{RED, RESET};
use regex::{Captures, Regex};
use std::path::PathBuf;
use std::sync::{LazyLock, Mutex};

/// A line of a cell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Location {
    /// Position of the cell in the order of execution.
    pub cell: usize,
    /// Line in the cell, from 1.
    pub line: usize,
}

/// The cells executed so far and the last generated program.
pub struct Sources {
    generated: PathBuf,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    cells: Vec<Cell>,
    program: Vec<String>,
}

struct Cell {
    execution_count: u64,
    lines: Vec<String>,
}

impl Sources {
    /// `generated`: where the engine writes its program.
    pub fn new(generated: PathBuf) -> Sources {
        Sources { generated, state: Mutex::default() }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }

    pub fn add_cell(&self, execution_count: u64, code: &str) {
        let lines = code.lines().map(str::to_owned).collect();
        self.lock().cells.push(Cell { execution_count, lines });
    }

    /// Index and execution count of the last cell.
    pub fn current_cell(&self) -> Option<(usize, u64)> {
        let state = self.lock();
        state.cells.last().map(|cell| (state.cells.len() - 1, cell.execution_count))
    }

    /// Reads the program that is about to run.
    pub fn reload(&self) {
        if let Ok(text) = std::fs::read_to_string(&self.generated) {
            self.lock().program = text.lines().map(str::to_owned).collect();
        }
    }

    /// The cell's line from which a line of the generated program was copied. `None` for other
    /// files and for the engine's own code.
    pub fn locate(&self, file: &str, line: u32) -> Option<Location> {
        let is_generated =
            file == "src/lib.rs" || self.generated.as_path() == std::path::Path::new(file);
        if !is_generated || line == 0 {
            return None;
        }
        let state = self.lock();
        let at = line as usize - 1;
        let wanted = state.program.get(at)?.trim();
        if wanted.is_empty() || wanted == "}" {
            return None;
        }
        // The latest cell wins a tie, because it is the one that runs, and a redefinition replaces
        // earlier ones.
        let candidates = state.cells.iter().enumerate().rev().flat_map(|(index, cell)| {
            let program = &state.program;
            let lines = cell.lines.iter().enumerate();
            lines.filter(move |(_, text)| text.trim() == wanted).map(move |(number, _)| {
                let score = common_lines(&cell.lines, number, program, at);
                (Location { cell: index, line: number + 1 }, score)
            })
        });
        candidates
            .fold(None, |best: Option<(Location, usize)>, (location, score)| match best {
                Some((_, highest)) if highest >= score => best,
                _ => Some((location, score)),
            })
            .or_else(|| state.statement_inside(wanted))
            .map(|(location, _)| location)
    }

    /// A location as text: the cell's number and line, or the file and line.
    pub fn describe(&self, file: &str, line: u32) -> String {
        match self.locate(file, line) {
            Some(location) => self.name(&location),
            None => format!("{}:{line}", short_path(file)),
        }
    }

    /// Replaces locations in the generated program by locations in the notebook, in a text of the
    /// helper crate.
    pub fn with_cells(&self, text: &str) -> String {
        static PLACE: LazyLock<Regex> =
            LazyLock::new(|| Regex::new(r"\bsrc/lib\.rs:(\d+):\d+").expect("a valid expression"));
        let name = |found: &Captures| match found[1]
            .parse()
            .ok()
            .and_then(|line| self.locate("src/lib.rs", line))
        {
            Some(location) => self.name(&location),
            None => found[0].to_owned(),
        };
        PLACE.replace_all(text, name).into_owned()
    }

    pub fn name(&self, location: &Location) -> String {
        format!(
            "cell [{}], line {}",
            self.lock().cells[location.cell].execution_count,
            location.line
        )
    }

    /// The lines around a location, with the line itself marked, like Python's tracebacks.
    pub fn excerpt(&self, location: &Location, context: usize) -> Vec<String> {
        let state = self.lock();
        let lines = &state.cells[location.cell].lines;
        let at = location.line - 1;
        let range = at.saturating_sub(context)..(at + context + 1).min(lines.len());
        let width = range.end.to_string().len();
        range
            .map(|index| {
                let number = index + 1;
                if index == at {
                    format!("{RED}-->{RESET} {number:>width$} | {}", lines[index])
                } else {
                    format!("    {number:>width$} | {}", lines[index])
                }
            })
            .collect()
    }
}

impl State {
    /// Finds a statement within a line of the current cell, because the engine splits several
    /// statements on one line.
    fn statement_inside(&self, wanted: &str) -> Option<(Location, usize)> {
        let (index, cell) = self.cells.iter().enumerate().next_back()?;
        let number =
            cell.lines.iter().position(|text| wanted.len() > 3 && text.contains(wanted))?;
        Some((Location { cell: index, line: number + 1 }, 0))
    }
}

/// How many lines before and after the two positions are equal.
fn common_lines(cell: &[String], in_cell: usize, program: &[String], in_program: usize) -> usize {
    let before = cell[..in_cell].iter().rev().zip(program[..in_program].iter().rev());
    let after = cell[in_cell + 1..].iter().zip(&program[in_program + 1..]);
    let equal = |(left, right): &(&String, &String)| left.trim() == right.trim();
    before.take_while(equal).count() + after.take_while(equal).count()
}

/// Removes uninformative parts of a path: where crates were unpacked, where the standard library
/// was built.
pub fn short_path(path: &str) -> &str {
    if let Some((_, rest)) = path.split_once("/registry/src/") {
        return rest.split_once('/').map_or(rest, |(_, rest)| rest);
    }
    path.strip_prefix("/rustc/")
        .and_then(|rest| rest.split_once('/'))
        .map_or(path, |(_, rest)| rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sources(program: &str) -> (tempfile::TempDir, Sources) {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("lib.rs");
        std::fs::write(&path, program).unwrap();
        let sources = Sources::new(path);
        sources.reload();
        (directory, sources)
    }

    #[test]
    fn finds_the_line_by_its_neighbours() {
        let (_directory, sources) =
            sources("generated\nlet a = 1;\nf();\nlet b = 2;\nf();\nmore\n");
        sources.add_cell(7, "let a = 1;\nf();\nlet b = 2;\nf();");
        assert_eq!(sources.describe("src/lib.rs", 3), "cell [7], line 2");
        assert_eq!(sources.describe("src/lib.rs", 5), "cell [7], line 4");
        assert_eq!(sources.describe("src/lib.rs", 1), "src/lib.rs:1");
    }

    #[test]
    fn prefers_the_latest_definition() {
        let (_directory, sources) = sources("fn f() {\n    panic!()\n}\n");
        sources.add_cell(1, "fn f() {\n    panic!()\n}");
        sources.add_cell(2, "fn f() {\n    panic!()\n}\nf()");
        assert_eq!(sources.describe("src/lib.rs", 2), "cell [2], line 2");
    }

    #[test]
    fn several_statements_on_one_line() {
        let (_directory, sources) = sources("let x = 1;\npanic!(\"here\");\n");
        sources.add_cell(1, "let x = 1; panic!(\"here\");");
        assert_eq!(sources.describe("src/lib.rs", 2), "cell [1], line 1");
    }

    #[test]
    fn locations_in_messages() {
        let (_directory, sources) = sources("generated\nwork();\n");
        sources.add_cell(4, "work();");
        let text = "failed (at src/lib.rs:2:7), not at src/lib.rs:1:1 or other/src/lib.rs";
        assert_eq!(
            sources.with_cells(text),
            "failed (at cell [4], line 1), not at src/lib.rs:1:1 or other/src/lib.rs"
        );
    }

    #[test]
    fn other_files_keep_their_path() {
        let (_directory, sources) = sources("");
        assert_eq!(
            sources.describe("/home/u/.cargo/registry/src/index-1/rayon-1.0/src/a.rs", 3),
            "rayon-1.0/src/a.rs:3"
        );
        assert_eq!(
            sources.describe("/rustc/abc/library/core/src/x.rs", 4),
            "library/core/src/x.rs:4"
        );
    }
}
