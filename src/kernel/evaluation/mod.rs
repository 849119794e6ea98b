//! From a cell's source to its result. In reading order: [`execute`] (one request), [`engine`] (the
//! thread that runs the engine), [`evaluator`] (the engine itself), [`dependencies`] and
//! [`helper_crate`] (`:dep` lines), [`display_format`], [`library_sources`], and [`build_progress`]
//! (what cargo is building).

pub mod build_progress;
pub mod dependencies;
pub mod display_format;
pub mod engine;
pub mod evaluator;
pub mod execute;
pub mod helper_crate;
pub mod library_sources;
