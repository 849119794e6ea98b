//! A course without problems (`tests/fixtures/course`), copied so that a test can introduce one
//! problem.

use super::private_tmp::{self, private_folder};
use super::{BINARY, output_text};
use serde::Serialize;
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

pub const FIRST: &str = "00_first.ipynb";
pub const SECOND: &str = "01_more.ipynb";

/// The copy; removed when dropped.
pub struct CourseCopy {
    directory: tempfile::TempDir,
    _temporary: tempfile::TempDir,
}

/// A command's exit status and output.
pub struct Ended {
    pub code: Option<i32>,
    pub text: String,
}

impl CourseCopy {
    pub fn new() -> CourseCopy {
        let directory = tempfile::Builder::new().prefix("pt course é").tempdir().unwrap();
        let temporary = private_tmp::link(&directory.path().join("p"));
        let copy = CourseCopy { directory, _temporary: temporary };
        std::fs::create_dir(copy.notebooks()).unwrap();
        for entry in std::fs::read_dir("tests/fixtures/course/notebooks").unwrap().flatten() {
            std::fs::copy(entry.path(), copy.notebooks().join(entry.file_name())).unwrap();
        }
        copy
    }

    /// A path next to the folder of notebooks.
    pub fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    pub fn notebooks(&self) -> PathBuf {
        self.path("notebooks")
    }

    pub fn write(&self, name: &str, text: &str) {
        let path = self.notebooks().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    pub fn replace(&self, name: &str, from: &str, to: &str) {
        let text = std::fs::read_to_string(self.notebooks().join(name)).unwrap();
        assert!(text.contains(from), "no {from:?} in {name}");
        self.write(name, &text.replace(from, to));
    }

    /// Changes a notebook and writes it in normal form.
    pub fn edit(&self, name: &str, edit: impl FnOnce(&mut Value)) {
        let mut notebook = read(&self.notebooks().join(name));
        edit(&mut notebook);
        for cell in notebook["cells"].as_array_mut().unwrap() {
            if let Some(text) = cell["source"].as_str() {
                cell["source"] = text.split_inclusive('\n').collect();
            }
        }
        notebook.sort_all_objects();
        let mut text = Vec::new();
        let form = serde_json::ser::PrettyFormatter::with_indent(b" ");
        notebook.serialize(&mut serde_json::Serializer::with_formatter(&mut text, form)).unwrap();
        text.push(b'\n');
        std::fs::write(self.notebooks().join(name), text).unwrap();
    }

    /// Runs `parcourse` in the folder that holds the notebooks.
    pub fn parcourse(&self, arguments: &[&str]) -> Ended {
        let mut command = Command::new(BINARY);
        command
            .current_dir(self.directory.path())
            .env("PARCOURSE_TMPDIR", self.path("p"))
            .args(arguments);
        let output = command.stdin(Stdio::null()).output().unwrap();
        Ended { code: output.status.code(), text: output_text(&output) }
    }

    /// The files left in the commands' temporary folder.
    pub fn left(&self) -> Vec<PathBuf> {
        std::fs::read_dir(private_folder(&self.path("p")))
            .into_iter()
            .flatten()
            .flatten()
            .map(|entry| entry.path())
            .collect()
    }
}

impl Ended {
    pub fn assert(&self, code: i32, expected: &[&str]) {
        assert_eq!(self.code, Some(code), "{}", self.text);
        for part in expected {
            assert!(self.text.contains(part), "no {part:?} in:\n{}", self.text);
        }
        assert!(!self.text.contains("panicked"), "{}", self.text);
    }
}

pub fn read(notebook: &Path) -> Value {
    serde_json::from_str(&std::fs::read_to_string(notebook).unwrap()).unwrap()
}

/// The cell with this id.
pub fn cell<'a>(notebook: &'a mut Value, id: &str) -> &'a mut Value {
    let cells = notebook["cells"].as_array_mut().unwrap();
    cells.iter_mut().find(|cell| cell["id"] == id).unwrap_or_else(|| panic!("no cell {id}"))
}

pub fn remove(notebook: &mut Value, id: &str) {
    notebook["cells"].as_array_mut().unwrap().retain(|cell| cell["id"] != id);
}

/// Replaces the text of a cell.
pub fn source(notebook: &mut Value, id: &str, text: &str) {
    cell(notebook, id)["source"] = json!(text);
}

/// Replaces a part of the text of a cell.
pub fn swap(notebook: &mut Value, id: &str, from: &str, to: &str) {
    let text = super::joined(&cell(notebook, id)["source"]);
    assert!(text.contains(from), "no {from:?} in {id}");
    source(notebook, id, &text.replace(from, to));
}

pub fn tag(notebook: &mut Value, id: &str, tags: &[&str]) {
    cell(notebook, id)["metadata"]["tags"] = json!(tags);
}
