//! The command line: what can be asked for, and who answers.

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
    /// Set up what is missing and open the course in JupyterLab
    Lab(lab::LabArguments),
    /// Check this machine for what can go wrong, and say how to mend it
    Doctor(doctor::DoctorArguments),
    /// Execute notebooks cell by cell on a real kernel and report what failed
    Run(runner::RunArguments),
    /// Make an edition of the course: for learners, for instructors, as slides
    Edition(edition::EditionArguments),
    /// Check that a course is what it promises to be, and with --execute that its exercises are
    Check(check::CheckArguments),
    /// Make a web site of the course, to read and to search, with what its cells show
    Book(book::BookArguments),
    /// The Jupyter kernel, and its registration with existing Jupyter installations
    Kernel(KernelArguments),
    /// Build the template that lets kernels start warm
    Prepare(build_cache::PrepareArguments),
    /// Measure, side by side in one run
    Bench(bench::BenchArguments),
    /// Internal: fill a template directory
    #[command(name = "__build-template", hide = true)]
    BuildTemplate(build_cache::BuildArguments),
    /// Internal: stand between the runner and one kernel, so that nothing outlives the runner
    #[command(name = "__guard", hide = true)]
    Guard(runner::GuardArguments),
}

/// `parcourse kernel`, either as Jupyter starts it or to manage its registration.
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
