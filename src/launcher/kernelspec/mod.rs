//! Registration of the kernel with Jupyter: `parcourse kernel install`, `uninstall`, `list`.
//!
//! A kernel is registered by a folder with a `kernel.json` in one of Jupyter's search paths. Ours
//! carry a mark in their metadata. Specs of other programs are never removed, and replaced only
//! with `--force`.

mod command;
mod locations;
mod spec;

pub use command::{Action, main, registered};
pub use spec::{Contents, Spec, write};
