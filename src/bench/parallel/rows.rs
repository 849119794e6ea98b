//! What was measured, before it is judged and printed.

use crate::bench::statistics::Sample;
use serde::Serialize;

/// One thing that was measured of everybody.
#[derive(Serialize)]
pub struct Row {
    pub benchmark: &'static str,
    pub name: &'static str,
    pub title: String,
    /// Of the problem.
    pub size: usize,
    pub sides: Vec<Side>,
}

/// What was measured of one of them.
#[derive(Serialize)]
pub struct Side {
    pub name: &'static str,
    #[serde(skip)]
    pub in_words: &'static str,
    pub seconds: Sample,
    /// How far the process's memory rose, input included; nothing where that was not measured.
    pub peak_bytes: Sample,
    /// Its time divided by ours, round by round: how many times as fast we are.
    pub ratio: Sample,
    /// Why it was not measured, although that is no failure.
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
