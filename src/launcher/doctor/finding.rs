//! What one check found, how bad that is, and how to mend it.

use serde::Serialize;

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    Ok,
    /// It could not be found out.
    Unknown,
    /// The course works, but something is missing, slow or misleading.
    Warning,
    /// Something of the course does not work.
    Problem,
}

impl Verdict {
    /// As it stands in the table.
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
    /// What was looked at.
    pub name: &'static str,
    pub verdict: Verdict,
    /// What is the case.
    pub found: String,
    /// What to do about it.
    pub mend: Option<String>,
}

impl Finding {
    pub fn ok(name: &'static str, found: impl Into<String>) -> Self {
        Self { name, verdict: Verdict::Ok, found: found.into(), mend: None }
    }

    pub fn unknown(name: &'static str, found: impl Into<String>) -> Self {
        Self { name, verdict: Verdict::Unknown, found: found.into(), mend: None }
    }

    pub fn warning(name: &'static str, found: impl Into<String>, mend: impl Into<String>) -> Self {
        Self { name, verdict: Verdict::Warning, found: found.into(), mend: Some(mend.into()) }
    }

    pub fn problem(name: &'static str, found: impl Into<String>, mend: impl Into<String>) -> Self {
        Self { name, verdict: Verdict::Problem, found: found.into(), mend: Some(mend.into()) }
    }
}
