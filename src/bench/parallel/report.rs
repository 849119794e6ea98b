//! The report, as tables and as JSON.

use super::baselines::{Baselines, NOT_ASKED};
use super::benchmarks::{Benchmark, OURS, Peer};
use super::rows::{Row, Side};
use super::targets::{self, Target};
use crate::bench::machine::Machine;
use crate::bench::sandbox::Sandbox;
use crate::bench::table::Table;
use crate::bench::units;
use anyhow::Result;
use serde::Serialize;
use std::fmt;

/// Number of runs per round, of which the fastest counts.
const RUNS: usize = 3;

/// Everything that was measured.
#[derive(Serialize)]
pub struct Report {
    benchmark: &'static str,
    version: &'static str,
    pub rounds: usize,
    /// Number of runs per round, of which the fastest counts.
    pub runs: usize,
    /// Number of threads of all peers, except for the benchmarks with 4 processes.
    pub threads: usize,
    quick: bool,
    machine: Machine,
    gcc: Option<String>,
    python: Option<String>,
    rows: Vec<Row>,
    targets: Vec<Target>,
    #[serde(skip)]
    pub benchmarks: Vec<&'static Benchmark>,
}

impl Report {
    pub async fn new(
        rounds: usize,
        quick: bool,
        selected: &[&'static Benchmark],
        peers: &Baselines,
        sandbox: &Sandbox,
    ) -> Result<Report> {
        let machine = Machine::new(sandbox).await;
        let gcc = match &peers.c {
            Some(compiler) => compiler.version().await,
            None => None,
        };
        let python = match &peers.python {
            Some(interpreter) => interpreter.versions().await,
            None => None,
        };
        let available = crate::base::memory::available();
        let side = |peer: &Peer| Side::new(peer.name, peer.in_words);
        let row = |benchmark: &Benchmark, row: &super::benchmarks::Row| {
            let size = benchmark.size(quick, available);
            Row {
                benchmark: benchmark.name,
                name: row.name,
                title: row.title.replace("SIZE", &thousands(size)),
                size,
                sides: std::iter::once(Side::new(OURS, OURS))
                    .chain(benchmark.peers.iter().map(side))
                    .collect(),
            }
        };
        Ok(Report {
            benchmark: "parallel",
            version: env!("CARGO_PKG_VERSION"),
            rounds,
            runs: if quick { 1 } else { RUNS },
            threads: machine.cpus,
            quick,
            machine,
            gcc,
            python,
            rows: selected
                .iter()
                .flat_map(|benchmark| {
                    benchmark.rows.iter().map(|definition| row(benchmark, definition))
                })
                .collect(),
            targets: Vec::new(),
            benchmarks: selected.to_vec(),
        })
    }

    pub fn rows_of(&mut self, benchmark: &Benchmark) -> impl Iterator<Item = &mut Row> {
        self.rows.iter_mut().filter(|row| row.benchmark == benchmark.name)
    }

    pub fn size(&self, benchmark: &Benchmark) -> usize {
        self.rows
            .iter()
            .find(|row| row.benchmark == benchmark.name)
            .map_or(benchmark.small, |row| row.size)
    }

    /// Whether a peer failed in any row of a benchmark.
    pub fn has_failed(&self, benchmark: &Benchmark, name: &str) -> bool {
        let rows = self.rows.iter().filter(|row| row.benchmark == benchmark.name);
        rows.flat_map(|row| &row.sides).any(|side| side.name == name && side.failure.is_some())
    }

    /// After the last measurement.
    pub fn finish(&mut self) {
        self.machine.finish();
        for row in &mut self.rows {
            let ours = row.side(OURS).seconds.clone();
            row.sides.iter_mut().for_each(|side| side.ratio = side.seconds.ratios(&ours));
        }
        if !self.quick {
            self.targets = targets::judge(&self.rows);
        }
    }

    pub fn has_failures(&self) -> bool {
        self.rows.iter().flat_map(|row| &row.sides).any(|side| side.failure.is_some())
    }

    fn rows_table(&self) -> Table {
        let mut table = Table::new(&[
            "Benchmark",
            "fastest",
            "median",
            "slowest",
            "memory",
            "time / ours",
            "lowest",
            "highest",
        ]);
        for row in &self.rows {
            table.row(vec![row.title.clone()]);
            for side in &row.sides {
                let name = format!("  {}", side.in_words);
                match (&side.left_out, &side.failure) {
                    (Some(reason), _) if reason == NOT_ASKED => {}
                    (Some(reason), _) => table.row(vec![format!("{name}: left out, {reason}")]),
                    (_, Some(reason)) => table.row(vec![format!("{name}: FAILED, {reason}")]),
                    _ => {
                        let times = [side.seconds.min(), side.seconds.median(), side.seconds.max()];
                        let ratios = [side.ratio.median(), side.ratio.min(), side.ratio.max()];
                        let mut cells = vec![name];
                        cells.extend(times.map(|value| optional(value, units::fine)));
                        cells.push(side.peak_bytes.median().map(units::bytes).unwrap_or_default());
                        if side.name != OURS {
                            cells.extend(ratios.map(|value| optional(value, units::ratio)));
                        }
                        table.row(cells);
                    }
                }
            }
        }
        table
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        let Machine { cpus, rustc, .. } = &self.machine;
        let rounds = if self.rounds == 1 {
            "1 round".to_string()
        } else {
            format!("{} rounds", self.rounds)
        };
        writeln!(
            f,
            "parcourse {}, {rustc}, {cpus} CPUs and threads, {rounds}, fastest of {} runs each",
            self.version, self.runs
        )?;
        for version in [&self.gcc, &self.python].into_iter().flatten() {
            writeln!(f, "{version}")?;
        }
        if let Some(load) = self.machine.too_busy() {
            writeln!(
                f,
                "The machine is busy (load {load:.1}): trust the ratios, which are computed \
                within a round, more than the times."
            )?;
        }
        if self.quick {
            writeln!(f, "With --quick, problems are too small for the times to mean anything.")?;
        } else if self.rounds < 5 {
            writeln!(f, "Fewer than 5 rounds: do not quote the medians.")?;
        }
        write!(f, "\n{}", self.rows_table())?;
        writeln!(
            f,
            "Memory: increase of the process's memory, input included. numba: without compile time."
        )?;
        if !self.targets.is_empty() {
            let mut table = Table::new(&["Targets: speed relative to", "measured", "at least", ""]);
            for target in &self.targets {
                let name = format!("{}: {} to {}", target.row, target.of, target.than);
                let verdict = if target.met { "met" } else { "missed" };
                table.row(vec![
                    name,
                    units::ratio(target.measured),
                    units::ratio(target.at_least),
                    verdict.into(),
                ]);
            }
            write!(f, "\n{table}")?;
        }
        Ok(())
    }
}

fn optional(value: Option<f64>, in_words: fn(f64) -> String) -> String {
    value.map(in_words).unwrap_or_else(|| "-".to_string())
}

/// `100,000,000`.
fn thousands(number: usize) -> String {
    let digits = number.to_string();
    let groups: Vec<&str> = digits
        .as_bytes()
        .rchunks(3)
        .rev()
        .map(|group| std::str::from_utf8(group).expect("digits"))
        .collect();
    groups.join(",")
}

#[cfg(test)]
mod tests {
    use super::thousands;

    #[test]
    fn long_numbers_are_grouped() {
        assert_eq!(
            [1, 999, 1000, 100_000_000].map(thousands),
            ["1", "999", "1,000", "100,000,000"]
        );
    }
}
