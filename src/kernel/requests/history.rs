//! The inputs of this session, for consoles that let the user browse them.

use serde_json::{Value, json};

#[derive(Default)]
pub struct History {
    inputs: Vec<String>,
}

impl History {
    pub fn push(&mut self, code: &str) {
        self.inputs.push(code.to_owned());
    }

    /// Content of the reply to a history_request: `tail` returns the last n inputs, `range` those
    /// from start to stop, `search` those that match a pattern. There is one session, number 0.
    pub fn answer(&self, request: &Value) -> Value {
        let with_output = request["output"].as_bool().unwrap_or(false);
        let count = request["n"].as_u64().map_or(usize::MAX, |n| n as usize);
        let number = |field: &str| request[field].as_u64().map(|value| value as usize);
        let all = self.inputs.iter().enumerate().map(|(index, input)| (index + 1, input));
        let mut found: Vec<(usize, &String)> = match request["hist_access_type"].as_str() {
            Some("range") => {
                let (start, stop) =
                    (number("start").unwrap_or(0), number("stop").unwrap_or(usize::MAX));
                all.filter(|(line, _)| (start..stop).contains(line)).collect()
            }
            Some("search") => {
                let pattern = request["pattern"].as_str().unwrap_or("*");
                let mut found: Vec<_> = all.filter(|(_, input)| matches(pattern, input)).collect();
                if request["unique"].as_bool().unwrap_or(false) {
                    let mut seen = std::collections::HashSet::new();
                    found.retain(|(_, input)| seen.insert(input.as_str()));
                }
                found
            }
            _ => all.collect(),
        };
        if found.len() > count {
            found.drain(..found.len() - count);
        }
        let entry = |(line, input): &(usize, &String)| match with_output {
            true => json!([0, line, [input, Value::Null]]),
            false => json!([0, line, input]),
        };
        json!({ "status": "ok", "history": found.iter().map(entry).collect::<Vec<_>>() })
    }
}

/// Shell patterns: `*` any text, `?` any character.
fn matches(pattern: &str, text: &str) -> bool {
    let expression: String = pattern
        .chars()
        .map(|character| match character {
            '*' => "(?s:.*)".to_owned(),
            '?' => "(?s:.)".to_owned(),
            other => regex::escape(&other.to_string()),
        })
        .collect();
    regex::Regex::new(&format!("^{expression}$")).is_ok_and(|expression| expression.is_match(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tail_range_and_search() {
        let mut history = History::default();
        ["let a = 1;", "b()", "let c = 3;"].iter().for_each(|code| history.push(code));
        let lines = |request: Value| {
            let answer = history.answer(&request);
            answer["history"]
                .as_array()
                .unwrap()
                .iter()
                .map(|entry| entry[1].as_u64().unwrap())
                .collect::<Vec<_>>()
        };
        assert_eq!(lines(json!({ "hist_access_type": "tail", "n": 2 })), [2, 3]);
        assert_eq!(lines(json!({ "hist_access_type": "range", "start": 1, "stop": 2 })), [1]);
        assert_eq!(lines(json!({ "hist_access_type": "search", "pattern": "let*" })), [1, 3]);
        assert_eq!(lines(json!({ "hist_access_type": "search", "pattern": "?()" })), [2]);
    }
}
