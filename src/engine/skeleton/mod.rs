//! Skeletons of crates, for rust-analyzer.
//!
//! Before it can infer the type of a variable, rust-analyzer parses every crate, expands its macros
//! and resolves its names; cells cannot see most of that. A *skeleton* is a copy of a crate's
//! sources with the same types and names and little else. Reading order: [`crates`] (which crates
//! get one), [`store`] (the cache), [`package`] (the files of a crate), [`items`] (one file),
//! [`attributes`], [`macros`] and [`cfg`].

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
