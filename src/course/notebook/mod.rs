//! Notebooks as files: reading them, their cells, and the one form in which they are written.
//!
//! What stands here looks at a notebook as an author's tool does and keeps everything it does not
//! understand: a key of somebody's extension in the metadata survives. The runner (`crate::runner`)
//! reads with the same first checks and then goes on with the typed notebook of the crate
//! `nbformat`, which suits outputs.
//!
//! In reading order: [`read`] (from disk), [`Document`] (a notebook), [`Cell`] (one cell),
//! [`normal`] (the form on disk), [`markdown`] (headings, links and images of text), [`tags`] (what authors
//! say about a cell).

mod cell;
mod document;
pub mod markdown;
pub mod normal;
mod read;
pub mod tags;

pub use cell::Cell;
pub use document::Document;
pub use read::{checked, read};
