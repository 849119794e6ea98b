//! Python software in private environments: finding a Python ([`python`]), creating an environment
//! with pinned packages ([`environment`]), and running programs in it ([`log`]).

mod environment;
mod log;
pub mod python;

pub use environment::{Environment, Recipe};
pub use log::Log;

/// The pins of a requirements file: `name==version` and the condition after it.
#[cfg(test)]
pub use environment::pinned;

#[cfg(test)]
mod tests {
    use super::pinned;

    /// pip rejects the whole file if a digest is missing or a version is not exact, but only on the
    /// learner's machine.
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
