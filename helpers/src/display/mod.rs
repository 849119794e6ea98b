//! Rich output: HTML, pictures, Markdown, tables, progress bars.
//!
//! A value whose type is [`Rich`] is shown when it is the last expression of a cell. [`display`]
//! shows one at any time, as often as you like, and [`display_with_id`] gives a handle with which
//! the same output can be changed later.
//!
//! ```
//! use parcourse::prelude::*;
//! display(Html::new("<b>bold</b>"));
//! let handle = display_with_id(Markdown::new("*working* …"));
//! handle.update(Markdown::new("**done**"));
//! ```
//!
//! On the stock evcxr kernel a cell shows one rich output, the last one, when it ends. There
//! updates simply replace each other, so that what is seen is the final state. Outside of a
//! notebook nothing renders rich output, and its text form is printed.
//!
//! How it travels is described in the `helpers/src/output/README.md`.

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
