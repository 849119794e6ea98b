//! Runs the rounds: in each, every implementation runs every benchmark once.

use super::baselines::{Baselines, NOT_ASKED};
use super::benchmarks::{Benchmark, OURS, Peer, Program};
use super::cells::Kernel;
use super::line::{Line, disagreement};
use super::program;
use super::report::Report;
use super::rows::Row;
use crate::bench::sandbox::Sandbox;
use crate::bench::status_line::StatusLine;
use anyhow::{Context, Result};
use std::collections::HashMap;
use std::ffi::OsString;
use tokio::process::Command;

/// The command line of each runnable program, without its arguments, by benchmark and peer.
type Programs = HashMap<(&'static str, &'static str), Vec<OsString>>;

/// Measures everything once per round. A peer that fails is not tried again; if our own side fails,
/// the benchmark ends.
pub async fn measure(
    report: &mut Report,
    peers: &Baselines,
    sandbox: &Sandbox,
    status: &StatusLine,
) -> Result<()> {
    sandbox.prepare(false, true, status).await?;
    let programs = prepare(report, peers, sandbox, status).await?;
    status.show("starting the kernel");
    let selected = report.benchmarks.clone();
    let mut kernel = Kernel::start(&selected, report.threads, sandbox).await?;
    for round in 1..=report.rounds {
        for &benchmark in &selected {
            let mut waiting: Vec<Option<&Peer>> = vec![None];
            waiting.extend(
                benchmark
                    .peers
                    .iter()
                    .filter(|peer| programs.contains_key(&(benchmark.name, peer.name)))
                    .map(Some),
            );
            // The order alternates, in case one disturbs the other.
            if round % 2 == 0 {
                waiting.reverse();
            }
            let mut results = Vec::new();
            for peer in waiting {
                let name = peer.map_or(OURS, |peer| peer.name);
                if report.has_failed(benchmark, name) {
                    continue;
                }
                status.show(&format!("{round} of {}: {}, {name}", report.rounds, benchmark.name));
                let (size, runs, threads) = (report.size(benchmark), report.runs, report.threads);
                let lines = match peer {
                    None => Ok(kernel
                        .run(benchmark.name, size, runs, threads)
                        .await
                        .with_context(|| format!("measuring {}", benchmark.name))?),
                    Some(peer) => {
                        let mut command =
                            command(&programs[&(benchmark.name, peer.name)], threads, sandbox);
                        program::run(
                            command
                                .args([size, runs, threads].map(|number| number.to_string()))
                                .arg(peer.name),
                        )
                        .await
                    }
                };
                results.push((name, lines));
            }
            record(report.rows_of(benchmark), benchmark, results);
        }
    }
    kernel.end().await;
    Ok(())
}

/// Compiles and writes the programs. Programs that cannot run here are marked with the reason.
async fn prepare(
    report: &mut Report,
    peers: &Baselines,
    sandbox: &Sandbox,
    status: &StatusLine,
) -> Result<Programs> {
    let mut programs = Programs::new();
    for &benchmark in &report.benchmarks.clone() {
        for peer in benchmark.peers {
            let name = format!("{}-{}", benchmark.name, peer.name);
            status.show(&format!("programs: {name}"));
            let prepared = match (&peer.program, &peers.c, &peers.python) {
                (Program::Cell, ..) => continue,
                (Program::C { source, flags }, Some(compiler), _) => {
                    let compiled = compiler.compile(&name, source, flags).await;
                    compiled
                        .map(|program| vec![program.into()])
                        .map_err(|error| format!("{error:#}"))
                }
                (Program::Python { source }, _, Some(interpreter)) => {
                    let prepared = interpreter.prepare(&name, source, sandbox)?;
                    // `-I`: isolates the pinned environment from the user's.
                    prepared.map(|(python, file)| vec![python.into(), "-I".into(), file.into()])
                }
                (Program::C { .. }, None, _) | (Program::Python { .. }, _, None) => {
                    Err(NOT_ASKED.to_string())
                }
            };
            match prepared {
                Ok(command) => {
                    programs.insert((benchmark.name, peer.name), command);
                }
                Err(reason) => report
                    .rows_of(benchmark)
                    .for_each(|row| row.side(peer.name).left_out = Some(reason.clone())),
            }
        }
    }
    Ok(programs)
}

fn command(program: &[OsString], threads: usize, sandbox: &Sandbox) -> Command {
    let mut command = Command::new(&program[0]);
    command.args(&program[1..]).current_dir(sandbox.folder());
    for variable in ["OMP_NUM_THREADS", "NUMBA_NUM_THREADS"] {
        command.env(variable, threads.to_string());
    }
    // Keeps numba's compiled code for the next round.
    for variable in ["NUMBA_CACHE_DIR", "JOBLIB_TEMP_FOLDER", "TMPDIR"] {
        command.env(variable, sandbox.path("tmp"));
    }
    command
}

/// Records the results of a round. All must agree with ours.
fn record<'a>(
    rows: impl Iterator<Item = &'a mut Row>,
    benchmark: &Benchmark,
    results: Vec<(&str, Result<Vec<Line>>)>,
) {
    let mut lines = Vec::new();
    let mut failures: Vec<(&str, String)> = Vec::new();
    for (name, result) in results {
        match result {
            Ok(more) => lines.extend(more),
            Err(error) => failures.push((name, format!("{error:#}"))),
        }
    }
    for (row, definition) in rows.zip(benchmark.rows) {
        let ours = lines.iter().find(|line| line.row == row.name && line.of == OURS);
        for side in
            row.sides.iter_mut().filter(|side| side.left_out.is_none() && side.failure.is_none())
        {
            let line = lines.iter().find(|line| line.row == row.name && line.of == side.name);
            let failed = failures
                .iter()
                .find(|(name, _)| *name == side.name)
                .map(|(_, reason)| reason.clone());
            let wrong = || disagreement(ours?, line?, (definition.tolerance)(row.size as f64));
            match (line, failed.or_else(wrong)) {
                (_, Some(reason)) => side.failure = Some(reason),
                (None, None) => side.failure = Some("printed no result".to_string()),
                (Some(line), None) => {
                    side.seconds.push(line.seconds);
                    line.peak_bytes.into_iter().for_each(|bytes| side.peak_bytes.push(bytes));
                }
            }
        }
    }
}
