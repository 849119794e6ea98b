//! Checks that a program can be linked and started, by doing so in the folder where kernels do.

use crate::launcher::doctor::finding::Finding;
use crate::launcher::doctor::setup::Setup;
use crate::launcher::doctor::timeout;
use anyhow::{Context, Result};
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

const TIMEOUT: Duration = Duration::from_secs(60);

pub fn check(setup: &Setup) -> Finding {
    let Ok(toolchain) = &setup.toolchain else {
        return Finding::unknown("linker", "not checked, because there is no compiler");
    };
    let folder = match &setup.builds {
        Ok(folder) => folder,
        Err(error) => {
            return Finding::unknown("linker", format!("cannot test the linker: {error:#}"));
        }
    };
    let begun = Instant::now();
    match link_and_start(&toolchain.rustc, toolchain.library_path(), folder) {
        Ok(()) => Finding::ok(
            "linker",
            format!(
                "a program was compiled, linked and started in {:.1} s",
                begun.elapsed().as_secs_f64()
            ),
        ),
        Err(error) => Finding::problem(
            "linker",
            format!("{error:#}"),
            "Debian, Ubuntu: apt install gcc libc6-dev\nFedora: dnf install gcc\nconda: conda \
            install -c conda-forge compilers\nmacOS: xcode-select --install",
        ),
    }
}

fn link_and_start(
    rustc: &Path,
    library_path: Option<(&str, std::ffi::OsString)>,
    parent: &Path,
) -> Result<()> {
    let folder = tempfile::Builder::new()
        .prefix("doctor-")
        .tempdir_in(parent)
        .context("failed to write to the folder where cells are compiled")?;
    std::fs::write(folder.path().join("hello.rs"), "fn main() { println!(\"hello\"); }\n")
        .context("failed to write a program")?;
    let mut compile = Command::new(rustc);
    compile.current_dir(folder.path()).args([
        "-C",
        "prefer-dynamic",
        "--edition",
        "2024",
        "hello.rs",
    ]);
    timeout::run(&mut compile, TIMEOUT).context("failed to link a small program")?;
    let mut start = Command::new(folder.path().join("hello"));
    start.envs(library_path);
    timeout::run(&mut start, TIMEOUT).context("a small program was linked, but failed to start")
}
