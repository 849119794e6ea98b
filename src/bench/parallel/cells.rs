//! Our side: cells on a real kernel.

use super::benchmarks::Benchmark;
use super::line::{self, Line};
use crate::bench::common::LIMIT;
use crate::bench::kernel::execute;
use crate::bench::sandbox::Sandbox;
use crate::runner::KernelKind;
use crate::runner::kernels::{Client, LaunchSpec, Session};
use anyhow::{Context, Result};

/// Definitions for all benchmarks.
const COMMON: &str = include_str!("programs/common.rs");

/// A kernel on which all benchmarks are defined.
pub struct Kernel {
    session: Session,
}

impl Kernel {
    pub async fn start(
        benchmarks: &[&Benchmark],
        threads: usize,
        sandbox: &Sandbox,
    ) -> Result<Kernel> {
        let spec = || {
            let threads = threads.to_string();
            LaunchSpec::of(
                sandbox.kernel(),
                vec![("TMPDIR", sandbox.path("tmp").into()), ("RAYON_NUM_THREADS", threads.into())],
            )
        };
        let client =
            Client::launch(KernelKind::Parcourse, &sandbox.folder(), &|_| Ok(spec()), LIMIT)
                .await?;
        let mut session = Session::new(KernelKind::Parcourse, client);
        for code in [&sandbox.first_cell(), COMMON] {
            execute(&mut session, code, false).await.context("the first cells")?;
        }
        for benchmark in benchmarks {
            execute(&mut session, benchmark.cell, false)
                .await
                .with_context(|| format!("defining `{}`", benchmark.name))?;
        }
        Ok(Kernel { session })
    }

    /// Runs a benchmark once.
    pub async fn run(
        &mut self,
        name: &str,
        size: usize,
        runs: usize,
        threads: usize,
    ) -> Result<Vec<Line>> {
        let call = format!("measure_{name}({size}, {runs}, {threads});");
        let execution = execute(&mut self.session, &call, false).await?;
        line::read(&execution.outputs.stdout())
    }

    pub async fn end(self) {
        self.session.client.shut_down().await;
    }
}
