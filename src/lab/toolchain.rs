//! The Rust toolchain: the kernel compiles cells with it and completes names from its library sources.
//!
//! The engine fetches missing sources itself, when the first kernel starts: on a compute node, which has no network, too late. So it is
//! done here.

use crate::steps::Steps;
use anyhow::{Context, Result, bail};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Makes sure that rustc, cargo and the component `rust-src` are there, as seen from the folder the notebooks run in (a
/// `rust-toolchain.toml` above it decides which toolchain that is).
pub fn ensure(directory: &Path, steps: &mut Steps) -> Result<()> {
    steps.begin("Rust toolchain");
    let version = output(directory, "rustc", &["--version"])?;
    output(directory, "cargo", &["--version"])?;
    let sysroot = PathBuf::from(output(directory, "rustc", &["--print", "sysroot"])?);
    if !has_sources(&sysroot) {
        steps.inside("fetching the library sources (rust-src)");
        add_sources(directory, &sysroot)?;
    }
    steps.done(&format!("{version}, with its library sources"));
    Ok(())
}

fn has_sources(sysroot: &Path) -> bool {
    sysroot.join("lib/rustlib/src/rust/library/std/src/lib.rs").is_file()
}

fn add_sources(directory: &Path, sysroot: &Path) -> Result<()> {
    // rustup names a toolchain's folder after the toolchain.
    let toolchain = sysroot.file_name().unwrap_or_default();
    let added = Command::new("rustup")
        .current_dir(directory)
        .args(["component", "add", "rust-src", "--toolchain"])
        .arg(toolchain)
        .stdin(Stdio::null())
        .output();
    let reason = match added {
        Ok(added) if added.status.success() && has_sources(sysroot) => return Ok(()),
        Ok(added) => format!("`rustup component add rust-src` failed: {}", String::from_utf8_lossy(&added.stderr).trim()),
        Err(_) => "there is no rustup to fetch them".to_owned(),
    };
    bail!(
        "the library sources of the Rust toolchain in {} are missing, and {reason}\n  with rustup: rustup component add rust-src\n  \
         Debian, Ubuntu: apt install rust-src\n  Fedora: dnf install rust-src\n  conda: conda install -c conda-forge rust-src",
        sysroot.display()
    )
}

fn output(directory: &Path, program: &str, arguments: &[&str]) -> Result<String> {
    let output = Command::new(program).current_dir(directory).args(arguments).stdin(Stdio::null()).output().with_context(|| {
        format!("failed to run `{program}`: the kernel compiles cells with it; install Rust (https://rustup.rs) or put it on PATH")
    })?;
    if !output.status.success() {
        bail!("`{program} {}` failed: {}", arguments.join(" "), String::from_utf8_lossy(&output.stderr).trim());
    }
    Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}
