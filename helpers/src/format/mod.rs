//! How numbers, durations and byte sizes are written, and text inside HTML. The lowest layer:
//! nothing here needs another room of the crate.
//!
//! Read [`duration`], then [`number`]; [`html`] stands alone.

mod duration;
mod html;
mod number;

pub use duration::FineDuration;
pub(crate) use duration::fine_seconds;
pub(crate) use html::escape_html;
pub(crate) use number::{
    byte_size, common_decimals, counted, four_figures, three_figures, without_zeros,
};
