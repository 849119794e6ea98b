//! Python software in private environments: finding a Python ([`python`]), making an environment of
//! it that holds exactly what a list of pinned requirements names ([`environment`]), and running
//! programs in it ([`log`]).

mod environment;
mod log;
pub mod python;

pub use environment::{Environment, Recipe};
pub use log::Log;

/// `name==version` and the condition after it, for every pin of a requirements file.
#[cfg(test)]
pub use environment::pinned;

#[cfg(test)]
mod tests {
    use super::pinned;

    /// pip refuses the whole file when a digest is missing or a version is not exact, but only at
    /// the learner's.
    #[test]
    fn every_requirement_is_pinned_with_a_digest() {
        let lab = include_str!("../../launcher/lab/requirements.txt");
        let book = include_str!("../../authoring/book/requirements.txt");
        let bench = include_str!("../../bench/parallel/requirements.txt");
        for requirements in [lab, book, bench] {
            assert!(pinned(requirements).count() > 20);
            for entry in requirements
                .replace("\\\n", " ")
                .lines()
                .filter(|line| !line.starts_with('#') && !line.is_empty())
            {
                assert!(entry.contains("==") && entry.contains("--hash=sha256:"), "{entry}");
            }
        }
    }
}
