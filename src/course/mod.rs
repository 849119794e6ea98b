//! The course as a folder: its manifest, where it is found, the minutes its notebooks take, and
//! the notebooks themselves as files ([`notebook`]).

mod find;
mod manifest;
pub mod minutes;
pub mod notebook;

pub use find::find;
pub use manifest::{Course, Entry, FILE_NAME, Sanitizer};
