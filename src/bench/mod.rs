use anyhow::Result;
use std::process::ExitCode;

#[derive(clap::Args)]
pub struct BenchArguments {}

pub fn main(_arguments: BenchArguments) -> Result<ExitCode> {
    anyhow::bail!("not here yet")
}
