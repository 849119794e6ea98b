//! Skeletons of crates, for rust-analyzer.
//!
//! Before it can tell the type of a variable, rust-analyzer parses every crate it is shown, expands
//! its macros and resolves its names; most of that is what no cell can see. A *skeleton* is a copy
//! of a crate's sources that has the same types and names and little else. Reading order:
//! [`crates`] says which, [`store`] keeps them, [`package`] walks through a crate's files,
//! [`items`] goes through one, with [`attributes`], [`macros`] and [`cfg`].

mod attributes;
mod cfg;
mod crates;
mod items;
mod macros;
mod package;
mod store;

pub use crates::{library, redirect, use_whole_sources};
pub use package::sources_below;
pub use store::{Key, Store};
