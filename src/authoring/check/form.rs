//! Checks the form that notebooks are committed in: no traces of an execution, formatted as Jupyter
//! does, for the kernel `rust`.

use super::exercises;
use super::material::Notebook;
use super::problems::{FIX, Problems};
use crate::base::files::write_atomically;
use crate::course::notebook::Document;
use anyhow::Result;
use serde_json::Value;

pub fn check(notebook: &Notebook, problems: &mut Problems) {
    kernel(notebook, problems);
    let mut cleared = notebook.document.clone();
    cleared.clear();
    let mut reported = false;
    for ((name, cell), clear) in notebook.document.named_cells().zip(&cleared.cells) {
        if !cell.outputs.is_empty() && clear.outputs.is_empty() {
            problems.cell(
                &notebook.path,
                &name,
                format!(
                    "has outputs, which are not committed \
                (except with the tag `check-output`): {FIX}"
                ),
            );
            reported = true;
        }
        if cell.execution_count.is_some() || cell.metadata.contains_key("execution") {
            problems.cell(
                &notebook.path,
                &name,
                format!("has an execution count or execution times: {FIX}"),
            );
            reported = true;
        }
    }
    if !reported && cleared.to_text() != notebook.text {
        problems.file(
            &notebook.path,
            format!(
                "is not formatted as Jupyter does (indentation, order of keys, line ends): {FIX}"
            ),
        );
    }
}

fn kernel(notebook: &Notebook, problems: &mut Problems) {
    let spec = notebook.document.metadata.get("kernelspec");
    let field = |name: &str| spec.and_then(|spec| spec.get(name)).and_then(Value::as_str);
    if (field("name"), field("language")) != (Some("rust"), Some("rust")) {
        let found = spec.map_or("none".to_string(), Value::to_string);
        let wanted = r#"{"display_name": "Rust", "language": "rust", "name": "rust"}"#;
        problems.file(
            &notebook.path,
            format!(
                "its metadata names another kernel ({found}): change its kernelspec to {wanted}"
            ),
        );
    }
    if !notebook.document.has_ids() {
        problems.file(
            &notebook.path,
            "is in an old notebook format without cell ids: open and save it in JupyterLab",
        );
    }
}

/// Writes a notebook in its normal form, with nbgrader's metadata. Returns whether the file
/// changed.
pub fn fix(notebook: &mut Notebook) -> Result<bool> {
    notebook.document.clear();
    exercises::fix(&mut notebook.document);
    let text = notebook.document.to_text();
    if text == notebook.text {
        return Ok(false);
    }
    write_atomically(&notebook.path, text.as_bytes())?;
    notebook.document = Document::parse(&text)?;
    notebook.text = text;
    Ok(true)
}
