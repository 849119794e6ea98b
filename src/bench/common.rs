//! What all benchmarks share: options, sandbox, and shutdown.

use super::sandbox::Sandbox;
use super::status_line::StatusLine;
use crate::base::paths::HelpersArgument;
use crate::runner::kernels::stopped;
use anyhow::{Context, Result, bail};
use std::time::Duration;

/// Time limit for every start and every cell. A cold stock kernel on a busy laptop compiles for a
/// minute.
pub const LIMIT: Duration = Duration::from_secs(300);

#[derive(clap::Args)]
pub struct CommonArguments {
    /// Number of rounds; quote medians of at least 5
    #[arg(
        long, value_name = "N", default_value = "5",
        value_parser = clap::value_parser!(u32).range(1..=1000)
    )]
    rounds: u32,
    /// Print JSON instead of tables
    #[arg(long)]
    pub json: bool,
    #[command(flatten)]
    helpers: HelpersArgument,
}

impl CommonArguments {
    pub fn rounds(&self) -> usize {
        self.rounds as usize
    }

    /// Runs `measure` in a sandbox, on one thread, because the kernels do the work and the
    /// benchmark should not take a core from them. A signal ends it together with all kernels.
    pub fn run<T>(
        &self,
        own_templates: bool,
        measure: impl AsyncFnOnce(&Sandbox, &StatusLine) -> Result<T>,
    ) -> Result<T> {
        let here = std::env::current_dir().context("failed to find the current folder")?;
        let helpers = crate::base::paths::find_helpers(self.helpers.helpers.as_deref(), &here)
            .context(
                "found no helper crate: run this in the course's folder, or pass the crate's \
                folder with --helpers",
            )?;
        let sandbox = Sandbox::create(helpers, own_templates)?;
        let status = StatusLine::new();
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .context("failed to start the client")?;
        let measured = runtime.block_on(async {
            tokio::select! {
                biased;
                signal = stopped() => Err(signal),
                measured = measure(&sandbox, &status) => Ok(measured),
            }
            // Leaving this block drops the running kernels, which ends them.
        });
        status.clear();
        drop(sandbox);
        match measured {
            Ok(measured) => measured,
            Err(signal) => bail!("stopped by {signal}; all kernels have been shut down"),
        }
    }
}
