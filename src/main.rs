//! `parcourse`: a course on parallel computing in Rust, and the software under it.
//!
//! This file hooks, parses and maps to an exit code; everything else lives in the modules.

mod bench;
mod book;
mod cargo_proxy;
mod cell_compiler;
mod check;
mod cli;
mod course;
mod doctor;
mod edition;
mod files;
mod kernel;
mod kernelspec;
mod lab;
mod library_path;
mod log;
mod memory;
mod notebook;
mod paths;
mod process;
mod python_environment;
mod run;
mod skeleton;
mod steps;
mod template;
mod trust;
mod user_process;

use clap::Parser;
use std::process::ExitCode;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    if let Some(code) = cell_compiler::hook().or_else(cargo_proxy::hook) {
        return code;
    }
    library_path::forget_target_directory();
    // The engine starts this binary again for the user's code and as a compiler wrapper: both must
    // come first.
    user_process::hook();
    evcxr::runtime_hook();
    if std::env::args_os().nth(1).is_some_and(|argument| argument == "--control_file") {
        return exit_code(kernel::stock::main());
    }
    exit_code(cli::dispatch(cli::Arguments::parse()))
}

/// Prints an error as one chain. Exit code 2 means "could not run"; commands report failures of
/// their own as they see fit.
fn exit_code(result: anyhow::Result<ExitCode>) -> ExitCode {
    result.unwrap_or_else(|error| {
        eprintln!("parcourse: {error:#}");
        ExitCode::from(2)
    })
}
