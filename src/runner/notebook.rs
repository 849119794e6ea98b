//! Notebooks on disk: reading and checking them before a run, writing them afterwards.

use crate::base::files::write_atomically;
use crate::runner::comparison::Rules;

use super::parameters;
use crate::course::Course;
use crate::course::notebook::tags::{self, Tags};
use anyhow::{Context, Result, bail};
use nbformat::v4::{Cell, CellId, Notebook, Output};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// A notebook that has passed all checks and can be run.
pub struct Source {
    /// As the user named it.
    pub path: PathBuf,
    /// Its name in messages: by default its path.
    pub name: String,
    /// Its folder, absolute, which is the kernel's working directory.
    pub folder: PathBuf,
    pub notebook: Notebook,
    pub cells: Vec<CodeCell>,
    pub title: Option<String>,
    pub minutes: Option<u32>,
    pub rules: Rules,
}

/// A code cell to run.
#[derive(Clone)]
pub struct CodeCell {
    /// Position among all cells of the notebook.
    pub index: usize,
    /// Position among the code cells, from 1: the number Jupyter shows when all are run in order.
    pub number: usize,
    pub source: String,
    pub tags: Tags,
    pub timeout: Duration,
    /// The outputs stored in the file.
    pub stored: Vec<Output>,
}

/// Command line options that affect how notebooks are loaded.
pub struct Request<'a> {
    pub parameters: &'a [(String, String)],
    pub timeout: Duration,
}

impl Source {
    pub fn load(path: &Path, request: &Request) -> Result<Source> {
        Source::load_inner(path, request).with_context(|| path.display().to_string())
    }

    fn load_inner(path: &Path, request: &Request) -> Result<Source> {
        let text = crate::course::notebook::read(path)?;
        let mut notebook = parse(&text)?;
        check_language(&notebook)?;
        let folder = path.canonicalize()?.parent().context("has no folder")?.to_path_buf();
        let course = Course::beside(&folder)?.unwrap_or_default();
        let entry = path
            .file_name()
            .and_then(|name| name.to_str())
            .and_then(|name| course.entry(name))
            .cloned();
        if !request.parameters.is_empty() {
            inject(&mut notebook, request.parameters)?;
        }
        let timeout = entry.as_ref().and_then(|entry| entry.timeout()).unwrap_or(request.timeout);
        let cells = code_cells(&notebook, timeout)?;
        Ok(Source {
            path: path.to_path_buf(),
            name: path.display().to_string(),
            folder,
            notebook,
            cells,
            title: entry.as_ref().map(|entry| entry.title.clone()),
            minutes: entry.and_then(|entry| entry.minutes),
            rules: Rules::new(course.sanitizers, course.tolerance),
        })
    }
}

fn parse(text: &str) -> Result<Notebook> {
    crate::course::notebook::checked(text)?;
    match nbformat::parse_notebook(text).context("is not a valid notebook")? {
        nbformat::Notebook::V4(notebook) => Ok(notebook),
        nbformat::Notebook::V4QuirksMode(quirks) => Ok(quirks.repair()),
        nbformat::Notebook::Legacy(old) => {
            nbformat::upgrade_legacy_notebook(old).context("is not a valid notebook")
        }
        _ => bail!("is in an unsupported notebook format"),
    }
}

fn check_language(notebook: &Notebook) -> Result<()> {
    let spec = notebook.metadata.kernelspec.as_ref();
    let language = spec.and_then(|spec| spec.language.as_deref());
    let language =
        language.or(notebook.metadata.language_info.as_ref().map(|info| info.name.as_str()));
    // Old notebooks only name their kernel, which is `rust` for Rust.
    match language.or(spec.map(|spec| spec.name.as_str())) {
        Some(language) if language.eq_ignore_ascii_case("rust") => Ok(()),
        Some(language) => bail!("is a notebook for {language}, not for Rust"),
        None => bail!(
            "does not state its language: its metadata has neither kernelspec nor language_info"
        ),
    }
}

/// Inserts the injected cell after the parameters cell and removes those of earlier runs.
fn inject(notebook: &mut Notebook, values: &[(String, String)]) -> Result<()> {
    let tagged = |cell: &Cell, tag: &str| matches!(cell, Cell::Code { metadata, .. } if metadata.tags.iter().flatten().any(|present| present == tag));
    notebook.cells.retain(|cell| !tagged(cell, tags::INJECTED_PARAMETERS));
    let Some(position) = notebook.cells.iter().position(|cell| tagged(cell, tags::PARAMETERS))
    else {
        bail!("has no cell tagged `{}`, so `-p` cannot set anything", tags::PARAMETERS);
    };
    let declared = parameters::declarations(&notebook.cells[position].source().concat());
    let source = parameters::injected_source(&declared, values).map_err(anyhow::Error::msg)?;
    let metadata = nbformat::v4::CellMetadata {
        tags: Some(vec![tags::INJECTED_PARAMETERS.to_string()]),
        ..Default::default()
    };
    let cell = Cell::Code {
        id: CellId::from(uuid::Uuid::new_v4()),
        metadata,
        execution_count: None,
        source: source.split_inclusive('\n').map(str::to_string).collect(),
        outputs: Vec::new(),
    };
    notebook.cells.insert(position + 1, cell);
    Ok(())
}

fn code_cells(notebook: &Notebook, timeout: Duration) -> Result<Vec<CodeCell>> {
    let mut cells = Vec::new();
    for (index, cell) in notebook.cells.iter().enumerate() {
        let tags = cell.metadata().tags.as_deref().unwrap_or_default();
        let tags = Tags::parse(tags)
            .map_err(anyhow::Error::msg)
            .with_context(|| format!("cell {} of {}", index + 1, notebook.cells.len()))?;
        if let Cell::Code { source, outputs, metadata, .. } = cell {
            let number = cells.len() + 1;
            let timeout = cell_timeout(metadata)
                .with_context(|| format!("code cell {number}"))?
                .unwrap_or(timeout);
            cells.push(CodeCell {
                index,
                number,
                source: source.concat(),
                tags,
                timeout,
                stored: outputs.clone(),
            });
        }
    }
    Ok(cells)
}

/// `"parcourse": {"timeout": seconds}` in a cell's metadata.
fn cell_timeout(metadata: &nbformat::v4::CellMetadata) -> Result<Option<Duration>> {
    let Some(timeout) = metadata.additional.get("parcourse").and_then(|ours| ours.get("timeout"))
    else {
        return Ok(None);
    };
    let seconds = timeout.as_f64().filter(|seconds| seconds.is_finite() && *seconds > 0.0);
    let seconds = seconds.with_context(|| {
        format!("its metadata says timeout = {timeout}, which is not a positive number of seconds")
    })?;
    Ok(Some(Duration::from_secs_f64(seconds)))
}

/// Writes an executed notebook atomically.
pub fn write(notebook: &Notebook, path: &Path) -> Result<()> {
    let mut notebook = notebook.clone();
    (notebook.nbformat, notebook.nbformat_minor) = (4, 5);
    for cell in &mut notebook.cells {
        let (Cell::Code { source, .. } | Cell::Markdown { source, .. } | Cell::Raw { source, .. }) =
            cell;
        *source = source.concat().split_inclusive('\n').map(str::to_string).collect();
    }
    let text = nbformat::serialize_notebook(&nbformat::Notebook::V4(notebook))?;
    write_atomically(path, text.as_bytes())
}
