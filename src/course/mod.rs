//! The course as a folder: its manifest, where it is found, and how its minutes are told.

mod find;
mod manifest;
pub mod minutes;

pub use find::find;
pub use manifest::{Course, Entry, FILE_NAME, Sanitizer};
