//! Compares a cell's outputs with those stored in the notebook (tag `check-output`).
//!
//! Text must be equal line by line, after applying the sanitizers of `course.toml` and removing
//! colours and trailing spaces. Numbers may differ by a relative tolerance, integers must be equal.
//! Stdout is compared as a whole, rich outputs one by one. Errors and stderr are not compared: they
//! differ between kernels, and their presence is judged elsewhere. Images are ignored unless
//! requested.

pub mod text;

use crate::course::Sanitizer;
use crate::runner::KernelKind;
use nbformat::v4::Output;
use regex::Regex;
use serde_json::Value;
use std::collections::BTreeMap;
use std::sync::LazyLock;
use text::plain;

/// The default; `course.toml` can override it.
const TOLERANCE: f64 = 1e-6;

/// How outputs are compared.
#[derive(Debug, Clone)]
pub struct Rules {
    sanitizers: Vec<Sanitizer>,
    tolerance: f64,
    pub images: bool,
}

/// The first difference.
pub struct Difference {
    pub summary: String,
    pub detail: String,
}

/// One rich output: its representations by MIME type.
type Bundle = BTreeMap<String, String>;

impl Rules {
    pub fn new(sanitizers: Vec<Sanitizer>, tolerance: Option<f64>) -> Rules {
        Rules { sanitizers, tolerance: tolerance.unwrap_or(TOLERANCE), images: false }
    }

    /// Normalizes a text for comparison.
    fn clean(&self, text: &str) -> String {
        let mut text = plain(text);
        if !self.images {
            static PICTURES: LazyLock<Regex> = LazyLock::new(|| {
                Regex::new(r#"(?s)<svg\b.*?</svg>|data:image/[^"'\s)]*|<canvas\b.*?</canvas>"#)
                    .expect("a constant")
            });
            text = PICTURES.replace_all(&text, "[image]").into_owned();
        }
        for sanitizer in &self.sanitizers {
            text = sanitizer.regex.replace_all(&text, sanitizer.replace.as_str()).into_owned();
        }
        text.lines().map(str::trim_end).collect::<Vec<_>>().join("\n").trim_end().to_string()
    }

    fn bundles(&self, outputs: &[Output]) -> Vec<Bundle> {
        let data = outputs.iter().filter_map(|output| match output {
            Output::DisplayData(display) => serde_json::to_value(&display.data).ok(),
            Output::ExecuteResult(result) => serde_json::to_value(&result.data).ok(),
            Output::Stream { .. } | Output::Error(_) => None,
        });
        let bundles = data.map(|data| {
            let entries = data.as_object().into_iter().flatten();
            let compared = entries.filter(|(mime, _)| self.images || !mime.starts_with("image/"));
            compared
                .map(|(mime, value)| (mime.clone(), self.clean(&text_of(value))))
                .collect::<Bundle>()
        });
        bundles.filter(|bundle| !bundle.is_empty()).collect()
    }

    fn stdout(&self, outputs: &[Output]) -> String {
        let text = outputs.iter().filter_map(|output| match output {
            Output::Stream { name, text } if name == "stdout" => Some(text.0.as_str()),
            _ => None,
        });
        self.clean(&text.collect::<String>())
    }
}

fn text_of(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// Compares stored with new outputs.
pub fn compare(
    stored: &[Output],
    new: &[Output],
    rules: &Rules,
    kernel: KernelKind,
) -> Result<(), Difference> {
    compare_text("stdout", &rules.stdout(stored), &rules.stdout(new), rules.tolerance)?;
    let (mut stored, mut new) = (rules.bundles(stored), rules.bundles(new));
    if kernel == KernelKind::Evcxr {
        // The stock kernel shows only the last value of each MIME type per cell.
        (stored, new) = (last_of_each(stored), last_of_each(new));
    }
    if stored.len() != new.len() {
        let summary = format!("{} rich outputs instead of {}", new.len(), stored.len());
        return Err(Difference {
            detail: format!("stored:\n{}\nnew:\n{}", listing(&stored), listing(&new)),
            summary,
        });
    }
    for (number, (stored, new)) in stored.iter().zip(&new).enumerate() {
        for (mime, text) in stored {
            match new.get(mime) {
                Some(new) => compare_text(
                    &format!("output {} ({mime})", number + 1),
                    text,
                    new,
                    rules.tolerance,
                )?,
                None => {
                    let summary = format!("output {} no longer has {mime}", number + 1);
                    return Err(Difference {
                        detail: format!("stored:\n{}", indent(text)),
                        summary,
                    });
                }
            }
        }
    }
    Ok(())
}

fn last_of_each(bundles: Vec<Bundle>) -> Vec<Bundle> {
    let merged: Bundle = bundles.into_iter().flatten().collect();
    if merged.is_empty() { Vec::new() } else { vec![merged] }
}

fn listing(bundles: &[Bundle]) -> String {
    let texts = bundles
        .iter()
        .filter_map(|bundle| bundle.get("text/plain").or_else(|| bundle.values().next()));
    texts.map(|text| indent(text)).collect::<Vec<_>>().join("\n  --\n")
}

fn indent(text: &str) -> String {
    text.lines().map(|line| format!("  {line}")).collect::<Vec<_>>().join("\n")
}

fn compare_text(what: &str, stored: &str, new: &str, tolerance: f64) -> Result<(), Difference> {
    let (stored_lines, new_lines): (Vec<&str>, Vec<&str>) =
        (stored.lines().collect(), new.lines().collect());
    let lines = stored_lines.len().max(new_lines.len());
    let differs = |number: &usize| match (stored_lines.get(*number), new_lines.get(*number)) {
        (Some(stored), Some(new)) => !same(stored, new, tolerance),
        _ => true,
    };
    let Some(number) = (0..lines).find(differs) else { return Ok(()) };
    let line = |lines: &[&str]| {
        lines.get(number).map_or("(nothing)".to_string(), |line| format!("`{line}`"))
    };
    let summary = format!(
        "{what}, line {}: {} instead of {}",
        number + 1,
        line(&new_lines),
        line(&stored_lines)
    );
    Err(Difference {
        summary,
        detail: format!("stored:\n{}\nnew:\n{}", indent(stored), indent(new)),
    })
}

/// Whether two lines are equal, up to the tolerance for numbers.
fn same(stored: &str, new: &str, tolerance: f64) -> bool {
    static NUMBER: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?").expect("a constant")
    });
    if stored == new {
        return true;
    }
    let words =
        |text: &str| NUMBER.replace_all(text, "#").split_whitespace().collect::<Vec<_>>().join(" ");
    let (a, b): (Vec<_>, Vec<_>) =
        (NUMBER.find_iter(stored).collect(), NUMBER.find_iter(new).collect());
    words(stored) == words(new)
        && a.iter().zip(&b).all(|(a, b)| same_number(a.as_str(), b.as_str(), tolerance))
}

fn same_number(a: &str, b: &str, tolerance: f64) -> bool {
    let whole = |text: &str| !text.contains(['.', 'e', 'E']);
    if a == b {
        return true;
    }
    let (Ok(x), Ok(y)) = (a.parse::<f64>(), b.parse::<f64>()) else { return false };
    !(whole(a) && whole(b)) && (x - y).abs() <= tolerance * x.abs().max(y.abs())
}

#[cfg(test)]
mod tests {
    use super::*;
    use jupyter_protocol::media::{Media, MediaType};
    use nbformat::v4::{DisplayData, MultilineString};

    fn stdout(text: &str) -> Output {
        Output::Stream { name: "stdout".to_string(), text: MultilineString(text.to_string()) }
    }

    fn display(media: Vec<MediaType>) -> Output {
        Output::DisplayData(DisplayData { data: Media::new(media), metadata: Default::default() })
    }

    fn plain_display(text: &str) -> Output {
        display(vec![MediaType::Plain(text.to_string())])
    }

    fn rules() -> Rules {
        let sanitizer =
            Sanitizer { regex: Regex::new(r"\d+ ms").unwrap(), replace: "TIME".to_string() };
        Rules::new(vec![sanitizer], Some(1e-3))
    }

    fn summary(stored: &[Output], new: &[Output]) -> Option<String> {
        compare(stored, new, &rules(), KernelKind::Parcourse)
            .err()
            .map(|difference| difference.summary)
    }

    #[test]
    fn numbers_have_a_tolerance_and_whole_numbers_none() {
        assert_eq!(summary(&[stdout("pi = 3.1416\n")], &[stdout("pi = 3.1415\n")]), None);
        assert_eq!(summary(&[stdout("1.5e-9")], &[stdout("1.5003e-9")]), None);
        assert_eq!(
            summary(&[stdout("n 1000")], &[stdout("n 1001")]).unwrap(),
            "stdout, line 1: `n 1001` instead of `n 1000`"
        );
        assert!(summary(&[stdout("x 1.0")], &[stdout("x 1.1")]).is_some());
        assert!(summary(&[stdout("x 1.0")], &[stdout("y 1.0")]).is_some());
        assert!(summary(&[stdout("1.0 2.0")], &[stdout("1.0")]).is_some());
    }

    #[test]
    fn sanitizers_hide_what_varies() {
        assert_eq!(summary(&[stdout("took 12 ms")], &[stdout("took 907 ms")]), None);
    }

    #[test]
    fn text_in_pieces_is_one_text() {
        assert_eq!(summary(&[stdout("a\n"), stdout("b\n")], &[stdout("a\nb")]), None);
        assert_eq!(
            summary(&[stdout("a\nb\n")], &[stdout("a\n")]).unwrap(),
            "stdout, line 2: (nothing) instead of `b`"
        );
    }

    #[test]
    fn rich_outputs_one_by_one_and_images_only_when_asked() {
        assert_eq!(
            summary(&[plain_display("1"), plain_display("2")], &[plain_display("2")]).unwrap(),
            "1 rich outputs instead of 2"
        );
        let picture = |data: &str| {
            display(vec![
                MediaType::Png(data.to_string()),
                MediaType::Html(format!("<p>x<svg>{data}</svg>")),
            ])
        };
        assert_eq!(summary(&[picture("a")], &[picture("b")]), None);
        let strict = Rules { images: true, ..rules() };
        assert!(compare(&[picture("a")], &[picture("b")], &strict, KernelKind::Parcourse).is_err());
    }

    #[test]
    fn the_stock_kernel_shows_the_last_of_several() {
        let stored = [plain_display("1"), plain_display("2")];
        assert!(compare(&stored, &[plain_display("2")], &rules(), KernelKind::Evcxr).is_ok());
        assert!(compare(&stored, &[plain_display("1")], &rules(), KernelKind::Evcxr).is_err());
    }
}
