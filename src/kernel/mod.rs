//! The Jupyter kernel.
pub mod stock;

use anyhow::Result;
use clap::Args;
use std::path::PathBuf;
use std::process::ExitCode;

/// How Jupyter starts the kernel.
#[derive(Args)]
pub struct StartArguments {
    /// Connection file written by the Jupyter client
    #[arg(long, short = 'f', value_name = "FILE", required = true)]
    connection_file: Option<PathBuf>,
    #[command(flatten)]
    helpers: crate::cli::HelpersArgument,
}

pub fn main(_arguments: StartArguments) -> Result<ExitCode> {
    anyhow::bail!("not here yet")
}
