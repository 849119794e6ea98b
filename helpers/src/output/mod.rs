//! How rich output reaches the notebook: a [`Bundle`] holds one value in several MIME types, the
//! [`protocol`] writes it to stdout for the kernel that reads it. [`display`](crate::display) is
//! what users see of it.
//!
//! Read `README.md` beside this file, then `bundle`, then `protocol`.

pub(crate) mod base64;
mod bundle;
pub(crate) mod json;
pub(crate) mod protocol;

pub use bundle::{Bundle, Rich};
