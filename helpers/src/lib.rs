//! Helpers for parallel computing in Rust notebooks.
#![deny(missing_docs)]

pub use rayon;
