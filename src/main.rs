//! `parcourse`: a course on parallel computing in Rust, and the software under it.
//!
//! This file runs the hooks, parses the arguments and returns an exit code. The modules do the
//! rest.

mod authoring;
mod base;
mod bench;
mod cli;
mod course;
mod engine;
mod kernel;
mod launcher;
mod runner;

use base::library_path;
use clap::Parser;
use engine::{cargo_proxy, cell_compiler, user_process};
use std::process::ExitCode;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    if let Some(code) = cell_compiler::hook().or_else(cargo_proxy::hook) {
        return code;
    }
    library_path::remove_target_directory();
    // The engine also starts this binary as the user process and as its own compiler wrapper.
    user_process::hook();
    evcxr::runtime_hook();
    if std::env::args_os().nth(1).is_some_and(|argument| argument == "--control_file") {
        return exit_code(kernel::stock::main());
    }
    exit_code(cli::dispatch(cli::Arguments::parse()))
}

/// Prints an error with its causes on one line. Exit code 2 means "could not run"; commands return
/// their own codes for other failures.
fn exit_code(result: anyhow::Result<ExitCode>) -> ExitCode {
    result.unwrap_or_else(|error| {
        eprintln!("parcourse: {error:#}");
        ExitCode::from(2)
    })
}
