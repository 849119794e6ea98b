//! The findings as a table for people and as JSON for programs.

use super::finding::{Finding, Verdict};
use anyhow::Result;
use serde_json::json;
use std::fmt::Write;

/// One line per finding, what to do about it below, a summary at the end.
pub fn table(findings: &[Finding]) -> String {
    let width = findings.iter().map(|finding| finding.name.chars().count()).max().unwrap_or(0);
    let mut text = String::new();
    for Finding { name, verdict, found, mend } in findings {
        let mut lines = found.lines();
        let _ = writeln!(
            text,
            "{:<7}  {name:width$}  {}",
            verdict.word(),
            lines.next().unwrap_or_default()
        );
        let indent = 7 + 2 + width + 2;
        for line in lines {
            let _ = writeln!(text, "{:indent$}{line}", "");
        }
        for (index, line) in mend.iter().flat_map(|mend| mend.lines()).enumerate() {
            let arrow = if index == 0 { "-> " } else { "   " };
            let _ = writeln!(text, "{:indent$}{arrow}{}", "", line.trim());
        }
    }
    text + &summary(findings)
}

fn summary(findings: &[Finding]) -> String {
    let count =
        |wanted: Verdict| findings.iter().filter(|finding| finding.verdict == wanted).count();
    let plural = |number: usize, word: &str| {
        format!("{number} {word}{}", if number == 1 { "" } else { "s" })
    };
    match (count(Verdict::Problem), count(Verdict::Warning)) {
        (0, 0) => "Nothing stands in the way.".to_owned(),
        (0, warnings) => format!("No problem, {}: the course works.", plural(warnings, "warning")),
        (problems, warnings) => {
            format!(
                "{}, {}: mend the problems first.",
                plural(problems, "problem"),
                plural(warnings, "warning")
            )
        }
    }
}

/// `{"version", "problems", "warnings", "checks": [{"name", "verdict", "found", "mend"}]}`.
pub fn json(findings: &[Finding]) -> Result<String> {
    let count =
        |wanted: Verdict| findings.iter().filter(|finding| finding.verdict == wanted).count();
    let value = json!({
        "version": env!("CARGO_PKG_VERSION"),
        "problems": count(Verdict::Problem),
        "warnings": count(Verdict::Warning),
        "checks": findings,
    });
    Ok(serde_json::to_string_pretty(&value)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn findings() -> Vec<Finding> {
        vec![
            Finding::ok("rustc", "1.95.0"),
            Finding::problem(
                "linker",
                "it fails:\nno cc",
                "install one\n  Debian: apt install gcc",
            ),
            Finding::warning("file system", "NFS", "set PARCOURSE_CACHE"),
        ]
    }

    #[test]
    fn columns_are_aligned_and_advice_stands_below() {
        let expected = "ok       rustc        1.95.0\n\
                        PROBLEM  linker       it fails:\n                      no cc\n                      -> install one\n                         Debian: apt install gcc\n\
                        warning  file system  NFS\n                      -> set PARCOURSE_CACHE\n\
                        1 problem, 1 warning: mend the problems first.";
        assert_eq!(table(&findings()), expected);
        assert!(table(&findings()[..1]).ends_with("\nNothing stands in the way."));
        assert!(table(&findings()[2..]).ends_with("\nNo problem, 1 warning: the course works."));
    }

    #[test]
    fn programs_get_all_of_it() {
        let value: serde_json::Value = serde_json::from_str(&json(&findings()).unwrap()).unwrap();
        assert_eq!((&value["problems"], &value["checks"][0]["verdict"]), (&1.into(), &"ok".into()));
        assert_eq!(value["checks"][2]["mend"], "set PARCOURSE_CACHE");
        assert!(value["checks"][0]["mend"].is_null());
    }
}
