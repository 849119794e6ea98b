//! Reads a file into JSON of a supported notebook format; every error says what to do.

use anyhow::{Context, Result, bail, ensure};
use serde_json::Value;
use std::path::Path;

/// The text of a notebook file.
pub fn read(path: &Path) -> Result<String> {
    match std::fs::read(path) {
        Ok(bytes) => String::from_utf8(bytes).ok().context("is not a notebook: it is not text"),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            bail!("no such file")
        }
        Err(error) if error.kind() == std::io::ErrorKind::IsADirectory => {
            bail!("is a folder: pass the notebooks in it")
        }
        Err(error) => Err(error).context("cannot be read"),
    }
}

/// Parses a notebook's text as JSON and checks that its format is 4.0 to 4.5.
pub fn checked(text: &str) -> Result<Value> {
    let value: Value = serde_json::from_str(text).context("is not a notebook: it is not JSON")?;
    let Some(format) = value.get("nbformat").and_then(Value::as_i64) else {
        bail!("is not a notebook: it has no nbformat number");
    };
    let minor = value.get("nbformat_minor").and_then(Value::as_i64).unwrap_or(0);
    if format < 4 {
        bail!(
            "is in the old notebook format {format}: open and save it in JupyterLab, or run \
            `jupyter nbconvert --to notebook` on it"
        );
    }
    ensure!(
        (format, minor) <= (4, 5),
        "is in notebook format {format}.{minor}; the newest supported is 4.5"
    );
    Ok(value)
}
