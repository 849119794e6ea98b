use anyhow::Result;
use std::process::ExitCode;

/// Registration of the kernel with existing Jupyter installations.
#[derive(clap::Subcommand)]
pub enum Action {
    /// Register the kernel
    Install {},
}

pub fn main(_action: Action) -> Result<ExitCode> {
    anyhow::bail!("not here yet")
}
