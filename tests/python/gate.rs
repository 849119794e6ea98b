//! Tests that cannot run everywhere are listed as ignored, with the reason printed; where everything must run, they fail instead.

use super::output;
use libtest_mimic::{Arguments, Failed, Trial};
use std::process::{Command, ExitCode};
use std::sync::Arc;

/// A test: its name and what it does.
pub type Test<T> = (&'static str, fn(&T) -> Result<(), String>);

/// Runs the tests on what `set_up` provides. `set_up` is skipped when the command line selects none of them.
pub fn run<T: Sync + Send + 'static>(tests: &[Test<T>], available: fn() -> Result<(), String>, set_up: fn() -> T) -> ExitCode {
    let arguments = Arguments::from_args();
    let selected = |name: &str| arguments.filter.as_deref().is_none_or(|filter| name.contains(filter));
    if arguments.list || !tests.iter().any(|(name, _)| selected(name)) {
        let nothing_to_do = tests.iter().map(|(name, _)| Trial::test(*name, || Ok(()))).collect();
        return libtest_mimic::run(&arguments, nothing_to_do).exit_code();
    }
    let trials = match available() {
        Ok(()) => {
            // Dropped with the last test, so that temporary folders go.
            let shared = Arc::new(set_up());
            let trial = |&(name, test): &Test<T>| {
                let shared = Arc::clone(&shared);
                Trial::test(name, move || test(&shared).map_err(Failed::from))
            };
            tests.iter().map(trial).collect()
        }
        Err(reason) if everything_must_run() => tests
            .iter()
            .map(|(name, _)| (*name, reason.clone()))
            .map(|(name, reason)| Trial::test(name, move || Err(reason.into())))
            .collect(),
        Err(reason) => {
            eprintln!("ignored, unless PARCOURSE_REQUIRE_ALL=1: {reason}");
            tests.iter().map(|(name, _)| Trial::test(*name, || Ok(())).with_ignored_flag(true)).collect()
        }
    };
    libtest_mimic::run(&arguments, trials).exit_code()
}

fn everything_must_run() -> bool {
    std::env::var_os("PARCOURSE_REQUIRE_ALL").is_some_and(|value| value == "1")
}

/// Whether this machine has a Python that can make environments and fill them from PyPI or a mirror of it, seen without our own code.
pub fn python_and_packages() -> Result<(), String> {
    let folder = tempfile::tempdir().map_err(|error| error.to_string())?;
    let python = std::env::var_os("PARCOURSE_PYTHON").unwrap_or_else(|| "python3".into());
    let environment = folder.path().join("environment");
    output(Command::new(python).args(["-I", "-m", "venv"]).arg(&environment)).map_err(|error| format!("no Python with venv: {error}"))?;
    let mut pip = Command::new(environment.join("bin/python"));
    pip.args(["-I", "-m", "pip", "download", "--quiet", "--no-cache-dir", "--no-deps", "--retries", "1", "--dest"]);
    output(pip.arg(folder.path()).arg("six==1.17.0")).map_err(|error| format!("no package index: {error}"))?;
    Ok(())
}
