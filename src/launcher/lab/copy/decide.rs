//! Decides what to do with one file of the copy, without doing it.

use super::version::Version;

/// What to do with one file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// Keep it: nothing is new, or only the learner changed it.
    Leave,
    /// It equals the course's version: only record it.
    Record,
    /// It does not exist: write it.
    Write,
    /// Only the course changed it: replace it.
    Replace,
    /// Both changed it: back up the learner's version and replace it.
    BackUp,
    /// The learner deleted it: do not write it again.
    RespectDeletion,
}

/// Decides from the version copied last (`None` if unknown), the learner's current version and the
/// course's version.
pub fn step(
    baseline: Option<&Version>,
    current: Option<&Version>,
    offered: &Version,
    restore: bool,
) -> Step {
    let Some(current) = current else {
        return if baseline.is_some() && !restore { Step::RespectDeletion } else { Step::Write };
    };
    if baseline == Some(offered) {
        return Step::Leave;
    }
    if current.content == offered.content {
        // Without a baseline we cannot know whether the course's metadata is newer, and the
        // learner's outputs are worth more.
        let learner_has_newest = baseline.is_none() || current.whole == offered.whole;
        return if learner_has_newest { Step::Record } else { Step::Replace };
    }
    match baseline {
        Some(baseline) if baseline.content == current.content => Step::Replace,
        // New tags or metadata alone do not justify a backup.
        Some(baseline) if baseline.content == offered.content => Step::Leave,
        _ => Step::BackUp,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn version(content: &str, rest: &str) -> Version {
        Version { content: content.into(), whole: format!("{content}{rest}") }
    }

    #[test]
    fn every_case() {
        let (old, new, mine) = (version("old", ""), version("new", ""), version("mine", ""));
        let (old_run, new_run, old_tagged) =
            (version("old", " run"), version("new", " run"), version("old", " tagged"));
        let cases = [
            ("nothing there yet", None, None, &new, Step::Write),
            ("deleted", Some(&old), None, &old, Step::RespectDeletion),
            ("deleted, and the course changed", Some(&old), None, &new, Step::RespectDeletion),
            ("nobody changed anything", Some(&old), Some(&old), &old, Step::Leave),
            ("run, unchanged", Some(&old), Some(&old_run), &old, Step::Leave),
            ("the learner changed it", Some(&old), Some(&mine), &old, Step::Leave),
            ("the course changed it", Some(&old), Some(&old), &new, Step::Replace),
            ("run, and the course changed it", Some(&old), Some(&old_run), &new, Step::Replace),
            ("both changed it", Some(&old), Some(&mine), &new, Step::BackUp),
            ("both changed it in the same way", Some(&old), Some(&new_run), &new, Step::Replace),
            ("broken off before it was written down", Some(&old), Some(&new), &new, Step::Record),
            ("new tags only", Some(&old), Some(&old_run), &old_tagged, Step::Replace),
            (
                "new tags, and the learner changed it",
                Some(&old),
                Some(&mine),
                &old_tagged,
                Step::Leave,
            ),
            ("unknown, as the course has it", None, Some(&new_run), &new, Step::Record),
            ("unknown, different", None, Some(&mine), &new, Step::BackUp),
        ];
        for (case, baseline, current, offered, expected) in cases {
            assert_eq!(step(baseline, current, offered, false), expected, "{case}");
            let restored = if expected == Step::RespectDeletion { Step::Write } else { expected };
            assert_eq!(step(baseline, current, offered, true), restored, "{case}, restoring");
        }
    }
}
