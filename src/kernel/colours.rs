//! Colours of failures, as terminal escape sequences.
//!
//! They are given as red, green and blue instead of by name. Front ends show failures on their own
//! background, JupyterLab on light pink or dark red, and its versions of the named colours are
//! readable on only one of the two. These colours contrast with both.

pub const BOLD: &str = "\u{1b}[1m";
pub const RED: &str = "\u{1b}[1;38;2;217;67;63m";
pub const BLUE: &str = "\u{1b}[1;38;2;34;121;216m";
pub const RESET: &str = "\u{1b}[0m";
