//! Executes every cell of every notebook of the course, on our kernel and on the stock one: named tests per notebook, such as
//! `00_welcome::evcxr`. `course::in_order` proves with `parcourse check` that no notebook is left out, and all the rest that can be seen
//! without executing. (The learner's edition: `learners.rs`.)
//!
//! One notebook runs at a time unless `--test-threads` says otherwise: cells measure speed-ups, and a neighbour would spoil them.

#[path = "support/course_notebooks.rs"]
mod course_notebooks;

use course_notebooks::{on_disk, parcourse};
use libtest_mimic::{Arguments, Trial};
use std::process::ExitCode;

const KERNELS: [&str; 2] = ["parcourse", "evcxr"];

fn main() -> ExitCode {
    let mut arguments = Arguments::from_args();
    arguments.test_threads.get_or_insert(1);
    let mut trials = vec![Trial::test("course::in_order", || parcourse(&["check", "notebooks"]))];
    for file in on_disk() {
        let name = file.trim_end_matches(".ipynb");
        let path = format!("notebooks/{file}");
        for kernel in KERNELS {
            let path = path.clone();
            trials.push(Trial::test(format!("{name}::{kernel}"), move || parcourse(&["run", "--kernel", kernel, &path])));
        }
    }
    libtest_mimic::run(&arguments, trials).exit_code()
}
