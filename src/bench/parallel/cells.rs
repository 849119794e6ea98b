//! Our side: cells on a real kernel.

use super::benchmarks::Benchmark;
use super::line::{self, Line};
use crate::bench::common::LIMIT;
use crate::bench::kernel::execute;
use crate::bench::world::World;
use crate::runner::KernelKind;
use crate::runner::kernels::{Client, Engine, Session};
use anyhow::{Context, Result};

/// Definitions for all benchmarks.
const COMMON: &str = include_str!("programs/common.rs");

/// A kernel on which all benchmarks are defined.
pub struct Kernel {
    session: Session,
}

impl Kernel {
    pub async fn start(benchmarks: &[&Benchmark], threads: usize, world: &World) -> Result<Kernel> {
        let engine = || {
            let threads = threads.to_string();
            Engine::of(
                world.kernel(),
                vec![("TMPDIR", world.path("tmp").into()), ("RAYON_NUM_THREADS", threads.into())],
            )
        };
        let client =
            Client::launch(KernelKind::Parcourse, &world.folder(), &|_| Ok(engine()), LIMIT)
                .await?;
        let mut session = Session::new(KernelKind::Parcourse, client);
        for code in [&world.first_cell(), COMMON] {
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
