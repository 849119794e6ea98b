use anyhow::Result;
use std::process::ExitCode;

#[derive(clap::Args)]
pub struct LabArguments {}

pub fn main(_arguments: LabArguments) -> Result<ExitCode> {
    anyhow::bail!("not here yet")
}
