//! Executes the learner's edition of every notebook: every exercise fails as given, and all that does not depend on one passes. One named
//! test per notebook, such as `00_welcome`.
//!
//! Two run at a time unless `--test-threads` says otherwise. That would spoil what the lessons measure (see `notebooks.rs`), but an exercise
//! that is not solved fails before anything is measured.

#[path = "support/course_notebooks.rs"]
mod course_notebooks;

use course_notebooks::{on_disk, parcourse};
use libtest_mimic::{Arguments, Trial};
use std::process::ExitCode;

fn main() -> ExitCode {
    let mut arguments = Arguments::from_args();
    arguments.test_threads.get_or_insert(2);
    let trial = |file: String| {
        let name = file.trim_end_matches(".ipynb").to_string();
        Trial::test(name, move || parcourse(&["check", "notebooks", "--execute=learner", "--only", &file]))
    };
    libtest_mimic::run(&arguments, on_disk().into_iter().map(trial).collect()).exit_code()
}
