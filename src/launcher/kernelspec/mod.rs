//! Registration of the kernel with Jupyter: `parcourse kernel install`, `uninstall`, `list`.
//!
//! A kernel is registered by a folder with a `kernel.json` in one of the places Jupyter looks at.
//! Specs of other programs are never changed: ours carry a mark in their metadata, and only those
//! are replaced or removed without being told twice.

mod command;
mod places;
mod spec;

pub use command::{Action, main, registered};
pub use spec::{Contents, Spec, write};
