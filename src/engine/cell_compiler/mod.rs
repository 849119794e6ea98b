//! A wrapper around rustc with which our kernel compiles cells.
//!
//! It makes cells compile faster in two ways. It does not change the cell, its lines, or the flags
//! that decide how fast it runs.
//!
//! - It replaces the code that the engine writes into every cell by calls to a library that was
//!   compiled once ([`source`], `library.rs`).
//! - It skips cargo if nothing but the cell has changed since the last one ([`direct`]).
//!
//! Cargo starts this binary in place of rustc because the kernel sets `RUSTC_WORKSPACE_WRAPPER` for
//! its builds, which applies to the cell's crate and not to its dependencies. The engine starts
//! this binary in place of cargo because of `crate::engine::cargo_proxy`.

mod direct;
mod source;

pub use source::DISPLAY;

use crate::engine::user_process::support;
use anyhow::{Context, Result};
use std::ffi::OsString;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::sync::OnceLock;

/// Environment variable with the path of the library; set only for cargo.
const VARIABLE: &str = "PARCOURSE_CELL_LIBRARY";
const SOURCE: &str = include_str!("library.rs");
const LIBRARY: &str = "parcourse_cell";

static SETUP: OnceLock<Vec<String>> = OnceLock::new();

/// Compiles the library unless it is in the cache, and makes [`setup_commands`] return commands.
///
/// # Errors
/// If the compiler fails or the cache is not writable. The engine then compiles cells in its usual
/// way.
pub fn prepare(rustc: &Path) -> Result<()> {
    let library = support::compile(
        rustc,
        LIBRARY,
        SOURCE,
        "rlib",
        &["--crate-type", "rlib", "-Copt-level=3"],
    )?;
    let program = std::env::current_exe().context("failed to find the running program")?;
    let mut settings = vec![("RUSTC_WORKSPACE_WRAPPER", program), (VARIABLE, library)];
    if let Some(directory) = std::env::var_os("EVCXR_TMPDIR") {
        settings.push((direct::RECORD, PathBuf::from(directory).with_file_name("compile.json")));
    }
    SETUP.get_or_init(|| {
        settings
            .iter()
            .map(|(name, path)| format!(":build_env {name}={}", path.display()))
            .collect()
    });
    Ok(())
}

/// The commands that make the engine's cargo use this wrapper.
pub fn setup_commands() -> &'static [String] {
    SETUP.get().map(Vec::as_slice).unwrap_or_default()
}

/// Runs the compiler if this process was started as a wrapper by cargo (`parcourse RUSTC
/// ARGUMENT…`) or in place of cargo.
pub fn hook() -> Option<ExitCode> {
    let library = std::env::var_os(VARIABLE)?;
    let mut arguments = std::env::args_os();
    let program = arguments.next()?;
    let arguments: Vec<OsString> = arguments.collect();
    if Path::new(&program).ends_with("cargo") {
        return direct::compile(&arguments, &library);
    }
    let (rustc, arguments) = arguments.split_first()?;
    if is_cell(arguments) {
        direct::record(rustc, arguments);
        return Some(compile(&mut Command::new(rustc), arguments.to_vec(), &library));
    }
    Some(start(Command::new(rustc).args(arguments)))
}

/// Compiles the cell in `src/lib.rs`.
fn compile(rustc: &mut Command, mut arguments: Vec<OsString>, library: &OsString) -> ExitCode {
    let file = Path::new("src/lib.rs");
    let has_helpers =
        arguments.iter().any(|argument| argument.as_encoded_bytes().starts_with(b"parcourse="));
    let text = std::fs::read_to_string(file).unwrap_or_default();
    let cell = source::with_library(&text);
    let waits = has_helpers.then(|| source::with_helpers_runtime(&cell)).flatten();
    let cell = waits.unwrap_or(cell);
    if cell != text && std::fs::write(file, cell).is_ok() {
        let mut argument = OsString::from(format!("{LIBRARY}="));
        argument.push(library);
        arguments.extend(["--extern".into(), argument]);
    }
    start(rustc.args(arguments))
}

/// Replaces this process by the compiler.
fn start(rustc: &mut Command) -> ExitCode {
    let error =
        rustc.env_remove(VARIABLE).env_remove(direct::RECORD).env_remove(direct::STATE).exec();
    eprintln!("error: failed to start {}: {error}", Path::new(rustc.get_program()).display());
    ExitCode::from(101)
}

/// Whether the compiler is called for the crate that the engine generates from a cell.
fn is_cell(arguments: &[OsString]) -> bool {
    let named = arguments.windows(2).any(|pair| pair[0] == "--crate-name" && pair[1] == "ctx");
    named && arguments.iter().any(|argument| argument == "src/lib.rs")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn arguments(text: &str) -> Vec<OsString> {
        text.split_whitespace().map(OsString::from).collect()
    }

    #[test]
    fn cells_and_dependencies_are_distinguished() {
        assert!(is_cell(&arguments(
            "--crate-name ctx --edition=2024 src/lib.rs --crate-type cdylib"
        )));
        assert!(!is_cell(&arguments(
            "--crate-name rayon --edition=2021 /registry/rayon/src/lib.rs"
        )));
        assert!(!is_cell(&arguments("-vV")));
    }
}
