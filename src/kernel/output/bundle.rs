//! Collects rich output that arrives in several blocks, one for each MIME type.

use serde_json::{Map, Value};
use std::time::{Duration, Instant};

/// Blocks of the same value arrive within this time.
const SAME_VALUE_TIMEOUT: Duration = Duration::from_millis(20);
/// How long a value may wait for the end of the cell, because it may be the cell's result.
const RESULT_TIMEOUT: Duration = Duration::from_millis(150);

/// The MIME bundle that is being collected.
pub struct PendingBundle {
    data: Map<String, Value>,
    since: Instant,
}

impl Default for PendingBundle {
    fn default() -> PendingBundle {
        PendingBundle { data: Map::new(), since: Instant::now() }
    }
}

impl PendingBundle {
    /// Whether a block of this type may belong to the same value, which has each type at most once.
    /// (A late block finds the bundle already published.)
    pub fn accepts(&self, mime: &str) -> bool {
        !self.data.contains_key(mime)
    }

    pub fn insert(&mut self, mime: &str, body: &str) {
        self.since = Instant::now();
        self.data.insert(mime.to_owned(), value_of(mime, body));
    }

    /// Whether the bundle must be published now.
    pub fn is_due(&self, may_be_result: bool) -> bool {
        self.since.elapsed() >= if may_be_result { RESULT_TIMEOUT } else { SAME_VALUE_TIMEOUT }
    }

    pub fn into_data(self) -> Value {
        Value::Object(self.data)
    }
}

/// Values of JSON types are sent as JSON, everything else as text.
fn value_of(mime: &str, body: &str) -> Value {
    if mime.contains("json") {
        serde_json::from_str(body).unwrap_or_else(|_| Value::from(body))
    } else {
        Value::from(body)
    }
}

/// Converts a bundle that the helper crate wrote as a JSON object of strings.
pub fn data_of(data: &Map<String, Value>) -> Value {
    let entry = |(mime, value): (&String, &Value)| {
        let value = value.as_str().map_or_else(|| value.clone(), |text| value_of(mime, text));
        (mime.clone(), value)
    };
    Value::Object(data.iter().map(entry).collect())
}
