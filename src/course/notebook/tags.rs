//! Cell tags: those that change a cell's verdict, and all others that the course's notebooks may
//! use.
//!
//! Unknown tags are rejected before anything runs: otherwise a misspelt `raises-exeption` would
//! silently disable a check.

/// Tags the runner acts on.
pub const RAISES_EXCEPTION: &str = "raises-exception";
pub const SKIP_EXECUTION: &str = "skip-execution";
pub const ALLOW_STDERR: &str = "allow-stderr";
pub const CHECK_OUTPUT: &str = "check-output";
pub const PARAMETERS: &str = "parameters";
pub const INJECTED_PARAMETERS: &str = "injected-parameters";

/// Tags that editions depend on.
pub const EXERCISE: &str = "exercise";
pub const SOLUTION: &str = "solution";
pub const CHECK: &str = "check";
pub const NEEDS_SOLUTION: &str = "needs-solution";
pub const INSTRUCTOR: &str = "instructor";
pub const NOTES: &str = "notes";
pub const GOALS: &str = "goals";
pub const KEY_POINTS: &str = "key-points";
pub const GOING_FURTHER: &str = "going-further";
pub const SLIDE: &str = "slide";
pub const SUBSLIDE: &str = "subslide";
pub const FRAGMENT: &str = "fragment";
pub const SKIP_SLIDE: &str = "skip-slide";

/// All known tags and their meanings.
pub const KNOWN: &[(&str, &str)] = &[
    // The runner.
    (RAISES_EXCEPTION, "the cell must fail; with `check` or `needs-solution` it may fail"),
    (SKIP_EXECUTION, "the cell is not executed"),
    (ALLOW_STDERR, "output on stderr is allowed"),
    (CHECK_OUTPUT, "the outputs must equal the stored ones"),
    (PARAMETERS, "defaults that `-p name value` overrides"),
    (INJECTED_PARAMETERS, "written by `-p name value`"),
    // Editions of the course.
    (EXERCISE, "a task for the learner"),
    (SOLUTION, "removed from the learner's edition"),
    (CHECK, "shows the learner whether an exercise is solved"),
    (NEEDS_SOLUTION, "may fail until the exercise is solved"),
    ("hint", "help with an exercise"),
    (INSTRUCTOR, "only in the instructor's edition"),
    (GOING_FURTHER, "for fast learners"),
    (GOALS, "what the notebook teaches"),
    (KEY_POINTS, "what to take home"),
    // Presentation: Jupyter Book, nbconvert, slides.
    ("hide-input", "folded source"),
    ("hide-output", "folded output"),
    ("hide-cell", "folded cell"),
    ("remove-input", "no source in the rendered page"),
    ("remove-output", "no output in the rendered page"),
    ("remove-stdout", "no stdout in the rendered page"),
    ("remove-stderr", "no stderr in the rendered page"),
    ("remove-cell", "not in the rendered page"),
    ("full-width", "wide in the rendered page"),
    ("margin", "in the margin of the rendered page"),
    ("scroll-output", "long output scrolls"),
    (SLIDE, "starts a slide"),
    (SUBSLIDE, "starts a slide below"),
    (FRAGMENT, "appears within a slide"),
    (SKIP_SLIDE, "not among the slides"),
    (NOTES, "speaker's notes"),
    // nbgrader's kinds of cells, when written as tags.
    ("nbgrader", "part of a graded assignment"),
    ("grade", "graded"),
    ("locked", "not for editing"),
];

/// The tags of one cell that change its verdict.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tags {
    /// The cell must fail.
    pub raises_exception: bool,
    /// The cell may fail: it belongs to an exercise, in an edition where learners solve it.
    pub of_exercise: bool,
    /// The cell checks whether an exercise is solved.
    pub check: bool,
    pub skip_execution: bool,
    pub allow_stderr: bool,
    pub check_output: bool,
}

impl Tags {
    /// Parses a cell's tags. The error names the first unknown tag and suggests a fix.
    pub fn parse(tags: &[String]) -> Result<Tags, String> {
        if let Some(unknown) = tags.iter().find(|tag| !KNOWN.iter().any(|(known, _)| known == tag))
        {
            return Err(match nearest(unknown) {
                Some(known) => format!("unknown tag `{unknown}`: did you mean `{known}`?"),
                None => {
                    let names: Vec<&str> = KNOWN.iter().map(|(name, _)| *name).collect();
                    format!("unknown tag `{unknown}`: known tags are {}", names.join(", "))
                }
            });
        }
        let has = |name: &str| tags.iter().any(|tag| tag == name);
        let of_exercise = has(RAISES_EXCEPTION) && (has(CHECK) || has(NEEDS_SOLUTION));
        Ok(Tags {
            raises_exception: has(RAISES_EXCEPTION) && !of_exercise,
            of_exercise,
            check: has(CHECK),
            skip_execution: has(SKIP_EXECUTION),
            allow_stderr: has(ALLOW_STDERR),
            check_output: has(CHECK_OUTPUT),
        })
    }
}

/// The closest known tag, if it is at most two typos away.
fn nearest(unknown: &str) -> Option<&'static str> {
    let close = unknown.replace('_', "-").to_lowercase();
    KNOWN
        .iter()
        .map(|(name, _)| (*name, distance(name, &close)))
        .filter(|(_, slips)| *slips <= 2)
        .min_by_key(|(_, slips)| *slips)
        .map(|(name, _)| name)
}

/// Levenshtein distance, computed row by row.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.chars().enumerate() {
        let mut diagonal = std::mem::replace(&mut row[0], i + 1);
        for (j, y) in b.iter().enumerate() {
            let substituted = diagonal + usize::from(x != *y);
            diagonal = row[j + 1];
            row[j + 1] = substituted.min(diagonal + 1).min(row[j] + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(tags: &[&str]) -> Result<Tags, String> {
        Tags::parse(&tags.iter().map(|tag| tag.to_string()).collect::<Vec<_>>())
    }

    #[test]
    fn reads_the_tags_that_matter_and_lets_the_others_be() {
        let tags = parse(&["exercise", "raises-exception", "allow-stderr"]).unwrap();
        assert_eq!(tags, Tags { raises_exception: true, allow_stderr: true, ..Tags::default() });
    }

    #[test]
    fn an_exercise_may_be_open_or_solved() {
        assert_eq!(
            parse(&["check", "raises-exception"]).unwrap(),
            Tags { of_exercise: true, check: true, ..Tags::default() }
        );
        assert_eq!(
            parse(&["needs-solution", "raises-exception"]).unwrap(),
            Tags { of_exercise: true, ..Tags::default() }
        );
        assert_eq!(
            parse(&["check"]).unwrap(),
            Tags { check: true, ..Tags::default() },
            "must pass"
        );
    }

    #[test]
    fn names_the_tag_that_was_meant() {
        assert_eq!(
            parse(&["raises-exeption"]).unwrap_err(),
            "unknown tag `raises-exeption`: did you mean `raises-exception`?"
        );
        assert_eq!(
            parse(&["hide_input"]).unwrap_err(),
            "unknown tag `hide_input`: did you mean `hide-input`?"
        );
        assert!(
            parse(&["quantum"])
                .unwrap_err()
                .contains("known tags are raises-exception, skip-execution")
        );
    }

    #[test]
    fn distance_counts_slips() {
        assert_eq!(distance("", "abc"), 3);
        assert_eq!(distance("kitten", "sitting"), 3);
        assert_eq!(distance("same", "same"), 0);
    }
}
