//! A whole notebook file.

use super::{Cell, normal, read};
use anyhow::{Context, Result, bail};
use serde_json::{Map, Value};

/// A notebook: its cells, its metadata, and whatever else the file holds.
#[derive(Debug, Clone)]
pub struct Document {
    pub cells: Vec<Cell>,
    pub metadata: Map<String, Value>,
    /// `nbformat`, `nbformat_minor`, keys of extensions.
    rest: Map<String, Value>,
}

impl Document {
    /// Parses a notebook's text. Error messages begin with a verb, so that the file's name can
    /// precede them.
    pub fn parse(text: &str) -> Result<Document> {
        let Value::Object(mut rest) = read::checked(text)? else {
            bail!("is not a notebook: it is not an object")
        };
        let Some(Value::Array(cells)) = rest.remove("cells") else {
            bail!("is not a notebook: it has no list of cells")
        };
        let metadata = match rest.remove("metadata") {
            Some(Value::Object(metadata)) => metadata,
            Some(_) => bail!("is not a notebook: its metadata is not an object"),
            None => Map::new(),
        };
        let count = cells.len();
        let numbered = cells.into_iter().enumerate();
        let cells = numbered.map(|(index, cell)| {
            Cell::from_json(cell).with_context(|| format!("cell {} of {count}", index + 1))
        });
        Ok(Document { cells: cells.collect::<Result<_>>()?, metadata, rest })
    }

    /// Removes everything that depends on an execution: see [`normal`].
    pub fn clear(&mut self) {
        self.cells.iter_mut().for_each(normal::clear);
    }

    /// The file's text, as Jupyter writes it: see [`normal`].
    pub fn to_text(&self) -> String {
        let mut fields = self.rest.clone();
        fields.insert(
            "cells".to_string(),
            Value::Array(self.cells.iter().map(Cell::to_json).collect()),
        );
        fields.insert("metadata".to_string(), Value::Object(self.metadata.clone()));
        normal::text(Value::Object(fields))
    }

    /// Whether the format is 4.5, in which cells have ids.
    pub fn has_ids(&self) -> bool {
        self.rest.get("nbformat_minor").and_then(Value::as_i64) == Some(5)
    }

    /// Each cell with its name in messages.
    pub fn named_cells(&self) -> impl Iterator<Item = (String, &Cell)> {
        self.cells
            .iter()
            .enumerate()
            .map(|(index, cell)| (cell.name(index, self.cells.len()), cell))
    }
}
