//! What the tests that need Python and PyPI share: whether they can run here, the private
//! environment that `parcourse lab` makes, others beside it with what a test brings, servers, a
//! browser, and processes.

#![allow(dead_code, reason = "every test binary uses its own part")]

pub mod browser;
pub mod clients;
pub mod environment;
pub mod gate;
// Two programs use it, with different parts of `support`.
#[allow(clippy::duplicate_mod)]
#[path = "../support/private_tmp.rs"]
pub mod private_tmp;
pub mod processes;
pub mod server;

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// The binary under test.
pub const PARCOURSE: &str = env!("CARGO_BIN_EXE_parcourse");

/// Root of the repository.
pub fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// A command's output as text, stdout and stderr; an error that quotes them when it fails.
pub fn output(command: &mut Command) -> Result<(String, String), String> {
    let shown = format!("{command:?}");
    let output = command
        .stdin(Stdio::null())
        .output()
        .map_err(|error| format!("failed to start {shown}: {error}"))?;
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let (stdout, stderr) = (text(&output.stdout), text(&output.stderr));
    if output.status.success() {
        Ok((stdout, stderr))
    } else {
        Err(format!("{shown}: {}\n{stdout}{stderr}", output.status))
    }
}

/// The Python of the environment that `parcourse lab` uses, made when missing, in the cache that
/// this user's kernels have anyway.
pub fn lab_python() -> Result<PathBuf, String> {
    let (stdout, _) = output(Command::new(PARCOURSE).current_dir(root()).args([
        "lab",
        "--setup-only",
        "--source",
    ]))?;
    Ok(PathBuf::from(stdout.trim_end()))
}
