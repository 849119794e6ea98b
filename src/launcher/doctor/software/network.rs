//! Checks that package indexes are reachable, through cargo and pip, because they know the mirrors
//! and proxies.

use crate::launcher::doctor::caches;
use crate::launcher::doctor::finding::Finding;
use crate::launcher::doctor::setup::Setup;
use crate::launcher::doctor::timeout;
use anyhow::{Context, Result};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

const TIMEOUT: Duration = Duration::from_secs(15);

/// The registry of crates.
pub fn crates(setup: &Setup) -> Finding {
    let Ok(toolchain) = &setup.toolchain else {
        return Finding::unknown("crates", "not checked, because there is no cargo");
    };
    let Ok(builds) = &setup.builds else {
        return Finding::unknown("crates", "not checked, because there is no folder to compile in");
    };
    let asked = ask_cargo(toolchain.cargo(), builds);
    let needed = !caches::is_ready(setup);
    judge(
        "crates",
        asked,
        needed,
        "only a `:dep` of a crate that has not been downloaded yet needs it",
        "[source] or [http] in ~/.cargo/config.toml",
    )
}

/// Resolves one dependency, which takes one or two requests of a few kilobytes.
fn ask_cargo(cargo: PathBuf, builds: &Path) -> Result<()> {
    let folder = tempfile::Builder::new()
        .prefix("doctor-")
        .tempdir_in(builds)
        .context("failed to create a temporary folder")?;
    std::fs::create_dir(folder.path().join("src"))?;
    std::fs::write(folder.path().join("src/lib.rs"), "")?;
    let manifest = "[package]\nname = \"asks\"\nversion = \"0.0.0\"\nedition \
        = \"2021\"\n[dependencies]\ncfg-if = \"1\"\n[workspace]\n";
    std::fs::write(folder.path().join("Cargo.toml"), manifest)?;
    let mut command = Command::new(cargo);
    command.current_dir(folder.path()).args(["generate-lockfile", "--quiet"]);
    command.env("CARGO_NET_RETRY", "0").env("CARGO_HTTP_TIMEOUT", "10");
    timeout::run(&mut command, TIMEOUT)
}

/// The index of Python packages.
pub fn packages(setup: &Setup) -> Finding {
    let Ok((python, environment)) = &setup.python else {
        return Finding::unknown("PyPI", "not checked, because there is no Python");
    };
    let ready = environment.is_complete();
    // The environment's pip is newer and certainly installed.
    let asked = ask_pip(if ready { environment.python() } else { python.program.clone() });
    judge(
        "PyPI",
        asked,
        !ready,
        "the course no longer needs it",
        "index-url and proxy in pip's configuration (`pip config list`)",
    )
}

/// Downloads one package of 11 kB.
fn ask_pip(python: PathBuf) -> Result<()> {
    let folder = tempfile::tempdir().context("failed to create a temporary folder")?;
    let mut command = Command::new(python);
    command.args([
        "-I",
        "-m",
        "pip",
        "download",
        "--quiet",
        "--no-deps",
        "--no-cache-dir",
        "--disable-pip-version-check",
    ]);
    command.args(["--retries", "0", "--timeout", "10", "--dest"]).arg(folder.path()).arg("six");
    timeout::run(&mut command, TIMEOUT)
}

/// A missing network is a problem only before the set-up.
fn judge(
    name: &'static str,
    asked: Result<()>,
    needed: bool,
    otherwise: &str,
    configuration: &str,
) -> Finding {
    match asked {
        Ok(()) => Finding::ok(name, "reachable"),
        Err(error) if needed => Finding::problem(
            name,
            format!("not reachable, and the course is not set up yet: {error:#}"),
            format!(
                "run `parcourse lab --setup-only` on a machine with network access and the same \
                home folder, or configure a mirror: {configuration}"
            ),
        ),
        Err(error) => Finding::warning(
            name,
            format!("not reachable: {error:#}"),
            format!("everything is set up: {otherwise}"),
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::launcher::doctor::finding::Verdict;

    #[test]
    fn no_network_is_bad_only_before_the_set_up() {
        let verdict = |asked: Result<()>, needed| {
            judge("crates", asked, needed, "nothing needs it", "somewhere").verdict
        };
        assert_eq!(verdict(Ok(()), true), Verdict::Ok);
        assert_eq!(verdict(Err(anyhow::anyhow!("no answer")), true), Verdict::Problem);
        assert_eq!(verdict(Err(anyhow::anyhow!("no answer")), false), Verdict::Warning);
    }
}
