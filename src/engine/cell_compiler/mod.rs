//! What stands between the engine and rustc when our kernel compiles a cell.
//!
//! Two things are done here that make cells compile faster, and change nothing else: not the cell,
//! not its lines, not the flags that decide how fast it runs.
//!
//! - What the engine writes into every cell is replaced by calls of a library that was compiled
//!   once ([`source`], `library.rs`).
//! - Cargo is left out when nothing has changed since the last cell but the cell itself
//!   ([`direct`]).
//!
//! Cargo starts this binary in place of rustc because the kernel sets `RUSTC_WORKSPACE_WRAPPER` for
//! its builds, which concerns the crate of the cell and no dependency. The engine starts this
//! binary in place of cargo because of `crate::engine::cargo_proxy`.

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

/// Names the library; set for cargo only.
const VARIABLE: &str = "PARCOURSE_CELL_LIBRARY";
const SOURCE: &str = include_str!("library.rs");
const LIBRARY: &str = "parcourse_cell";

static SETUP: OnceLock<Vec<String>> = OnceLock::new();

/// Compiles the library unless the cache has it. From then on [`setup_commands`] has something to
/// say.
///
/// # Errors
/// When the compiler fails or the cache cannot be written. Cells are then compiled as the engine
/// has it.
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
        settings.push((direct::NOTES, PathBuf::from(directory).with_file_name("compile.json")));
    }
    SETUP.get_or_init(|| {
        settings
            .iter()
            .map(|(name, path)| format!(":build_env {name}={}", path.display()))
            .collect()
    });
    Ok(())
}

/// Lines for the engine, so that cargo turns to us.
pub fn setup_commands() -> &'static [String] {
    SETUP.get().map(Vec::as_slice).unwrap_or_default()
}

/// Becomes the compiler when this process was started in its place, by cargo (`parcourse RUSTC
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
        direct::take_notes(rustc, arguments);
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

/// Turns this process into the compiler.
fn start(rustc: &mut Command) -> ExitCode {
    let error =
        rustc.env_remove(VARIABLE).env_remove(direct::NOTES).env_remove(direct::STATE).exec();
    eprintln!("error: failed to start {}: {error}", Path::new(rustc.get_program()).display());
    ExitCode::from(101)
}

/// The crate the engine makes of a cell.
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
    fn knows_a_cell_from_a_dependency() {
        assert!(is_cell(&arguments(
            "--crate-name ctx --edition=2024 src/lib.rs --crate-type cdylib"
        )));
        assert!(!is_cell(&arguments(
            "--crate-name rayon --edition=2021 /registry/rayon/src/lib.rs"
        )));
        assert!(!is_cell(&arguments("-vV")));
    }
}
