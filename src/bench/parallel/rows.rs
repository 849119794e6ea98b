//! The measurements, before they are judged and printed.

use crate::bench::statistics::Sample;
use serde::Serialize;

/// One measurement of all peers.
#[derive(Serialize)]
pub struct Row {
    pub benchmark: &'static str,
    pub name: &'static str,
    pub title: String,
    /// The problem size.
    pub size: usize,
    pub sides: Vec<Side>,
}

/// The measurements of one peer.
#[derive(Serialize)]
pub struct Side {
    pub name: &'static str,
    #[serde(skip)]
    pub in_words: &'static str,
    pub seconds: Sample,
    /// The increase of the process's memory, input included; empty if not measured.
    pub peak_bytes: Sample,
    /// Its time divided by ours, round by round: our speedup.
    pub ratio: Sample,
    /// Why it was skipped, if not because of a failure.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub left_out: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub failure: Option<String>,
}

impl Row {
    /// The side of a peer.
    pub fn side(&mut self, name: &str) -> &mut Side {
        self.sides
            .iter_mut()
            .find(|side| side.name == name)
            .expect("every peer has a side in every row")
    }
}

impl Side {
    pub fn new(name: &'static str, in_words: &'static str) -> Side {
        let (seconds, peak_bytes, ratio) = Default::default();
        Side { name, in_words, seconds, peak_bytes, ratio, left_out: None, failure: None }
    }
}
