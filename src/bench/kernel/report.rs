//! The report, as tables and as JSON.

use super::{first_variable, latency, memory, starts};
use crate::bench::machine::Machine;
use crate::bench::sandbox::Sandbox;
use crate::bench::statistics::Sample;
use crate::bench::table::Table;
use crate::bench::units;
use anyhow::Result;
use serde::Serialize;
use std::fmt;

/// Everything that was measured.
#[derive(Serialize)]
pub struct Report {
    benchmark: &'static str,
    version: &'static str,
    rounds: usize,
    machine: Machine,
    pub starts: Vec<starts::Measured>,
    pub first_variable: Vec<first_variable::Measured>,
    pub cells: Vec<latency::Measured>,
    pub memory: Vec<memory::Memory>,
    targets: Vec<Target>,
}

/// A performance target of the project.
#[derive(Serialize)]
struct Target {
    name: &'static str,
    /// `s`, `bytes`, or empty for a ratio.
    unit: &'static str,
    at_most: f64,
    measured: f64,
    met: bool,
}

impl Report {
    pub async fn new(rounds: usize, sandbox: &Sandbox) -> Result<Report> {
        let machine = Machine::new(sandbox).await;
        let version = env!("CARGO_PKG_VERSION");
        let (starts, first_variable, cells, memory, targets) = Default::default();
        Ok(Report {
            benchmark: "kernel",
            version,
            rounds,
            machine,
            starts,
            first_variable,
            cells,
            memory,
            targets,
        })
    }

    /// After the last measurement.
    pub fn finish(&mut self) {
        self.machine.finish();
        let median =
            |name: &str| self.starts.iter().find(|start| start.name == name)?.seconds.median();
        let candidates = [
            ("warm: time to the first result", "s", 4.0, median("warm")),
            (
                "plain notebook: CPU time to a variable, relative to stock",
                "",
                0.6,
                self.of_plain_notebook(),
            ),
            (
                "kernel with helpers: memory",
                "bytes",
                350.0 * 1e6,
                self.way("parcourse", true).and_then(|way| way.kernel_bytes.median()),
            ),
            ("latency of all cells, relative to stock", "", 0.7, self.all_cells().2.median()),
        ];
        let judged = |(name, unit, at_most, measured): (_, _, f64, Option<f64>)| {
            measured.map(|measured| Target {
                name,
                unit,
                at_most,
                measured,
                met: measured <= at_most,
            })
        };
        self.targets = candidates.into_iter().filter_map(judged).collect();
    }

    pub fn has_failures(&self) -> bool {
        self.starts.iter().any(|start| start.failure.is_some())
    }

    /// The sums over all cells, round by round: stock, ours, and their ratio.
    fn all_cells(&self) -> (Sample, Sample, Sample) {
        let stock = Sample::sums(self.cells.iter().map(|cell| &cell.evcxr.seconds));
        let ours = Sample::sums(self.cells.iter().map(|cell| &cell.parcourse.seconds));
        let ratio = ours.ratios(&stock);
        (stock, ours, ratio)
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
        writeln!(f, "parcourse {}, {rustc}, {cpus} CPUs, {rounds}", self.version)?;
        if let Some(load) = self.machine.too_busy() {
            writeln!(
                f,
                "The machine is busy (load {load:.1}): trust the ratios, which are computed \
                within a round, more than the times."
            )?;
        }
        if self.rounds < 5 {
            writeln!(f, "Fewer than 5 rounds: do not quote the medians.")?;
        }
        if !self.starts.is_empty() {
            write!(f, "\n{}", self.starts_table())?;
        }
        if !self.first_variable.is_empty() {
            write!(f, "\n{}", self.first_variable_table())?;
        }
        if !self.cells.is_empty() {
            write!(f, "\n{}", self.cells_table())?;
            write!(f, "\n{}", self.memory_table())?;
        }
        if !self.targets.is_empty() {
            let mut table = Table::new(&["Targets", "measured", "at most", ""]);
            for target in &self.targets {
                let verdict = if target.met { "met" } else { "missed" };
                let in_words = match target.unit {
                    "s" => units::seconds,
                    "bytes" => units::bytes,
                    _ => units::ratio,
                };
                table.row(vec![
                    target.name.into(),
                    in_words(target.measured),
                    in_words(target.at_most),
                    verdict.into(),
                ]);
            }
            write!(f, "\n{table}")?;
        }
        Ok(())
    }
}

impl Report {
    fn starts_table(&self) -> Table {
        let mut table = Table::new(&[
            "From start to first helper result",
            "fastest",
            "median",
            "slowest",
            "vs. stock",
            "answer",
            "1st cell",
            "2nd cell",
            "then a let",
        ]);
        for start in &self.starts {
            let name = start.start.in_words();
            match (&start.left_out, &start.failure) {
                (Some(reason), _) => table.row(vec![format!("{name}: left out, {reason}")]),
                (_, Some(reason)) => table.row(vec![format!("{name}: FAILED, {reason}")]),
                _ => {
                    let mut row = vec![name.to_string()];
                    row.extend(three(&start.seconds));
                    row.push(optional(start.ratio.as_ref().and_then(Sample::median), units::ratio));
                    let parts = [
                        &start.answer_seconds,
                        &start.first_cell_seconds,
                        &start.second_cell_seconds,
                        &start.variable_cell_seconds,
                    ];
                    row.extend(parts.map(|part| optional(part.median(), units::seconds)));
                    table.row(row);
                }
            }
        }
        table
    }

    fn way(&self, kernel: &str, helpers: bool) -> Option<&first_variable::Measured> {
        self.first_variable.iter().find(|way| way.kernel == kernel && way.helpers == helpers)
    }

    fn of_plain_notebook(&self) -> Option<f64> {
        let (stock, ours) = (self.way("evcxr", false)?, self.way("parcourse", false)?);
        ours.processor_seconds.ratios(&stock.processor_seconds).median()
    }

    fn first_variable_table(&self) -> Table {
        let heads = [
            "From start to the first variable",
            "CPU time",
            "vs. stock",
            "wall time",
            "kernel memory",
            "then 1 + 1",
        ];
        let mut table = Table::new(&heads);
        for way in &self.first_variable {
            let kernel = if way.kernel == "evcxr" { "stock" } else { "ours" };
            let notebook = if way.helpers { "with helpers" } else { "plain notebook" };
            let stock = self
                .way("evcxr", way.helpers)
                .map(|stock| way.processor_seconds.ratios(&stock.processor_seconds));
            table.row(vec![
                format!("{kernel}, {notebook}"),
                optional(way.processor_seconds.median(), units::seconds),
                optional(stock.and_then(|ratios| ratios.median()), units::ratio),
                optional(way.seconds.median(), units::seconds),
                optional(way.kernel_bytes.median(), units::bytes),
                optional(way.expression_seconds.median(), units::seconds),
            ]);
        }
        table
    }

    fn cells_table(&self) -> Table {
        let mut table = Table::new(&[
            "Latency of a cell",
            "stock: fastest",
            "median",
            "slowest",
            "ours: fastest",
            "median",
            "slowest",
            "ratio",
            "compile",
            "run",
        ]);
        for cell in &self.cells {
            let mut row = vec![cell.name.to_string()];
            row.extend(three(&cell.evcxr.seconds));
            row.extend(three(&cell.parcourse.seconds));
            row.push(optional(cell.ratio.median(), units::ratio));
            let parts = [&cell.parcourse.compile_seconds, &cell.parcourse.run_seconds];
            row.extend(parts.map(|part| optional(part.median(), units::seconds)));
            table.row(row);
        }
        let (stock, ours, ratio) = self.all_cells();
        let mut row = vec!["all".to_string()];
        row.extend(three(&stock));
        row.extend(three(&ours));
        row.push(optional(ratio.median(), units::ratio));
        table.row(row);
        let first = |of: fn(&latency::Measured) -> f64| self.cells.iter().map(of).sum::<f64>();
        let (stock, ours) =
            (first(|cell| cell.evcxr.first_seconds), first(|cell| cell.parcourse.first_seconds));
        let (blank, once) = (String::new(), |value| units::seconds(value));
        let row = [
            "all, first pass".into(),
            blank.clone(),
            once(stock),
            blank.clone(),
            blank.clone(),
            once(ours),
            blank,
        ];
        table.row(row.into_iter().chain([units::ratio(ours / stock)]).collect());
        table
    }

    fn memory_table(&self) -> Table {
        let mut table = Table::new(&["Memory after the cells", "PSS", "RSS"]);
        if self.memory.is_empty() {
            table.row(vec!["left out: this system has no /proc".into()]);
        }
        for part in &self.memory {
            let kernel = if part.kernel == "evcxr" { "stock" } else { "ours" };
            let amounts = [part.pss_bytes, part.rss_bytes].map(|bytes| units::bytes(bytes as f64));
            table.row([format!("{kernel}, {}", part.process)].into_iter().chain(amounts).collect());
        }
        table
    }
}

fn three(sample: &Sample) -> [String; 3] {
    [sample.min(), sample.median(), sample.max()].map(|value| optional(value, units::seconds))
}

fn optional(value: Option<f64>, in_words: fn(f64) -> String) -> String {
    value.map(in_words).unwrap_or_else(|| "-".to_string())
}
