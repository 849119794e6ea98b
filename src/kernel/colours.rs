//! Colours of failures, as terminals write them.
//!
//! By red, green and blue, not by name: front ends show failures on a ground of their own,
//! JupyterLab on light pink or on dark red, and what it makes of the names can be read on one of
//! the two only. These are as far from both as a colour can be.

pub const BOLD: &str = "\u{1b}[1m";
pub const RED: &str = "\u{1b}[1;38;2;217;67;63m";
pub const BLUE: &str = "\u{1b}[1;38;2;34;121;216m";
pub const RESET: &str = "\u{1b}[0m";
