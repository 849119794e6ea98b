//! Executes every cell of every notebook of the course, on our kernel and on the stock one, and its learner's edition on ours: named tests per
//! notebook, such as `00_welcome::evcxr` and `00_welcome::learner`. `course::in_order` proves with `parcourse check` that no notebook is left
//! out, and all the rest that can be seen without executing.
//!
//! One notebook runs at a time unless `--test-threads` says otherwise: cells measure speed-ups, and a neighbour would spoil them.

use libtest_mimic::{Arguments, Failed, Trial};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};

const KERNELS: [&str; 2] = ["parcourse", "evcxr"];

fn main() -> ExitCode {
    let mut arguments = Arguments::from_args();
    arguments.test_threads.get_or_insert(1);
    let notebooks = on_disk();
    let mut trials = vec![Trial::test("course::in_order", || parcourse(&["check", "notebooks"]))];
    for file in notebooks {
        let name = file.trim_end_matches(".ipynb");
        let path = format!("notebooks/{file}");
        for kernel in KERNELS {
            let path = path.clone();
            trials.push(Trial::test(format!("{name}::{kernel}"), move || parcourse(&["run", "--kernel", kernel, &path])));
        }
        // Every exercise fails as given, and all that does not depend on one passes.
        trials.push(Trial::test(format!("{name}::learner"), move || {
            parcourse(&["check", "notebooks", "--execute=learner", "--only", &file])
        }));
    }
    libtest_mimic::run(&arguments, trials).exit_code()
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("notebooks")
}

fn on_disk() -> BTreeSet<String> {
    let entries = std::fs::read_dir(folder()).into_iter().flatten().flatten();
    entries.filter_map(|entry| entry.file_name().into_string().ok()).filter(|name| name.ends_with(".ipynb")).collect()
}

fn parcourse(arguments: &[&str]) -> Result<(), Failed> {
    let mut command = Command::new(env!("CARGO_BIN_EXE_parcourse"));
    let output = command.current_dir(env!("CARGO_MANIFEST_DIR")).args(arguments).stdin(Stdio::null()).output()?;
    if output.status.success() {
        return Ok(());
    }
    Err(format!("{}\n{}{}", output.status, String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr)).into())
}
