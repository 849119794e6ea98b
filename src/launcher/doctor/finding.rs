//! The result of a check, its verdict and fix; formatting the findings as a table and as JSON.

use anyhow::Result;
use serde::Serialize;
use serde_json::json;
use std::fmt::Write;

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    Ok,
    /// The check could not be carried out.
    Unknown,
    /// The course works, but something is missing, slow or misleading.
    Warning,
    /// Some part of the course does not work.
    Problem,
}

impl Verdict {
    /// The word shown in the table.
    pub fn word(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Unknown => "unknown",
            Self::Warning => "warning",
            Self::Problem => "PROBLEM",
        }
    }
}

/// The result of one check.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Finding {
    /// The name of the check.
    pub name: &'static str,
    pub verdict: Verdict,
    /// What the check found.
    pub found: String,
    /// How to fix it.
    pub fix: Option<String>,
}

impl Finding {
    pub fn ok(name: &'static str, found: impl Into<String>) -> Self {
        Self { name, verdict: Verdict::Ok, found: found.into(), fix: None }
    }

    pub fn unknown(name: &'static str, found: impl Into<String>) -> Self {
        Self { name, verdict: Verdict::Unknown, found: found.into(), fix: None }
    }

    pub fn warning(name: &'static str, found: impl Into<String>, fix: impl Into<String>) -> Self {
        Self { name, verdict: Verdict::Warning, found: found.into(), fix: Some(fix.into()) }
    }

    pub fn problem(name: &'static str, found: impl Into<String>, fix: impl Into<String>) -> Self {
        Self { name, verdict: Verdict::Problem, found: found.into(), fix: Some(fix.into()) }
    }
}

/// One line per finding, its fix below it, and a summary at the end.
pub fn table(findings: &[Finding]) -> String {
    let width = findings.iter().map(|finding| finding.name.chars().count()).max().unwrap_or(0);
    let mut text = String::new();
    for Finding { name, verdict, found, fix } in findings {
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
        for (index, line) in fix.iter().flat_map(|fix| fix.lines()).enumerate() {
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
        (0, 0) => "No problems found.".to_owned(),
        (0, warnings) => format!("No problems, {}: the course works.", plural(warnings, "warning")),
        (problems, warnings) => {
            format!(
                "{}, {}: fix the problems first.",
                plural(problems, "problem"),
                plural(warnings, "warning")
            )
        }
    }
}

/// `{"version", "problems", "warnings", "checks": [{"name", "verdict", "found", "fix"}]}`.
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
                        PROBLEM  linker       it fails:\n                      no \
                        cc\n                      -> install one\n                         \
                        Debian: apt install gcc\n\
                        warning  file system  NFS\n                      -> set PARCOURSE_CACHE\n\
                        1 problem, 1 warning: fix the problems first.";
        assert_eq!(table(&findings()), expected);
        assert!(table(&findings()[..1]).ends_with("\nNo problems found."));
        assert!(table(&findings()[2..]).ends_with("\nNo problems, 1 warning: the course works."));
    }

    #[test]
    fn programs_get_all_of_it() {
        let value: serde_json::Value = serde_json::from_str(&json(&findings()).unwrap()).unwrap();
        assert_eq!((&value["problems"], &value["checks"][0]["verdict"]), (&1.into(), &"ok".into()));
        assert_eq!(value["checks"][2]["fix"], "set PARCOURSE_CACHE");
        assert!(value["checks"][0]["fix"].is_null());
    }
}
