//! Warm start: prepared build directories that kernels copy.
use anyhow::Result;
use std::process::ExitCode;

#[derive(clap::Args)]
pub struct PrepareArguments {}
#[derive(clap::Args)]
pub struct BuildArguments {}

pub fn main(_arguments: PrepareArguments) -> Result<ExitCode> {
    anyhow::bail!("not here yet")
}
pub fn build_main(_arguments: BuildArguments) -> Result<ExitCode> {
    anyhow::bail!("not here yet")
}
