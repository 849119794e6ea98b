//! Rich output: HTML, images, Markdown, tables, progress bars.
//!
//! A cell shows a [`Rich`] value that is its last expression. [`display`] shows one at any time, as
//! often as you like; [`display_with_id`] returns a handle that can update the output later.
//!
//! ```
//! use parcourse::prelude::*;
//! display(Html::new("<b>bold</b>"));
//! let handle = display_with_id(Markdown::new("*working* …"));
//! handle.update(Markdown::new("**done**"));
//! ```
//!
//! On the stock evcxr kernel, a cell shows only its last rich output, when it ends; updates replace
//! each other, so you see the final state. Outside of a notebook, the text form is printed.
//!
//! `helpers/src/output/README.md` describes the protocol. Reading order: `kinds`, `handle`, then
//! `cell` and `table`, `progress`.

mod cell;
mod handle;
mod kinds;
mod progress;
mod table;

pub use crate::output::{Bundle, Rich};
pub use cell::{Cell, Content, Row};
pub use handle::{Handle, clear_output, display, display_with_id};
pub use kinds::{Html, Json, Markdown, Png, Svg};
pub use progress::{Progress, ProgressBar, progress};
pub use table::Table;
