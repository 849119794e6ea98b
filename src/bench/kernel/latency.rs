//! The latency of cells, and the kernels' memory after them.

use super::cells::Cell;
use super::memory::{self, Memory};
use crate::bench::common::LIMIT;
use crate::bench::sandbox::Sandbox;
use crate::bench::statistics::Sample;
use crate::bench::status_line::StatusLine;
use crate::runner::KernelKind;
use crate::runner::kernels::{Client, Ending, Execution, LaunchSpec, Session};
use anyhow::{Context, Result, bail};
use jupyter_protocol::ReplyStatus;
use serde::Serialize;
use serde_json::Value;

/// One cell on both kernels, from sending it to its reply and idle status.
#[derive(Serialize)]
pub struct Measured {
    pub name: &'static str,
    /// As executed in the first round.
    pub source: String,
    pub evcxr: Stock,
    pub parcourse: Ours,
    /// Ours divided by stock, round by round.
    pub ratio: Sample,
}

#[derive(Serialize, Default)]
pub struct Stock {
    pub seconds: Sample,
    /// The very first execution on a fresh kernel, which is not included in the samples.
    pub first_seconds: f64,
}

#[derive(Serialize, Default)]
pub struct Ours {
    pub seconds: Sample,
    pub first_seconds: f64,
    /// Parts of the latency, measured by the kernel: before the code runs, and while it runs. Empty
    /// for cells that must not compile.
    pub compile_seconds: Sample,
    pub run_seconds: Sample,
}

/// Executes the cells on a stock kernel and on ours, in alternation. The first pass is recorded
/// separately, because both kernels then load what they need for the first time.
pub async fn measure(
    cells: &[&Cell],
    rounds: usize,
    sandbox: &Sandbox,
    status: &StatusLine,
) -> Result<(Vec<Measured>, Vec<Memory>)> {
    status.show("cells: starting both kernels");
    let template = sandbox.template(KernelKind::Evcxr)?;
    let stock = Client::launch(
        KernelKind::Evcxr,
        &sandbox.folder(),
        &|_| LaunchSpec::warm(&template),
        LIMIT,
    )
    .await;
    let mut stock =
        Session::new(KernelKind::Evcxr, stock.context("failed to start the stock kernel")?);
    let own = Client::launch(
        KernelKind::Parcourse,
        &sandbox.folder(),
        &|_| Ok(sandbox.launch_spec()),
        LIMIT,
    )
    .await;
    let mut own = Session::new(KernelKind::Parcourse, own.context("failed to start our kernel")?);
    for session in [&mut stock, &mut own] {
        execute(session, &sandbox.first_cell(), false).await.context("the first cell")?;
    }
    let mut all: Vec<Measured> = Vec::new();
    for round in 0..=rounds {
        for (place, cell) in cells.iter().enumerate() {
            status.show(&match round {
                0 => format!("cells, first pass: {}", cell.name),
                _ => format!("cells, {round} of {rounds}: {}", cell.name),
            });
            let source = cell.source(round + 1);
            // The order alternates, in case one kernel disturbs the other.
            let (on_stock, on_ours) = if (round + place) % 2 == 0 {
                let on_stock = run(&mut stock, cell, &source).await?;
                (on_stock, run(&mut own, cell, &source).await?)
            } else {
                let on_ours = run(&mut own, cell, &source).await?;
                (run(&mut stock, cell, &source).await?, on_ours)
            };
            if round == 0 {
                let evcxr = Stock { first_seconds: on_stock.wall, ..Stock::default() };
                let parcourse = Ours { first_seconds: on_ours.wall, ..Ours::default() };
                all.push(Measured {
                    name: cell.name,
                    source,
                    evcxr,
                    parcourse,
                    ratio: Sample::default(),
                });
                continue;
            }
            let measured = &mut all[place];
            measured.evcxr.seconds.push(on_stock.wall);
            measured.parcourse.seconds.push(on_ours.wall);
            if let (Some(compile), Some(run)) = (on_ours.compile, on_ours.run) {
                measured.parcourse.compile_seconds.push(compile);
                measured.parcourse.run_seconds.push(run);
            }
            measured.ratio.push(on_ours.wall / on_stock.wall);
        }
    }
    let mut memory = Vec::new();
    for (kernel, session) in [("evcxr", &stock), ("parcourse", &own)] {
        memory.extend(memory::of_kernel(kernel, session.client.process.guard()));
    }
    stock.client.shut_down().await;
    own.client.shut_down().await;
    Ok((all, memory))
}

struct Times {
    wall: f64,
    compile: Option<f64>,
    run: Option<f64>,
}

async fn run(session: &mut Session, cell: &Cell, source: &str) -> Result<Times> {
    let execution = execute(session, source, cell.fails)
        .await
        .with_context(|| format!("cell `{}`", cell.name))?;
    let measured = |name: &str| {
        execution.measured.as_ref()?.get(name).and_then(Value::as_f64).filter(|_| !cell.fails)
    };
    Ok(Times {
        wall: execution.wall.as_secs_f64(),
        compile: measured("compile_seconds"),
        run: measured("run_seconds"),
    })
}

/// Executes a cell. An unexpected outcome is an error, because its time would be meaningless.
pub async fn execute<'a>(
    session: &'a mut Session,
    code: &str,
    fails: bool,
) -> Result<&'a Execution> {
    session.execute(code, LIMIT).await;
    let execution = session.executions.last().context("no execution")?;
    let reply = match (&execution.ending, &execution.reply) {
        (Ending::Finished, Some(reply)) => reply,
        (Ending::Finished, None) => bail!("no reply"),
        (Ending::TimedOut { .. }, _) => bail!("not finished within {} s", LIMIT.as_secs()),
        (Ending::Died(reason) | Ending::Protocol(reason), _) => bail!("{reason}"),
    };
    let succeeded = reply.status == ReplyStatus::Ok && execution.audit.is_empty();
    if succeeded == fails {
        let error = reply
            .error
            .as_ref()
            .map(|error| format!("{}: {}", error.ename, error.evalue))
            .unwrap_or_default();
        let outcome = if succeeded { "did not fail" } else { "failed" };
        bail!(
            "{outcome}: {code:?} {error} {} {}",
            execution.audit.join(" "),
            execution.outputs.stderr
        );
    }
    Ok(execution)
}
