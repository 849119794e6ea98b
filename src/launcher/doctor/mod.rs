//! `parcourse doctor`: checks the machine for common problems and suggests fixes.
//!
//! Each group of checks is a file here; every check returns a verdict and a fix ([`finding`]). The
//! doctor changes nothing and sets nothing up: if something is missing, a warning names the command
//! that creates it. Slow checks (linking a program, contacting package indexes) run in parallel.

mod caches;
mod finding;
mod machine;
mod setup;
mod software;
mod timeout;

use crate::base::paths::HelpersArgument;
use anyhow::Result;
use finding::{Finding, Verdict};
use setup::Setup;
use std::ffi::OsString;
use std::process::ExitCode;

/// What to check, and how to print the results.
#[derive(clap::Args)]
pub struct DoctorArguments {
    /// Print JSON instead of a table
    #[arg(long)]
    json: bool,
    /// Skip the checks that contact package indexes
    #[arg(long)]
    offline: bool,
    /// Warn if there is less free disk space than this, in GiB
    #[arg(long, value_name = "GIB", default_value_t = 2.0)]
    disk: f64,
    /// Python to use for the private environment
    #[arg(long, value_name = "PROGRAM", env = "PARCOURSE_PYTHON", hide_env_values = true)]
    python: Option<OsString>,
    #[command(flatten)]
    helpers: HelpersArgument,
}

/// Runs all checks. Exit code 1 if there is a problem; warnings do not count.
pub fn main(arguments: DoctorArguments) -> Result<ExitCode> {
    let setup = Setup::look(
        arguments.helpers.helpers.as_deref(),
        arguments.python.as_deref(),
        arguments.disk,
    )?;
    let findings = examine(&setup, arguments.offline);
    let text = if arguments.json { finding::json(&findings)? } else { finding::table(&findings) };
    println!("{text}");
    Ok(ExitCode::from(u8::from(findings.iter().any(|finding| finding.verdict == Verdict::Problem))))
}

fn examine(setup: &Setup, offline: bool) -> Vec<Finding> {
    std::thread::scope(|scope| {
        let linker = scope.spawn(|| software::linker::check(setup));
        let crates = scope.spawn(|| (!offline).then(|| software::network::crates(setup)));
        let packages = scope.spawn(|| (!offline).then(|| software::network::packages(setup)));
        let jupyter = scope.spawn(|| software::python::checks(setup));
        let kernels = scope.spawn(software::kernels::check);
        let mut findings = software::rust::checks(setup);
        // A thread that panicked has printed why; its findings are missing.
        findings.extend(linker.join().ok());
        findings.extend(jupyter.join().unwrap_or_default());
        findings.push(caches::helper_crate(setup));
        findings.extend(crates.join().ok().flatten());
        findings.extend(packages.join().ok().flatten());
        findings.extend(machine::disk::checks(setup));
        findings.extend(machine::filesystem::checks(setup));
        findings.push(caches::builds(setup));
        findings.push(machine::sockets::check(setup));
        findings.extend(machine::cores::checks());
        findings.extend(machine::memory::checks());
        findings.extend(machine::limits::checks());
        findings.extend(kernels.join().ok());
        findings.push(caches::leftovers(setup));
        findings
    })
}
