//! The command line: every subcommand, and the module that runs it.

use crate::authoring::{book, check, edition};
use crate::engine::build_cache;
use crate::launcher::{doctor, kernelspec, lab};
use crate::{bench, kernel, runner};
use anyhow::Result;
use clap::{Args, Parser, Subcommand};
use std::process::ExitCode;

/// A course on parallel computing in Rust: Jupyter kernel, notebook runner, JupyterLab launcher.
#[derive(Parser)]
#[command(name = "parcourse", version, about)]
pub struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Open the course in JupyterLab, setting up whatever is missing
    Lab(lab::LabArguments),
    /// Check this machine for common problems and suggest fixes
    Doctor(doctor::DoctorArguments),
    /// Run notebooks on a real kernel and report the cells that fail
    Run(runner::RunArguments),
    /// Make an edition of the course for learners, for instructors, or as slides
    Edition(edition::EditionArguments),
    /// Lint a course; with --execute, verify that exercises fail unsolved and pass solved
    Check(check::CheckArguments),
    /// Build a searchable web site of the course, including the outputs of its cells
    Book(book::BookArguments),
    /// Run the Jupyter kernel, or register it with a Jupyter installation
    Kernel(KernelArguments),
    /// Compile the helper crate ahead of time, so that kernels start quickly
    Prepare(build_cache::PrepareArguments),
    /// Run benchmarks
    Bench(bench::BenchArguments),
    /// Internal: build a template
    #[command(name = "__build-template", hide = true)]
    BuildTemplate(build_cache::BuildArguments),
    /// Internal: supervise one kernel and clean up after it, even if the runner is killed
    #[command(name = "__guard", hide = true)]
    Guard(runner::GuardArguments),
}

/// `parcourse kernel`: the kernel itself, as Jupyter starts it, or its registration.
#[derive(Args)]
#[command(args_conflicts_with_subcommands = true)]
struct KernelArguments {
    #[command(flatten)]
    start: kernel::StartArguments,
    #[command(subcommand)]
    action: Option<kernelspec::Action>,
}

pub fn dispatch(arguments: Arguments) -> Result<ExitCode> {
    match arguments.command {
        Command::Lab(arguments) => lab::main(arguments),
        Command::Doctor(arguments) => doctor::main(arguments),
        Command::Run(arguments) => runner::main(arguments),
        Command::Check(arguments) => check::main(arguments),
        Command::Book(arguments) => book::main(arguments),
        Command::Edition(arguments) => edition::main(arguments),
        Command::Kernel(KernelArguments { action: Some(action), .. }) => kernelspec::main(action),
        Command::Kernel(KernelArguments { start, action: None }) => kernel::main(start),
        Command::Prepare(arguments) => build_cache::main(arguments),
        Command::Bench(arguments) => bench::main(arguments),
        Command::BuildTemplate(arguments) => build_cache::build_main(arguments),
        Command::Guard(arguments) => runner::guard(arguments),
    }
}
