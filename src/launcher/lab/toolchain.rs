//! The Rust toolchain, with which the kernel compiles cells, and whose library sources it needs for
//! completion.
//!
//! The engine would fetch missing sources when the first kernel starts. On a compute node without
//! network that is too late, so it happens here.

use crate::base::steps::Steps;
use crate::engine::build_cache::Toolchain;
use anyhow::{Context, Result, bail};
use std::path::Path;
use std::process::{Command, Stdio};

/// How to install the component `rust-src`.
pub const ADD_SOURCES: &str = "with rustup: rustup component add rust-src\n  Debian, Ubuntu: apt \
    install rust-src\n  Fedora: dnf install rust-src\n  \
     conda: conda install -c conda-forge rust-src";

/// Ensures that rustc, cargo and the component `rust-src` are installed, as seen from the helper
/// crate's folder (a `rust-toolchain.toml` above it selects the toolchain, for the kernels as
/// well). With `offline` nothing is downloaded.
pub fn ensure(helpers: &Path, offline: bool, steps: &mut Steps) -> Result<()> {
    steps.begin("Rust toolchain");
    let memory = crate::base::paths::cache()?;
    let mut toolchain = Toolchain::find(helpers, &memory)?;
    if !toolchain.sysroot().is_some_and(|root| root.join("lib/rustlib").is_dir()) {
        // This is rustup's proxy for a toolchain that is not installed yet: using it installs the
        // toolchain.
        steps.inside("installing the toolchain with rustup");
        run(helpers, "rustc", &["--version"])?;
        toolchain = Toolchain::find(helpers, &memory)?;
    }
    if !toolchain.cargo().is_file() {
        run(helpers, "cargo", &["--version"])?;
    }
    if !toolchain.has_library_sources() {
        if offline {
            bail!(
                "the library sources of the Rust toolchain are missing, and --offline forbids \
                downloading them: with network access,\n  \
                 {ADD_SOURCES}"
            );
        }
        steps.inside("fetching the library sources (rust-src)");
        add_sources(helpers, &toolchain)?;
    }
    steps.done(&format!(
        "{}, with its library sources",
        toolchain.version.lines().next().unwrap_or("rustc")
    ));
    Ok(())
}

fn add_sources(directory: &Path, toolchain: &Toolchain) -> Result<()> {
    let sysroot = toolchain.sysroot().context("the compiler does not belong to a toolchain")?;
    // rustup names a toolchain's folder after the toolchain.
    let name = sysroot.file_name().unwrap_or_default();
    let added = Command::new("rustup")
        .current_dir(directory)
        .args(["component", "add", "rust-src", "--toolchain"])
        .arg(name)
        .stdin(Stdio::null())
        .output();
    let reason = match added {
        Ok(added) if added.status.success() && toolchain.has_library_sources() => return Ok(()),
        Ok(added) => format!(
            "`rustup component add rust-src` failed: {}",
            String::from_utf8_lossy(&added.stderr).trim()
        ),
        Err(_) => "there is no rustup to fetch them".to_owned(),
    };
    bail!(
        "the library sources of the Rust toolchain in {} are missing, and {reason}\n  \
        {ADD_SOURCES}",
        sysroot.display()
    )
}

/// Runs a program for its effect, or for its absence to be noticed.
fn run(directory: &Path, program: &str, arguments: &[&str]) -> Result<()> {
    let output = Command::new(program)
        .current_dir(directory)
        .args(arguments)
        .stdin(Stdio::null())
        .output()
        .with_context(|| {
            format!(
                "failed to run `{program}`: the kernel compiles cells with it; install Rust \
            (https://rustup.rs) or put it on PATH"
            )
        })?;
    if !output.status.success() {
        bail!(
            "`{program} {}` failed: {}",
            arguments.join(" "),
            String::from_utf8_lossy(&output.stderr).trim()
        );
    }
    Ok(())
}
