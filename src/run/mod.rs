use anyhow::Result;
use std::process::ExitCode;

#[derive(clap::Args)]
pub struct RunArguments {}

pub fn main(_arguments: RunArguments) -> Result<ExitCode> {
    anyhow::bail!("not here yet")
}
