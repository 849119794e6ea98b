//! The minutes stated in notebooks: in headings, `## Exercise 1: mean length (10 minutes)`, and in
//! the first cell, `**45 minutes**: 15 to read and run, 30 for three exercises.`

use regex::Regex;
use std::sync::LazyLock;

/// The minutes stated in the first cell of a notebook.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct StatedMinutes {
    /// `**45 minutes**`.
    pub total: Option<u32>,
    /// `15 to read and run`.
    pub reading: Option<u32>,
    /// `30 for three exercises`: the minutes, and the number of exercises, as a word or in digits.
    pub exercises: Option<(u32, String)>,
}

/// Returns the minutes at the end of a heading.
pub fn of_heading(heading: &str) -> Option<u32> {
    static MINUTES: LazyLock<Regex> =
        LazyLock::new(|| Regex::new(r"\((\d+) minutes?\)\s*$").expect("a constant"));
    MINUTES.captures(heading)?[1].parse().ok()
}

/// Returns a heading without its minutes.
pub fn without(heading: &str) -> &str {
    match of_heading(heading) {
        Some(_) => heading.rsplit_once('(').map_or(heading, |(text, _)| text.trim_end()),
        None => heading,
    }
}

/// Parses the minutes stated in a first cell.
pub fn stated(text: &str) -> StatedMinutes {
    static TOTAL: LazyLock<Regex> =
        LazyLock::new(|| Regex::new(r"\*\*(\d+) minutes?\*\*").expect("a constant"));
    static READING: LazyLock<Regex> =
        LazyLock::new(|| Regex::new(r"\b(\d+) to read and run\b").expect("a constant"));
    static EXERCISES: LazyLock<Regex> =
        LazyLock::new(|| Regex::new(r"\b(\d+) for (\w+) exercises?\b").expect("a constant"));
    let number = |regex: &Regex| regex.captures(text).and_then(|found| found[1].parse().ok());
    let exercises = EXERCISES
        .captures(text)
        .and_then(|found| Some((found[1].parse().ok()?, found[2].to_string())));
    StatedMinutes { total: number(&TOTAL), reading: number(&READING), exercises }
}

/// Parses a small number, written out or in digits.
pub fn count(word: &str) -> Option<u32> {
    const WORDS: [&str; 11] =
        ["no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"];
    let word = word.to_lowercase();
    WORDS
        .iter()
        .position(|known| *known == word)
        .map(|number| number as u32)
        .or_else(|| word.parse().ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_headings() {
        assert_eq!(of_heading("Exercise 1: mean length (10 minutes)"), Some(10));
        assert_eq!(of_heading("Exercise 1 (10 minutes) and more"), None);
        assert_eq!(without("Exercise 1: f(x) (10 minutes)"), "Exercise 1: f(x)");
        assert_eq!(without("Plain (text)"), "Plain (text)");
    }

    #[test]
    fn reads_stated_minutes() {
        let minutes =
            stated("# T\n\n**45 minutes**: 15 to read and run, 30 for three exercises.\n");
        assert_eq!(
            minutes,
            StatedMinutes {
                total: Some(45),
                reading: Some(15),
                exercises: Some((30, "three".to_string()))
            }
        );
        assert_eq!(stated("45 minutes"), StatedMinutes::default());
        assert_eq!((count("three"), count("4"), count("many")), (Some(3), Some(4), None));
    }
}
