//! Notebooks as files: reading them, their cells, and the normal form they are written in.
//!
//! These types serve authoring tools and keep everything they do not understand: an extension's
//! metadata survives. The runner (`crate::runner`) starts with the same checks and then uses the
//! typed notebooks of the crate `nbformat`, which handle outputs better.
//!
//! In reading order: [`read`] (from disk), [`Document`] (a notebook), [`Cell`] (one cell),
//! [`normal`] (the form on disk), [`markdown`] (headings, links and images), [`tags`] (cell tags).

mod cell;
mod document;
pub mod markdown;
pub mod normal;
mod read;
pub mod tags;

pub use cell::Cell;
pub use document::Document;
pub use read::{checked, read};
