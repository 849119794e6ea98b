//! The form in which notebooks are committed: nothing that an execution has left, written as
//! Jupyter writes, for the kernel `rust`.

use super::exercises;
use super::material::Notebook;
use super::report::{FIX, Report};
use crate::base::files::write_atomically;
use crate::course::notebook::Document;
use anyhow::Result;
use serde_json::Value;

pub fn check(notebook: &Notebook, report: &mut Report) {
    kernel(notebook, report);
    let mut cleared = notebook.document.clone();
    cleared.clear();
    let mut told = false;
    for ((name, cell), clear) in notebook.document.named_cells().zip(&cleared.cells) {
        if !cell.outputs.is_empty() && clear.outputs.is_empty() {
            report.cell(&notebook.path, &name, format!("has outputs, which are not committed (except with the tag `check-output`): {FIX}"));
            told = true;
        }
        if cell.execution_count.is_some() || cell.metadata.contains_key("execution") {
            report.cell(
                &notebook.path,
                &name,
                format!("has the number or the times of an execution: {FIX}"),
            );
            told = true;
        }
    }
    if !told && cleared.to_text() != notebook.text {
        report.file(
            &notebook.path,
            format!("is not in the form in which Jupyter writes notebooks (indentation, order of keys, line ends): {FIX}"),
        );
    }
}

fn kernel(notebook: &Notebook, report: &mut Report) {
    let spec = notebook.document.metadata.get("kernelspec");
    let field = |name: &str| spec.and_then(|spec| spec.get(name)).and_then(Value::as_str);
    if (field("name"), field("language")) != (Some("rust"), Some("rust")) {
        let found = spec.map_or("none".to_string(), Value::to_string);
        let wanted = r#"{"display_name": "Rust", "language": "rust", "name": "rust"}"#;
        report.file(
            &notebook.path,
            format!("its metadata names another kernel ({found}): make its kernelspec {wanted}"),
        );
    }
    if !notebook.document.has_ids() {
        report.file(&notebook.path, "is in an old notebook format, in which cells have no ids: open and save it in JupyterLab");
    }
}

/// Writes a notebook in its normal form, with nbgrader's metadata; says whether that changed the
/// file.
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
