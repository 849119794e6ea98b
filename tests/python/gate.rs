//! Tests that cannot run everywhere are listed as ignored, with the reason printed; where
//! everything must run, they fail instead.

use super::output;
use libtest_mimic::{Arguments, Failed, Trial};
use std::process::{Command, ExitCode};
use std::sync::{Arc, LazyLock, OnceLock};

/// A test: its name and what it does.
pub type Test<T> = (&'static str, fn(&T) -> Result<(), String>);

/// Why tests cannot run here.
type Reason = String;

/// Tests that share one set-up.
pub struct Suite {
    /// With the name of the suite before each.
    names: Vec<String>,
    available: fn() -> Result<(), Reason>,
    trials: Box<dyn FnOnce() -> Vec<Trial>>,
}

impl Suite {
    /// The tests of a module on what `set_up` provides: made when the first of them runs, dropped
    /// after the last.
    pub fn new<T: Sync + Send + 'static>(
        module: &str,
        tests: &'static [Test<T>],
        available: fn() -> Result<(), Reason>,
        set_up: fn() -> T,
    ) -> Suite {
        let names: Vec<String> =
            tests.iter().map(|(name, _)| format!("{module}::{name}")).collect();
        let named = names.clone();
        let trials = move || {
            let shared = Arc::new(OnceLock::new());
            let trial = |(name, &(_, test)): (String, &Test<T>)| {
                let shared = Arc::clone(&shared);
                Trial::test(name, move || test(shared.get_or_init(set_up)).map_err(Failed::from))
            };
            named.into_iter().zip(tests).map(trial).collect()
        };
        Suite { names, available, trials: Box::new(trials) }
    }
}

/// Runs the tests that the command line selects. Nothing is set up for the others.
pub fn run(suites: Vec<Suite>) -> ExitCode {
    let arguments = Arguments::from_args();
    let selected =
        |name: &String| arguments.filter.as_deref().is_none_or(|filter| name.contains(filter));
    let trials = suites.into_iter().map(|suite| {
        if arguments.list || !suite.names.iter().any(selected) {
            return suite.names.into_iter().map(|name| Trial::test(name, || Ok(()))).collect();
        }
        match (suite.available)() {
            Ok(()) => (suite.trials)(),
            Err(reason) if everything_must_run() => {
                let trial = |name| {
                    let reason = reason.clone();
                    Trial::test(name, move || Err(reason.into()))
                };
                suite.names.into_iter().map(trial).collect()
            }
            Err(reason) => {
                eprintln!(
                    "{} tests ignored, unless PARCOURSE_REQUIRE_ALL=1: {reason}",
                    suite.names.len()
                );
                suite
                    .names
                    .into_iter()
                    .map(|name| Trial::test(name, || Ok(())).with_ignored_flag(true))
                    .collect()
            }
        }
    });
    libtest_mimic::run(&arguments, in_turn(trials.collect())).exit_code()
}

/// The first test of every suite, then the second ones: while one suite is set up, on which its
/// other tests would wait, others are busy.
fn in_turn(suites: Vec<Vec<Trial>>) -> Vec<Trial> {
    let mut suites: Vec<_> = suites.into_iter().map(Vec::into_iter).collect();
    let mut trials = Vec::new();
    loop {
        let before = trials.len();
        trials.extend(suites.iter_mut().filter_map(Iterator::next));
        if trials.len() == before {
            return trials;
        }
    }
}

fn everything_must_run() -> bool {
    std::env::var_os("PARCOURSE_REQUIRE_ALL").is_some_and(|value| value == "1")
}

/// Whether this machine has a Python that can make environments and fill them from PyPI or a mirror
/// of it, seen without our own code.
pub fn python_and_packages() -> Result<(), Reason> {
    static FOUND: LazyLock<Result<(), Reason>> = LazyLock::new(look_for_python);
    FOUND.clone()
}

fn look_for_python() -> Result<(), Reason> {
    let folder = tempfile::tempdir().map_err(|error| error.to_string())?;
    let python = std::env::var_os("PARCOURSE_PYTHON").unwrap_or_else(|| "python3".into());
    let environment = folder.path().join("environment");
    output(Command::new(python).args(["-I", "-m", "venv"]).arg(&environment))
        .map_err(|error| format!("no Python with venv: {error}"))?;
    let mut pip = Command::new(environment.join("bin/python"));
    pip.args([
        "-I",
        "-m",
        "pip",
        "download",
        "--quiet",
        "--no-cache-dir",
        "--no-deps",
        "--retries",
        "1",
        "--dest",
    ]);
    output(pip.arg(folder.path()).arg("six==1.17.0"))
        .map_err(|error| format!("no package index: {error}"))?;
    Ok(())
}
