//! For systems without memfd: shared memory has no name.

use super::error::Kind;
use std::convert::Infallible;
use std::fs::File;

/// Never exists.
pub(super) struct Found {
    pub(super) file: File,
    pub(super) element: String,
    pub(super) len: usize,
    pub(super) bytes: usize,
    #[allow(dead_code, reason = "never made")]
    never: Infallible,
}

pub(super) fn create(
    _name: &str,
    _element: &str,
    _len: usize,
    _bytes: usize,
) -> Result<File, Kind> {
    Err(Kind::Unsupported)
}

pub(super) fn find(_name: &str) -> Result<Option<Found>, Kind> {
    Err(Kind::Unsupported)
}
