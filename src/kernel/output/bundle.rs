//! Rich output that comes in several blocks, one for each MIME type.

use serde_json::{Map, Value};
use std::time::{Duration, Instant};

/// Blocks of one value follow each other at once.
const SAME_VALUE: Duration = Duration::from_millis(20);
/// How long a value may wait for the end of the cell, which would make it the cell's result.
const MAY_BE_RESULT: Duration = Duration::from_millis(150);

/// The bundle being collected.
pub struct Held {
    data: Map<String, Value>,
    since: Instant,
}

impl Default for Held {
    fn default() -> Held {
        Held { data: Map::new(), since: Instant::now() }
    }
}

impl Held {
    /// Whether a block of this type belongs to the same value: a value has each type once. It comes
    /// at once, or the bundle is shown and held no more.
    pub fn accepts(&self, mime: &str) -> bool {
        !self.data.contains_key(mime)
    }

    pub fn insert(&mut self, mime: &str, body: &str) {
        self.since = Instant::now();
        self.data.insert(mime.to_owned(), value_of(mime, body));
    }

    /// Whether it must be shown now.
    pub fn is_due(&self, may_be_result: bool) -> bool {
        self.since.elapsed() >= if may_be_result { MAY_BE_RESULT } else { SAME_VALUE }
    }

    pub fn into_data(self) -> Value {
        Value::Object(self.data)
    }
}

/// JSON types travel as JSON, everything else as text.
fn value_of(mime: &str, body: &str) -> Value {
    if mime.contains("json") {
        serde_json::from_str(body).unwrap_or_else(|_| Value::from(body))
    } else {
        Value::from(body)
    }
}

/// The same for a bundle that a helper wrote as a JSON object of strings.
pub fn data_of(data: &Map<String, Value>) -> Value {
    let entry = |(mime, value): (&String, &Value)| {
        let value = value.as_str().map_or_else(|| value.clone(), |text| value_of(mime, text));
        (mime.clone(), value)
    };
    Value::Object(data.iter().map(entry).collect())
}
