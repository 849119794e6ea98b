//! One cell of a notebook file.

use anyhow::{Context, Result, bail};
use serde_json::{Map, Value, json};

/// What a cell is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CellKind {
    Code,
    Markdown,
    Raw,
}

/// A cell, with its source in one string.
#[derive(Debug, Clone)]
pub struct Cell {
    pub kind: CellKind,
    /// `None` in formats before 4.5.
    pub id: Option<String>,
    pub source: String,
    pub metadata: Map<String, Value>,
    /// As stored; empty unless it is a code cell.
    pub outputs: Vec<Value>,
    pub execution_count: Option<i64>,
    /// Whatever else the cell has: attachments, keys of extensions.
    rest: Map<String, Value>,
}

impl Cell {
    /// A new text cell.
    pub fn markdown(id: &str, source: String) -> Cell {
        Cell {
            kind: CellKind::Markdown,
            id: Some(id.to_string()),
            source,
            metadata: Map::new(),
            outputs: Vec::new(),
            execution_count: None,
            rest: Map::new(),
        }
    }

    pub(super) fn from_json(value: Value) -> Result<Cell> {
        let Value::Object(mut rest) = value else { bail!("is not an object") };
        let kind = match rest.remove("cell_type").as_ref().and_then(Value::as_str) {
            Some("code") => CellKind::Code,
            Some("markdown") => CellKind::Markdown,
            Some("raw") => CellKind::Raw,
            Some(other) => bail!("has the unknown cell_type {other:?}"),
            None => bail!("has no cell_type"),
        };
        let source = rest.remove("source").context("has no source")?;
        let outputs = match rest.remove("outputs") {
            Some(Value::Array(outputs)) => outputs,
            Some(_) => bail!("has outputs that are not a list"),
            None => Vec::new(),
        };
        let metadata = match rest.remove("metadata") {
            Some(Value::Object(metadata)) => metadata,
            Some(_) => bail!("has metadata that is not an object"),
            None => Map::new(),
        };
        let id = rest.remove("id").and_then(|id| id.as_str().map(str::to_string));
        let execution_count = rest.remove("execution_count").and_then(|count| count.as_i64());
        Ok(Cell {
            kind,
            id,
            source: joined(&source).context("has a source that is not text")?,
            metadata,
            outputs,
            execution_count,
            rest,
        })
    }

    /// The cell's JSON, with the source still in one string.
    pub(super) fn to_json(&self) -> Value {
        let mut fields = self.rest.clone();
        let kind = match self.kind {
            CellKind::Code => "code",
            CellKind::Markdown => "markdown",
            CellKind::Raw => "raw",
        };
        fields.insert("cell_type".to_string(), json!(kind));
        if let Some(id) = &self.id {
            fields.insert("id".to_string(), json!(id));
        }
        fields.insert("metadata".to_string(), Value::Object(self.metadata.clone()));
        fields.insert("source".to_string(), json!(self.source));
        if self.kind == CellKind::Code {
            fields.insert("outputs".to_string(), Value::Array(self.outputs.clone()));
            fields.insert("execution_count".to_string(), json!(self.execution_count));
        }
        Value::Object(fields)
    }

    pub fn is_code(&self) -> bool {
        self.kind == CellKind::Code
    }

    pub fn is_markdown(&self) -> bool {
        self.kind == CellKind::Markdown
    }

    /// The cell's tags. Tags that are not strings are skipped.
    pub fn tags(&self) -> Vec<String> {
        let tags = self.metadata.get("tags").and_then(Value::as_array).into_iter().flatten();
        tags.filter_map(Value::as_str).map(str::to_string).collect()
    }

    pub fn has_tag(&self, tag: &str) -> bool {
        self.metadata
            .get("tags")
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
            .any(|present| present == tag)
    }

    /// Appends a tag unless the cell already has it.
    pub fn add_tag(&mut self, tag: &str) {
        if !self.has_tag(tag) {
            let mut tags = self.tags();
            tags.push(tag.to_string());
            self.metadata.insert("tags".to_string(), json!(tags));
        }
    }

    /// Whether a file of this name is attached to the cell.
    pub fn has_attachment(&self, name: &str) -> bool {
        self.rest.get("attachments").is_some_and(|attachments| attachments.get(name).is_some())
    }

    /// The cell's name in messages: its id, else its position among `count` cells.
    pub fn name(&self, index: usize, count: usize) -> String {
        self.id.clone().unwrap_or_else(|| format!("cell {} of {count}", index + 1))
    }
}

/// Joins text as notebooks store it: one string or a list of lines.
pub(super) fn joined(text: &Value) -> Option<String> {
    match text {
        Value::String(text) => Some(text.clone()),
        Value::Array(lines) => lines.iter().map(Value::as_str).collect::<Option<String>>(),
        _ => None,
    }
}
