//! What stands between cargo and rustc when our kernel compiles a cell.
//!
//! The engine puts into every cell that has variables the source of the store in which they are kept: a hash map and its generic
//! functions, compiled and optimised again with each cell. That is two thirds of the work of a simple cell. Here, just before rustc
//! reads it, that source is replaced by a library that was compiled once ([`SOURCE`]). Nothing else changes: not the cell, not its lines,
//! not the flags that decide how fast it runs.
//!
//! A cell with an `.await` has, around the user's code, the engine's call that waits for it. In its place comes one of the helper crate that
//! does the same and can be interrupted ([`with_helpers_runtime`]).
//!
//! Cargo starts this binary in place of rustc because the kernel sets `RUSTC_WORKSPACE_WRAPPER` for its builds, which concerns the crate
//! of the cell and no dependency. Should the engine's text ever be another one than we know, it is left alone.

use crate::user_process::support;
use anyhow::{Context, Result};
use sha2::{Digest, Sha256};
use std::ffi::OsString;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, ExitCode};
use std::sync::OnceLock;

/// Names the library; set for cargo only.
const VARIABLE: &str = "PARCOURSE_CELL_LIBRARY";
/// The store as a library.
const SOURCE: &str = include_str!("variables.rs");
const LIBRARY: &str = "parcourse_variables";

/// Where the engine's store begins and ends in a cell's source.
const BEGIN: &str = "mod evcxr_internal_runtime {\n";
const END: &str = "pub fn create_variable_store() -> *mut VariableStore {\n    Box::into_raw(Box::new(VariableStore::new()))\n}\n}\n";
/// SHA-256 of the text from there to there, in the engine's release that [`SOURCE`] stands in for.
const KNOWN: &str = "6aec0f4358cddd3961f5bd78c9f4f5fbd93761cd0efd856fd903ca5f896d7d64";

static SETUP: OnceLock<Vec<String>> = OnceLock::new();

/// Compiles the library unless the cache has it. From then on [`setup_commands`] has something to say.
///
/// # Errors
/// When the compiler fails or the cache cannot be written. Cells are then compiled as the engine has it.
pub fn prepare(rustc: &Path) -> Result<()> {
    let library = support::compile(rustc, LIBRARY, SOURCE, "rlib", &["--crate-type", "rlib", "-Copt-level=3"])?;
    let program = std::env::current_exe().context("failed to find the running program")?;
    let settings = [("RUSTC_WORKSPACE_WRAPPER", program), (VARIABLE, library)];
    SETUP.get_or_init(|| settings.iter().map(|(name, path)| format!(":build_env {name}={}", path.display())).collect());
    Ok(())
}

/// Lines for the engine, so that cargo turns to us.
pub fn setup_commands() -> &'static [String] {
    SETUP.get().map(Vec::as_slice).unwrap_or_default()
}

/// Becomes the compiler when cargo has started this process in its place: `parcourse RUSTC ARGUMENT…`.
pub fn hook() -> Option<ExitCode> {
    let library = std::env::var_os(VARIABLE)?;
    let mut arguments = std::env::args_os().skip(1);
    let rustc = arguments.next()?;
    let mut arguments: Vec<OsString> = arguments.collect();
    if is_cell(&arguments) {
        let source = Path::new("src/lib.rs");
        let has_helpers = arguments.iter().any(|argument| argument.as_encoded_bytes().starts_with(b"parcourse="));
        let text = std::fs::read_to_string(source).unwrap_or_default();
        let replaced = with_library(&text);
        let needs_library = replaced.is_some();
        let text = replaced.unwrap_or(text);
        let waits = has_helpers.then(|| with_helpers_runtime(&text)).flatten();
        let is_other = needs_library || waits.is_some();
        if is_other && std::fs::write(source, waits.unwrap_or(text)).is_ok() && needs_library {
            let mut library_argument = OsString::from(format!("{LIBRARY}="));
            library_argument.push(library);
            arguments.extend(["--extern".into(), library_argument]);
        }
    }
    let error = Command::new(&rustc).args(arguments).env_remove(VARIABLE).exec();
    eprintln!("error: failed to start {}: {error}", rustc.display());
    Some(ExitCode::from(101))
}

/// The crate the engine makes of a cell.
fn is_cell(arguments: &[OsString]) -> bool {
    let named = arguments.windows(2).any(|pair| pair[0] == "--crate-name" && pair[1] == "ctx");
    named && arguments.iter().any(|argument| argument == "src/lib.rs")
}

/// The source with the library in place of the engine's store, line for line where it was. `None` when there is no store in it, or
/// another one than we know.
fn with_library(text: &str) -> Option<String> {
    let begin = text.find(BEGIN)?;
    let end = begin + text[begin..].find(END)? + END.len();
    let hash: String = Sha256::digest(&text[begin..end]).iter().map(|byte| format!("{byte:02x}")).collect();
    if hash != KNOWN {
        return None;
    }
    let lines = "\n".repeat(text[begin..end].matches('\n').count());
    Some(format!("{}extern crate {LIBRARY} as evcxr_internal_runtime;{lines}{}", &text[..begin], &text[end..]))
}

/// The source with the helper crate's way of waiting for async code in place of the engine's, line for line where it was. `None` when the cell
/// does not wait.
fn with_helpers_runtime(text: &str) -> Option<String> {
    let name = text.find(RUNTIME)?;
    let begin = text[..name].rfind("let mut mutex")?;
    let end = name + text[name..].find(WAIT)? + WAIT.len();
    let lines = "\n".repeat(text[begin..end].matches('\n').count());
    Some(format!("{}{lines}::parcourse::waiting::run_cell(async {{{}", &text[..begin], &text[end..]))
}

/// The name under which the engine keeps its runtime, and the end of its call.
const RUNTIME: &str = "\"evcxr_tokio_runtime\"";
const WAIT: &str = ".block_on(async {";

#[cfg(test)]
mod tests {
    use super::*;

    fn arguments(text: &str) -> Vec<OsString> {
        text.split_whitespace().map(OsString::from).collect()
    }

    #[test]
    fn knows_a_cell_from_a_dependency() {
        assert!(is_cell(&arguments("--crate-name ctx --edition=2024 src/lib.rs --crate-type cdylib")));
        assert!(!is_cell(&arguments("--crate-name rayon --edition=2021 /registry/rayon/src/lib.rs")));
        assert!(!is_cell(&arguments("-vV")));
    }

    #[test]
    fn an_unknown_store_is_left_alone() {
        assert_eq!(with_library("fn main() {}\n"), None);
        assert_eq!(with_library(&format!("{BEGIN}pub struct Other;\n{END}fn run() {{}}\n")), None);
    }

    #[test]
    fn waiting_is_left_to_the_helpers() {
        let cell = "let x = 1;\nlet mut mutex = store.lazy_arc(\"evcxr_tokio_runtime\",\n|| new());\nmatch mutex.lock() { g => g, }\n.block_on(async {\nf().await;\n});";
        let expected = "let x = 1;\n\n\n\n::parcourse::waiting::run_cell(async {\nf().await;\n});";
        assert_eq!(with_helpers_runtime(cell).as_deref(), Some(expected));
        assert_eq!(with_helpers_runtime("runtime.block_on(async {})"), None);
    }
}
