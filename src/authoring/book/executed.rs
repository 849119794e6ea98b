//! The notebooks with their outputs, from a run now or earlier.

use crate::base::steps::Steps;
use crate::course::notebook::{self, Document};
use crate::runner::results::failures;
use crate::runner::{Executed, KernelKind, Plan};
use anyhow::{Context, Result, bail, ensure};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// How to run the notebooks.
pub struct How {
    pub jobs: usize,
    /// Time limit per cell, unless the manifest or the cell overrides it.
    pub timeout: Duration,
    pub helpers: Option<PathBuf>,
}

/// Runs the notebooks and returns their texts, in order. `None` if a cell failed; the runner has
/// then reported it.
pub fn execute(files: &[PathBuf], how: How, steps: &mut Steps) -> Result<Option<Vec<String>>> {
    let plan = Plan {
        kernel: KernelKind::Parcourse,
        jobs: how.jobs,
        timeout: how.timeout,
        startup_timeout: Duration::from_secs(120),
        parameters: Vec::new(),
        keep_going: true,
        check_images: false,
        quiet: false,
        helpers: how.helpers,
    };
    let sources = plan.load(files)?;
    steps.begin(&format!("Running {}", counted(files.len())));
    let Executed { sources, results, settings, interrupted } = plan.execute(sources)?;
    if let Some(signal) = interrupted {
        bail!("stopped by {signal}; all kernels have been shut down");
    }
    for (source, result) in sources.iter().zip(&results) {
        print!("{}", failures(source, result, &settings));
    }
    if results.iter().any(|result| result.outcome() != "passed") {
        eprintln!("parcourse: no book was made, because some cells failed");
        return Ok(None);
    }
    steps.done("all cells passed");
    let text = |notebook| {
        nbformat::serialize_notebook(&nbformat::Notebook::V4(notebook))
            .context("failed to serialize an executed notebook")
    };
    results.into_iter().map(|result| text(result.executed)).collect::<Result<_>>().map(Some)
}

/// Reads notebooks that were run earlier. Their cells must equal those of the course.
pub fn read(files: &[PathBuf], folder: &Path, steps: &mut Steps) -> Result<Vec<String>> {
    steps.begin(&format!("Reading {} that were run earlier", counted(files.len())));
    ensure!(folder.is_dir(), "--executed {}: no such folder", folder.display());
    let texts = files.iter().map(|file| {
        let executed = folder.join(file.file_name().context("a notebook has no name")?);
        let text = notebook::read(&executed).with_context(|| executed.display().to_string())?;
        check(&Document::parse(&notebook::read(file)?)?, &Document::parse(&text)?).with_context(
            || {
                format!(
                    "{} cannot be used: run it again with `parcourse run --output {}`",
                    executed.display(),
                    folder.display()
                )
            },
        )?;
        Ok(text)
    });
    let texts = texts.collect::<Result<_>>()?;
    steps.done(&folder.display().to_string());
    Ok(texts)
}

/// Checks that the outputs belong to the page's own code and that no cell failed unexpectedly.
fn check(source: &Document, executed: &Document) -> Result<()> {
    let sources = |document: &Document| {
        document.cells.iter().map(|cell| (cell.kind, cell.source.clone())).collect::<Vec<_>>()
    };
    ensure!(sources(source) == sources(executed), "its cells differ from the course");
    let code =
        || executed.cells.iter().filter(|cell| cell.is_code() && !cell.source.trim().is_empty());
    ensure!(
        code().next().is_none() || code().any(|cell| cell.execution_count.is_some()),
        "it has not been run"
    );
    for (name, cell) in executed.named_cells() {
        let failed = cell.outputs.iter().any(|output| output["output_type"] == "error");
        ensure!(!failed || cell.has_tag("raises-exception"), "{name} failed");
    }
    Ok(())
}

fn counted(notebooks: usize) -> String {
    if notebooks == 1 { "1 notebook".to_owned() } else { format!("{notebooks} notebooks") }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn document(source: &str, count: &str, outputs: &str, tags: &str) -> Document {
        let text = format!(
            r#"{{"nbformat": 4, "nbformat_minor": 5, "metadata": {{}}, "cells": [{{"cell_type": "code", "id": "a", "source": "{source}",
            "metadata": {{"tags": [{tags}]}}, "execution_count": {count}, "outputs": [{outputs}]}}]}}"#
        );
        Document::parse(&text).unwrap()
    }

    #[test]
    fn only_what_was_executed_without_surprise_is_shown() {
        let error =
            r#"{"output_type": "error", "ename": "Panic", "evalue": "no", "traceback": []}"#;
        let source = document("f()", "null", "", "");
        let message = |executed| check(&source, &executed).unwrap_err().to_string();
        assert!(check(&source, &document("f()", "1", "", "")).is_ok());
        assert!(check(&source, &document("f()", "1", error, "\"raises-exception\"")).is_ok());
        assert_eq!(message(document("g()", "1", "", "")), "its cells differ from the course");
        assert_eq!(message(document("f()", "null", "", "")), "it has not been run");
        assert_eq!(message(document("f()", "1", error, "")), "a failed");
    }
}
