//! Executes the course: every cell of every notebook on our kernel and on the stock one, and the
//! learner's edition, in which every exercise fails as given and all the rest passes. Named tests,
//! such as `00_welcome::evcxr` and `00_welcome::learner`; what runs one kernel is one command,
//! which keeps two notebooks running and starts the kernel of the next one meanwhile.
//! `course::in_order` proves with `parcourse check` that no notebook is left out, and all the rest
//! that can be seen without executing.
//!
//! If there is not enough memory for two, or with `--test-threads 1`, one notebook runs at a time.

use libtest_mimic::{Arguments, Failed, Trial};
use std::collections::BTreeSet;
use std::path::Path;
use std::process::{Command, ExitCode, Stdio};
use std::sync::{Arc, OnceLock};
use sysinfo::{MemoryRefreshKind, System};

/// A way to execute notebooks: the second part of a test's name.
#[derive(Clone, Copy)]
enum Edition {
    Parcourse,
    Evcxr,
    Learner,
}

impl Edition {
    const ALL: [(&str, Edition); 3] = [
        ("parcourse", Edition::Parcourse),
        ("evcxr", Edition::Evcxr),
        ("learner", Edition::Learner),
    ];

    /// The command that executes these notebooks.
    fn command(self, files: &[String], jobs: usize) -> Command {
        let mut command = parcourse();
        match self {
            Edition::Parcourse | Edition::Evcxr => {
                let kernel = if matches!(self, Edition::Evcxr) { "evcxr" } else { "parcourse" };
                command
                    .args(["run", "--kernel", kernel])
                    .args(files.iter().map(|file| self.called(file)));
            }
            Edition::Learner => {
                command.args(["check", "notebooks", "--execute=learner"]);
                command.args(files.iter().flat_map(|file| ["--only", file]));
            }
        }
        command.args(["--jobs", &jobs.to_string()]);
        command
    }

    /// What the command calls a notebook.
    fn called(self, file: &str) -> String {
        match self {
            Edition::Parcourse | Edition::Evcxr => format!("notebooks/{file}"),
            Edition::Learner => format!("{file} (learner's edition)"),
        }
    }
}

/// The notebooks of one edition that the command line selects, executed when the first of their
/// tests runs.
struct Run {
    edition: Edition,
    files: Vec<String>,
    jobs: usize,
    /// What the command said.
    said: OnceLock<Result<String, String>>,
}

impl Run {
    /// What came of one notebook: it passes if the command says so and reports nothing about it.
    fn judge(&self, file: &str) -> Result<(), Failed> {
        let said = self.said.get_or_init(|| {
            output(&mut self.edition.command(&self.files, self.jobs)).map(|(_, said)| said)
        });
        let said = said.as_ref().map_err(Failed::from)?;
        let name = self.edition.called(file);
        let passed = said.lines().find(|line| line.starts_with(&format!("passed  {name}  ")));
        let reports: Vec<&str> =
            said.split("\n=== ").skip(1).filter(|report| report.starts_with(&name)).collect();
        match passed {
            Some(line) if reports.is_empty() => {
                println!("{line}");
                Ok(())
            }
            _ if reports.is_empty() => {
                Err(format!("{name} was not executed to its end:\n{said}").into())
            }
            _ => Err(format!("=== {}", reports.join("\n=== ")).into()),
        }
    }
}

fn parcourse() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_parcourse"));
    command.current_dir(env!("CARGO_MANIFEST_DIR")).stdin(Stdio::null());
    command
}

/// Whether a command succeeded, and all that it said.
fn output(command: &mut Command) -> Result<(bool, String), String> {
    let output =
        command.output().map_err(|error| format!("failed to start {command:?}: {error}"))?;
    let said = format!(
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    Ok((output.status.success(), said))
}

fn in_order() -> Result<(), Failed> {
    let (success, said) = output(parcourse().args(["check", "notebooks"]))?;
    if success { Ok(()) } else { Err(said.into()) }
}

/// The names of all notebooks, listed in the manifest or not.
fn on_disk() -> BTreeSet<String> {
    let entries = std::fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("notebooks"))
        .into_iter()
        .flatten()
        .flatten();
    entries
        .filter_map(|entry| entry.file_name().into_string().ok())
        .filter(|name| name.ends_with(".ipynb"))
        .collect()
}

/// Two at a time take up to three kernels and what two notebooks compute with.
fn jobs() -> usize {
    const ENOUGH: u64 = 5 << 30;
    let available = System::new().ok().map(|mut system| {
        system.refresh_memory_specifics(MemoryRefreshKind::nothing().with_ram());
        system.available_memory()
    });
    if available.is_some_and(|available| available >= ENOUGH) { 2 } else { 1 }
}

fn main() -> ExitCode {
    let mut arguments = Arguments::from_args();
    let jobs = arguments.test_threads.unwrap_or_else(jobs);
    // A run does the work of all tests of an edition.
    arguments.test_threads = Some(1);
    let matches = |name: &str, filter: &String| {
        if arguments.exact { name == filter } else { name.contains(filter.as_str()) }
    };
    let selected = |name: &str| {
        arguments.filter.as_ref().is_none_or(|filter| matches(name, filter))
            && !arguments.skip.iter().any(|filter| matches(name, filter))
    };
    let mut trials = vec![Trial::test("course::in_order", in_order)];
    for (edition_name, edition) in Edition::ALL {
        let test_name =
            |file: &String| format!("{}::{edition_name}", file.trim_end_matches(".ipynb"));
        let files: Vec<String> =
            on_disk().into_iter().filter(|file| selected(&test_name(file))).collect();
        let run = Arc::new(Run { edition, files, jobs, said: OnceLock::new() });
        for file in run.files.clone() {
            let run = Arc::clone(&run);
            trials.push(Trial::test(test_name(&file), move || run.judge(&file)));
        }
    }
    libtest_mimic::run(&arguments, trials).exit_code()
}
