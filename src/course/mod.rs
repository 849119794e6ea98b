//! The course on disk: finding its folder, its manifest, the minutes its notebooks state, and the
//! notebook files ([`notebook`]).

mod find;
mod manifest;
pub mod minutes;
pub mod notebook;

pub use find::find;
pub use manifest::{Course, Entry, FILE_NAME, Sanitizer};
