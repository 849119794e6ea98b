//! Digests that identify versions of a file.

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest, Sha256};
use std::path::Path;

/// Digests of a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Version {
    /// Of the content that people edit: a notebook's cell types and sources, or the whole of any
    /// other file.
    pub content: String,
    /// Of the whole file, including outputs, execution counts and metadata.
    pub whole: String,
}

impl Version {
    /// Returns the version of the file at `path`; `None` if there is no file.
    pub fn of(path: &Path) -> Result<Option<Self>> {
        match std::fs::read(path) {
            Ok(bytes) => {
                Ok(Some(Self::of_bytes(&bytes, path.extension().is_some_and(|end| end == "ipynb"))))
            }
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error).with_context(|| format!("failed to read {}", path.display())),
        }
    }

    fn of_bytes(bytes: &[u8], is_notebook: bool) -> Self {
        let whole = hex(Sha256::new_with_prefix(bytes));
        // A file that is not a valid notebook cannot equal a version of the course.
        let content = if is_notebook { cells(bytes) } else { None };
        Self { content: content.unwrap_or_else(|| whole.clone()), whole }
    }
}

/// Digest of the cells' types and sources. Empty cells are ignored, because JupyterLab adds one
/// after running the last cell.
fn cells(notebook: &[u8]) -> Option<String> {
    let notebook: Value = serde_json::from_slice(notebook).ok()?;
    let mut digest = Sha256::new();
    for cell in notebook.get("cells")?.as_array()? {
        let source = source(cell)?;
        if source.trim().is_empty() {
            continue;
        }
        for part in [cell.get("cell_type")?.as_str()?, &source] {
            digest.update((part.len() as u64).to_le_bytes());
            digest.update(part);
        }
    }
    Some(hex(digest))
}

/// Returns a cell's source, which may be a string or a list of lines.
fn source(cell: &Value) -> Option<String> {
    match cell.get("source")? {
        Value::String(text) => Some(text.clone()),
        Value::Array(lines) => lines.iter().map(Value::as_str).collect(),
        _ => None,
    }
}

fn hex(digest: Sha256) -> String {
    crate::base::hash::hex(&digest.finalize()[..16])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn version(notebook: &str) -> Version {
        Version::of_bytes(notebook.as_bytes(), true)
    }

    #[test]
    fn outputs_counts_and_form_are_not_content() {
        let baseline = version(
            r#"{"cells": [{"cell_type": "code", "source": ["let a = 1;\n", "a"], "outputs": [], "execution_count": null}]}"#,
        );
        let run = version(
            r#"{"cells": [{"cell_type": "code", "execution_count": 3, "outputs": [{"text": "1"}], "source": "let a = 1;\na"},
                {"cell_type": "code", "source": []}], "metadata": {"kernelspec": {}}}"#,
        );
        assert_eq!(baseline.content, run.content);
        assert_ne!(baseline.whole, run.whole);
    }

    #[test]
    fn sources_kinds_and_divisions_are_content() {
        let base = r#"{"cells": [{"cell_type": "code", "source": "ab"}]}"#;
        for other in [
            r#"{"cells": [{"cell_type": "code", "source": "ab "}]}"#,
            r#"{"cells": [{"cell_type": "raw", "source": "ab"}]}"#,
            r#"{"cells": [{"cell_type": "code", "source": "a"}, {"cell_type": "code", "source": "b"}]}"#,
            r#"{"cells": []}"#,
            "not JSON",
            r#"{"cells": [{"source": 3}]}"#,
        ] {
            assert_ne!(version(base).content, version(other).content, "{other}");
        }
        assert_ne!(Version::of_bytes(b"a", false), Version::of_bytes(b"b", false));
    }
}
