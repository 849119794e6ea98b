//! The course's manifest, `course.toml`: its notebooks, their order, and what the runner needs to
//! know about them.
//!
//! ```toml
//! title = "The course"            # optional
//! tolerance = 1e-6                # relative, for numbers in cells tagged `check-output`, optional
//!
//! [[notebook]]
//! file = "00_welcome.ipynb"
//! title = "Welcome"
//! minutes = 45
//! goals = ["run a cell", "read an error"]
//! exercises = 3
//! timeout = 60                    # seconds per cell, optional
//!
//! [[sanitizer]]                   # applied to stored and new outputs before they are compared
//! regex = '\d+ ms'
//! replace = "TIME"
//! ```
//!
//! A manifest describes the notebooks in its own folder. Unknown keys are errors, so that a
//! misspelt `timeout` does not go unnoticed.

use anyhow::{Context, Result, ensure};
use regex::Regex;
use serde::Deserialize;
use std::path::Path;
use std::time::Duration;

/// Name of the manifest, in the same folder as the notebooks it lists.
pub const FILE_NAME: &str = "course.toml";

/// A parsed manifest.
#[derive(Debug, Default)]
pub struct Course {
    pub title: Option<String>,
    pub notebooks: Vec<Entry>,
    pub sanitizers: Vec<Sanitizer>,
    /// Relative tolerance for numbers in compared outputs, if the manifest sets one.
    pub tolerance: Option<f64>,
}

/// One notebook of the course.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    /// File name, in the manifest's folder.
    pub file: String,
    pub title: String,
    /// Planned time for a learner.
    pub minutes: Option<u32>,
    /// "Afterwards you can …".
    #[serde(default)]
    pub goals: Vec<String>,
    /// Number of exercises.
    pub exercises: Option<u32>,
    /// Time limit per cell, in seconds.
    timeout: Option<f64>,
}

impl Entry {
    pub fn timeout(&self) -> Option<Duration> {
        self.timeout.map(Duration::from_secs_f64)
    }
}

/// Replaces the parts of outputs that vary from run to run.
#[derive(Debug, Clone)]
pub struct Sanitizer {
    pub regex: Regex,
    pub replace: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    title: Option<String>,
    #[serde(default, rename = "notebook")]
    notebooks: Vec<Entry>,
    #[serde(default, rename = "sanitizer")]
    sanitizers: Vec<WrittenSanitizer>,
    tolerance: Option<f64>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenSanitizer {
    regex: String,
    replace: String,
}

impl Course {
    /// Reads the manifest in `folder`; `None` if there is none.
    pub fn beside(folder: &Path) -> Result<Option<Course>> {
        let path = folder.join(FILE_NAME);
        let text = match std::fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(error) => {
                return Err(error).with_context(|| format!("failed to read {}", path.display()));
            }
        };
        Course::parse(&text)
            .with_context(|| format!("{} is not a valid manifest", path.display()))
            .map(Some)
    }

    pub fn parse(text: &str) -> Result<Course> {
        let written: Written = toml::from_str(text)?;
        for entry in &written.notebooks {
            let seconds = entry.timeout.unwrap_or(1.0);
            ensure!(
                seconds.is_finite() && seconds > 0.0,
                "{}: timeout = {seconds} is not a positive number of seconds",
                entry.file
            );
            let listed = written.notebooks.iter().filter(|other| other.file == entry.file).count();
            ensure!(listed == 1, "{} is listed {listed} times", entry.file);
        }
        if let Some(tolerance) = written.tolerance {
            ensure!(
                tolerance.is_finite() && tolerance >= 0.0,
                "tolerance = {tolerance} is not a number of at least 0"
            );
        }
        let compile = |sanitizer: WrittenSanitizer| {
            let regex = Regex::new(&sanitizer.regex)
                .with_context(|| format!("sanitizer `{}`", sanitizer.regex))?;
            Ok(Sanitizer { regex, replace: sanitizer.replace })
        };
        let sanitizers = written.sanitizers.into_iter().map(compile).collect::<Result<_>>()?;
        Ok(Course {
            title: written.title,
            notebooks: written.notebooks,
            sanitizers,
            tolerance: written.tolerance,
        })
    }

    /// Returns the entry for a notebook, by file name.
    pub fn entry(&self, file: &str) -> Option<&Entry> {
        self.notebooks.iter().find(|entry| entry.file == file)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_entries_and_sanitizers() {
        let course = Course::parse(
            "tolerance = 0.5\n[[notebook]]\nfile = 'a.ipynb'\ntitle = 'A'\nminutes = 5\ntimeout = \
            1.5\n\
             [[sanitizer]]\nregex = '\\d+ ms'\nreplace = 'TIME'\n",
        )
        .unwrap();
        assert_eq!(course.entry("a.ipynb").unwrap().timeout(), Some(Duration::from_millis(1500)));
        assert!(course.entry("b.ipynb").is_none());
        let sanitizer = &course.sanitizers[0];
        assert_eq!(sanitizer.regex.replace_all("took 12 ms", &sanitizer.replace), "took TIME");
        assert_eq!(course.tolerance, Some(0.5));
    }

    #[test]
    fn refuses_what_it_does_not_understand() {
        let message = |text: &str| format!("{:#}", Course::parse(text).unwrap_err());
        assert!(message("[[notebook]]\nfile='a'\ntitle='A'\ntimout=3").contains("timout"));
        assert!(message("[[notebook]]\nfile='a'\ntitle='A'\ntimeout=-3").contains("-3"));
        assert!(message("[[sanitizer]]\nregex='('\nreplace=''").contains("sanitizer `(`"));
        assert!(
            message("[[notebook]]\nfile='a'\ntitle='A'\n[[notebook]]\nfile='a'\ntitle='B'")
                .contains("2 times")
        );
    }
}
