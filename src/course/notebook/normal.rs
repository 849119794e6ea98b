//! The normal form of a notebook file, in which notebooks are committed and editions are written.
//!
//! It equals the output of Jupyter's `nbformat.write` byte for byte: one space of indentation,
//! sorted keys, text as lists of lines, unescaped non-ASCII letters, a newline at the end. So
//! opening and saving a notebook in JupyterLab changes nothing, and a diff shows only what an
//! author changed. Everything that depends on an execution is removed: counts, times, and all
//! outputs except those that are compared (tag `check-output`).

use super::Cell;
use super::cell::joined;
use crate::course::notebook::tags::CHECK_OUTPUT;
use serde::Serialize;
use serde_json::ser::{PrettyFormatter, Serializer};
use serde_json::{Map, Value, json};

/// Removes everything that depends on an execution.
pub(super) fn clear(cell: &mut Cell) {
    cell.execution_count = None;
    cell.metadata.remove("execution");
    if let Some(Value::Object(ours)) = cell.metadata.get_mut("parcourse") {
        ours.remove("run");
    }
    if !cell.has_tag(CHECK_OUTPUT) {
        cell.outputs.clear();
    }
    for output in &mut cell.outputs {
        if let Some(count) = output.get_mut("execution_count") {
            *count = Value::Null;
        }
    }
}

/// Formats a notebook's JSON as the text of a file.
pub(super) fn text(mut notebook: Value) -> String {
    for cell in notebook.get_mut("cells").and_then(Value::as_array_mut).into_iter().flatten() {
        split(cell.get_mut("source"));
        for output in cell.get_mut("outputs").and_then(Value::as_array_mut).into_iter().flatten() {
            split(output.get_mut("text"));
            for (kind, data) in
                output.get_mut("data").and_then(Value::as_object_mut).into_iter().flatten()
            {
                // JSON in an output stays JSON, even if it happens to be one string.
                if kind != "application/json" && !kind.ends_with("+json") {
                    split(Some(data));
                }
            }
        }
    }
    let mut text = Vec::new();
    let mut serializer = Serializer::with_formatter(&mut text, PrettyFormatter::with_indent(b" "));
    sorted(notebook).serialize(&mut serializer).expect("a value can be written to memory");
    text.push(b'\n');
    String::from_utf8(text).expect("JSON is text")
}

/// Turns text into a list of lines. Other values stay as they are.
fn split(text: Option<&mut Value>) {
    let Some(value) = text else { return };
    if let Some(text) = joined(value) {
        *value = json!(lines(&text));
    }
}

/// Splits text into lines, line ends included, where Python's `str.splitlines` does, because
/// Jupyter uses it.
fn lines(text: &str) -> Vec<&str> {
    let mut lines = Vec::new();
    let mut rest = text;
    while let Some((at, end)) = rest.char_indices().find(|(_, letter)| is_end(*letter)) {
        let length = if rest[at..].starts_with("\r\n") { 2 } else { end.len_utf8() };
        let (line, after) = rest.split_at(at + length);
        lines.push(line);
        rest = after;
    }
    lines.extend(Some(rest).filter(|rest| !rest.is_empty()));
    lines
}

fn is_end(letter: char) -> bool {
    matches!(
        letter,
        '\n' | '\r' | '\x0b' | '\x0c' | '\x1c'..='\x1e' | '\u{85}' | '\u{2028}' | '\u{2029}'
    )
}

/// Sorts the keys of all objects, at every depth.
fn sorted(value: Value) -> Value {
    match value {
        Value::Object(fields) => {
            let mut fields: Vec<(String, Value)> = fields.into_iter().collect();
            fields.sort_by(|(a, _), (b, _)| a.cmp(b));
            Value::Object(
                fields.into_iter().map(|(key, value)| (key, sorted(value))).collect::<Map<_, _>>(),
            )
        }
        Value::Array(items) => Value::Array(items.into_iter().map(sorted).collect()),
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::super::Document;
    use super::*;

    #[test]
    fn writes_as_jupyter_does() {
        let text = r#"{"nbformat":4,"nbformat_minor":5,"metadata":{"b":[],"a":{}},"cells":[
            {"cell_type":"code","id":"x","metadata":{"execution":{"t":1},"tags":["check-output"]},"source":"π;\n\"b\"","execution_count":3,
             "outputs":[{"output_type":"stream","name":"stdout","text":"1\n2"}]}]}"#;
        let mut document = Document::parse(text).unwrap();
        document.clear();
        let expected = "{\n \"cells\": [\n  \
            {\n   \"cell_type\": \"code\",\n   \"execution_count\": \
            null,\n   \"id\": \"x\",\n   \"metadata\": {\n    \
                        \"tags\": [\n     \"check-output\"\n    ]\n   },\n   \"outputs\": [\n    \
                        {\n     \"name\": \"stdout\",\n     \
                        \"output_type\": \"stream\",\n     \"text\": \
                        [\n      \"1\\n\",\n      \"2\"\n     ]\n    }\n   ],\n   \"source\": \
                        [\n    \
                        \"π;\\n\",\n    \"\\\"b\\\"\"\n   ]\n  }\n ],\n \"metadata\": {\n  \"a\": \
                        {},\n  \"b\": []\n },\n \"nbformat\": 4,\n \
                        \"nbformat_minor\": 5\n}\n";
        assert_eq!(document.to_text(), expected);
        let mut again = Document::parse(expected).unwrap();
        again.clear();
        assert_eq!(again.to_text(), expected, "the normal form is its own normal form");
    }

    #[test]
    fn cuts_lines_as_python_does() {
        assert_eq!(lines("a\r\nb\rc\u{2028}d\n\n"), ["a\r\n", "b\r", "c\u{2028}", "d\n", "\n"]);
        assert!(lines("").is_empty());
    }
}
