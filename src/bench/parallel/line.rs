//! The output of cells and programs: one line of JSON per result.

use anyhow::{Context, Result};
use serde::Deserialize;

/// One result.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Line {
    pub row: String,
    pub of: String,
    pub seconds: f64,
    /// The computed value, if it can be compared.
    pub value: Option<f64>,
    /// The increase of the process's memory.
    pub peak_bytes: Option<f64>,
}

/// Parses everything that a cell or program printed. Anything but results is an error.
pub fn read(text: &str) -> Result<Vec<Line>> {
    text.lines()
        .filter(|line| !line.trim().is_empty())
        .map(|line| {
            serde_json::from_str(line)
                .with_context(|| format!("printed {line:?} instead of a result"))
        })
        .collect()
}

/// Describes how a result differs from ours, if the difference exceeds the tolerance.
pub fn disagreement(ours: &Line, other: &Line, tolerance: f64) -> Option<String> {
    let (expected, found) = (ours.value?, other.value?);
    let agrees = (found - expected).abs() <= tolerance * expected.abs();
    (!agrees).then(|| format!("wrong result: {found} instead of {expected}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(value: Option<f64>) -> Line {
        Line { row: "map".into(), of: "ours".into(), seconds: 0.5, value, peak_bytes: None }
    }

    #[test]
    fn lines_of_all_languages() {
        let texts = [
            r#"{"row": "map", "of": "ours", "seconds": 0.5, "value": 2.0, "peak_bytes": null}"#,
            r#"{"row": "map", "of": "ours", "seconds": 5e-1, "value": 2}"#,
        ];
        for text in texts {
            assert_eq!(read(&format!("{text}\n")).unwrap(), [line(Some(2.0))]);
        }
        assert!(read("Segmentation fault").unwrap_err().to_string().contains("Segmentation fault"));
    }

    #[test]
    fn results_are_compared_where_both_have_one() {
        let says = |found, tolerance| disagreement(&line(Some(100.0)), &line(found), tolerance);
        assert_eq!(
            (says(Some(100.0), 0.0), says(Some(100.9), 0.01), says(None, 0.0)),
            (None, None, None)
        );
        assert!(says(Some(101.1), 0.01).unwrap().contains("101.1"));
        assert!(says(Some(f64::NAN), 0.01).is_some());
    }
}
