//! From starting a kernel to the first result that uses the helper crate.

use super::{latency, python};
use crate::bench::common::LIMIT;
use crate::bench::sandbox::Sandbox;
use crate::bench::statistics::Sample;
use crate::bench::status_line::StatusLine;
use crate::bench::units;
use crate::runner::KernelKind;
use crate::runner::kernels::{Client, Directory, LaunchSpec, Session};
use anyhow::{Context, Result};
use serde::Serialize;
use std::ffi::OsString;
use std::path::Path;
use std::time::{Duration, Instant};

const VARIABLE_CELL: &str = "let variable = cores().usable;";

/// The startup scenarios.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Start {
    StockCold,
    StockTemplate,
    Cold,
    Warm,
    Python,
}

impl Start {
    pub const ALL: [Start; 5] =
        [Start::StockCold, Start::StockTemplate, Start::Cold, Start::Warm, Start::Python];

    /// Its name on the command line and in JSON.
    pub fn name(self) -> &'static str {
        match self {
            Start::StockCold => "stock-cold",
            Start::StockTemplate => "stock-template",
            Start::Cold => "cold",
            Start::Warm => "warm",
            Start::Python => "python",
        }
    }

    pub fn in_words(self) -> &'static str {
        match self {
            Start::StockCold => "stock evcxr_jupyter, cold",
            Start::StockTemplate => "stock evcxr_jupyter, copy of a template",
            Start::Cold => "ours, cold (no template)",
            Start::Warm => "ours, warm (template)",
            Start::Python => "ipykernel, numpy + dask + numba",
        }
    }
}

/// The measurements of one scenario.
#[derive(Serialize)]
pub struct Measured {
    #[serde(skip)]
    pub start: Start,
    pub name: &'static str,
    /// From the start of the process to the second cell's result.
    pub seconds: Sample,
    /// To the kernel's first reply.
    pub answer_seconds: Sample,
    /// The first cell: `:dep` and `use`, or imports.
    pub first_cell_seconds: Sample,
    pub second_cell_seconds: Sample,
    /// The first cell with a variable, which comes third: it requires rust-analyzer to load the
    /// standard library.
    pub variable_cell_seconds: Sample,
    /// Relative to a cold start of the stock kernel, round by round.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ratio: Option<Sample>,
    /// Why it was skipped, if not because of a failure.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub left_out: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub failure: Option<String>,
}

impl Measured {
    fn new(start: Start) -> Measured {
        Measured {
            start,
            name: start.name(),
            seconds: Sample::default(),
            answer_seconds: Sample::default(),
            first_cell_seconds: Sample::default(),
            second_cell_seconds: Sample::default(),
            variable_cell_seconds: Sample::default(),
            ratio: None,
            left_out: None,
            failure: None,
        }
    }

    fn is_over(&self) -> bool {
        self.left_out.is_some() || self.failure.is_some()
    }
}

/// The parts of one start.
struct Times {
    answer: Duration,
    first: Duration,
    second: Duration,
    variable: Duration,
}

/// Measures every scenario once per round, in alternation. A scenario that fails is not tried
/// again.
pub async fn measure(
    starts: &[Start],
    rounds: usize,
    sandbox: &Sandbox,
    python: &Path,
    status: &StatusLine,
) -> Vec<Measured> {
    let mut all: Vec<Measured> = starts.iter().copied().map(Measured::new).collect();
    let mut ipykernel = Vec::new();
    for measured in all.iter_mut().filter(|measured| measured.start == Start::Python) {
        match python::kernel(python).await {
            Ok(command) => ipykernel = command,
            Err(reason) => measured.left_out = Some(reason),
        }
    }
    for round in 1..=rounds {
        for measured in all.iter_mut().filter(|measured| !measured.is_over()) {
            let title = format!("start {round} of {rounds}: {}", measured.start.in_words());
            status.show(&title);
            match once(measured.start, sandbox, &ipykernel).await {
                Ok(times) => {
                    let total = times.answer + times.first + times.second;
                    status.show(&format!("{title}: {}", units::seconds(total.as_secs_f64())));
                    measured.seconds.push(total.as_secs_f64());
                    measured.answer_seconds.push(times.answer.as_secs_f64());
                    measured.first_cell_seconds.push(times.first.as_secs_f64());
                    measured.second_cell_seconds.push(times.second.as_secs_f64());
                    measured.variable_cell_seconds.push(times.variable.as_secs_f64());
                }
                Err(error) => measured.failure = Some(format!("{error:#}")),
            }
        }
    }
    if let Some(stock) = all
        .iter()
        .find(|measured| measured.start == Start::StockCold)
        .map(|measured| measured.seconds.clone())
    {
        all.iter_mut().for_each(|measured| measured.ratio = Some(measured.seconds.ratios(&stock)));
    }
    all
}

async fn once(start: Start, sandbox: &Sandbox, ipykernel: &[OsString]) -> Result<Times> {
    match start {
        Start::StockCold => {
            launch(KernelKind::Evcxr, sandbox, &|_| LaunchSpec::cold(&sandbox.folder())).await
        }
        Start::StockTemplate => {
            let template = sandbox.template(KernelKind::Evcxr)?;
            launch(KernelKind::Evcxr, sandbox, &|_| LaunchSpec::warm(&template)).await
        }
        Start::Cold => {
            let cache = sandbox.empty_cache()?;
            let spec = |_: &Directory| {
                let environment = vec![("PARCOURSE_CACHE", cache.clone().into())];
                Ok(LaunchSpec::of(sandbox.kernel(), environment))
            };
            launch(KernelKind::Parcourse, sandbox, &spec).await
        }
        Start::Warm => launch(KernelKind::Parcourse, sandbox, &|_| Ok(sandbox.launch_spec())).await,
        Start::Python => {
            let command = ipykernel.to_vec();
            let client = |_: &Directory| Ok(LaunchSpec::of(command.clone(), Vec::new()));
            let (times, client) = timed(
                KernelKind::Parcourse,
                sandbox,
                &client,
                [python::FIRST_CELL, python::SECOND_CELL, python::VARIABLE_CELL],
            )
            .await?;
            client.shut_down().await;
            Ok(times)
        }
    }
}

async fn launch(
    kind: KernelKind,
    sandbox: &Sandbox,
    spec: &dyn Fn(&Directory) -> Result<LaunchSpec>,
) -> Result<Times> {
    let (times, client) =
        timed(kind, sandbox, spec, [&sandbox.first_cell(), "cores().usable", VARIABLE_CELL])
            .await?;
    client.shut_down().await;
    Ok(times)
}

async fn timed(
    kind: KernelKind,
    sandbox: &Sandbox,
    spec: &dyn Fn(&Directory) -> Result<LaunchSpec>,
    cells: [&str; 3],
) -> Result<(Times, Client)> {
    let begun = Instant::now();
    let client = Client::launch(kind, &sandbox.folder(), spec, LIMIT).await?;
    let answer = begun.elapsed();
    let mut session = Session::new(kind, client);
    let mut walls = [Duration::ZERO; 3];
    for ((wall, cell), name) in walls.iter_mut().zip(cells).zip(["first", "second", "third"]) {
        *wall = latency::execute(&mut session, cell, false)
            .await
            .with_context(|| format!("the {name} cell"))?
            .wall;
    }
    let [first, second, variable] = walls;
    Ok((Times { answer, first, second, variable }, session.client))
}
