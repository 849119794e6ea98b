//! What the line profiler's table and the flame graph's have in common on a page.

use crate::format::escape_html;

/// Begins a table of figures and code.
pub(super) const TABLE: &str = "<table style=\"color:inherit;border-collapse:collapse;font-family:monospace;font-size:90%;line-height:1.35\">";

/// A sentence about the numbers.
pub(super) fn remark(text: &str) -> String {
    format!("<p style=\"opacity:.75;font-size:90%\">{}</p>", escape_html(text))
}
