//! From starting a kernel to its first variable: CPU time, which depends little on how busy the
//! machine is, and the kernel's memory.
//!
//! Only with the first variable has the engine loaded the library and all crates, so a start is not
//! complete before that.

use super::{latency, memory};
use crate::bench::common::LIMIT;
use crate::bench::sandbox::Sandbox;
use crate::bench::statistics::Sample;
use crate::bench::status_line::StatusLine;
use crate::runner::KernelKind;
use crate::runner::kernels::{Client, LaunchSpec, Session};
use anyhow::{Context, Result};
use serde::Serialize;
use std::time::Instant;

const VARIABLE: &str = "let values: Vec<u32> = vec![1, 2]; let more = values.iter().map(|value| \
    value + 1).collect::<Vec<_>>();";
const EXPRESSION: &str = "1 + 1";

/// One kernel with one notebook.
#[derive(Serialize)]
pub struct Measured {
    pub kernel: &'static str,
    /// Whether the notebook loads the helper crate first.
    pub helpers: bool,
    pub processor_seconds: Sample,
    pub seconds: Sample,
    /// The kernel process alone, resident.
    pub kernel_bytes: Sample,
    /// `1 + 1`, after that.
    pub expression_seconds: Sample,
}

/// Measures both kernels with both notebooks, in alternation.
pub async fn measure(
    rounds: usize,
    sandbox: &Sandbox,
    status: &StatusLine,
) -> Result<Vec<Measured>> {
    let ways = [("evcxr", true), ("parcourse", true), ("evcxr", false), ("parcourse", false)];
    let new = |(kernel, helpers)| Measured {
        kernel,
        helpers,
        processor_seconds: Sample::default(),
        seconds: Sample::default(),
        kernel_bytes: Sample::default(),
        expression_seconds: Sample::default(),
    };
    let mut all: Vec<Measured> = ways.map(new).into_iter().collect();
    for round in 1..=rounds {
        for measured in &mut all {
            let notebook = if measured.helpers { "with helpers" } else { "plain" };
            status.show(&format!(
                "first variable, {round} of {rounds}: {}, {notebook}",
                measured.kernel
            ));
            once(measured, sandbox)
                .await
                .with_context(|| format!("{}, {notebook}", measured.kernel))?;
        }
    }
    Ok(all)
}

async fn once(measured: &mut Measured, sandbox: &Sandbox) -> Result<()> {
    let begun = Instant::now();
    let client = if measured.kernel == "evcxr" {
        let template = sandbox.template(KernelKind::Evcxr)?;
        Client::launch(
            KernelKind::Evcxr,
            &sandbox.folder(),
            &|_| LaunchSpec::warm(&template),
            LIMIT,
        )
        .await?
    } else {
        Client::launch(
            KernelKind::Parcourse,
            &sandbox.folder(),
            &|_| Ok(sandbox.launch_spec()),
            LIMIT,
        )
        .await?
    };
    let mut session = Session::new(
        if measured.kernel == "evcxr" { KernelKind::Evcxr } else { KernelKind::Parcourse },
        client,
    );
    if measured.helpers {
        latency::execute(&mut session, &sandbox.first_cell(), false).await?;
    }
    latency::execute(&mut session, VARIABLE, false).await?;
    measured.seconds.push(begun.elapsed().as_secs_f64());
    let guard = session.client.process.guard();
    if let Some(seconds) = memory::processor_seconds(guard) {
        measured.processor_seconds.push(seconds);
    }
    let parts = memory::of_kernel(measured.kernel, guard);
    if let Some(kernel) = parts.iter().find(|part| part.process == "kernel") {
        measured.kernel_bytes.push(kernel.rss_bytes as f64);
    }
    let expression = latency::execute(&mut session, EXPRESSION, false).await?.wall;
    measured.expression_seconds.push(expression.as_secs_f64());
    session.client.shut_down().await;
    Ok(())
}
