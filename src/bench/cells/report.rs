//! The report on the cells, as tables and as JSON.

use super::Cost;
use super::object::Object;
use crate::bench::machine::Machine;
use crate::bench::statistics::Sample;
use crate::bench::table::Table;
use crate::bench::units;
use serde::Serialize;
use std::fmt;

#[derive(Serialize)]
pub struct Report {
    benchmark: &'static str,
    version: &'static str,
    machine: Machine,
    pub notebooks: Vec<Notebook>,
    /// Over all notebooks.
    all: Summary,
    pub cells: Vec<Single>,
    targets: Vec<Target>,
    #[serde(skip)]
    slowest: usize,
}

/// The cells of one notebook.
#[derive(Serialize)]
pub struct Notebook {
    name: String,
    /// The cost of `1 + 1` on its kernel.
    unit_cpu_seconds: f64,
    unit_seconds: f64,
    summary: Summary,
    cells: Vec<Cell>,
    /// Cells that were not compiled: only commands, or code that must not compile.
    left_out: usize,
    pub failure: Option<String>,
}

#[derive(Serialize)]
pub struct Cell {
    pub number: usize,
    pub source: String,
    /// CPU time relative to that of `1 + 1`.
    pub ratio: f64,
    /// Wall time relative to that of `1 + 1`.
    pub clock_ratio: f64,
    pub cost: Cost,
}

/// A cell of the fixed list.
#[derive(Serialize)]
pub struct Single {
    name: &'static str,
    pub seconds: Sample,
    pub cpu_seconds: Sample,
    pub object: Object,
}

/// Statistics of ratios.
#[derive(Serialize, Default)]
struct Summary {
    cells: usize,
    cpu: Spread,
    clock: Spread,
}

#[derive(Serialize, Default)]
struct Spread {
    median: Option<f64>,
    percentile_90: Option<f64>,
    max: Option<f64>,
}

#[derive(Serialize)]
struct Target {
    name: &'static str,
    measured: f64,
    at_most: f64,
    met: bool,
}

impl Single {
    pub fn new(name: &'static str) -> Single {
        Single {
            name,
            seconds: Sample::default(),
            cpu_seconds: Sample::default(),
            object: Object::default(),
        }
    }
}

impl Notebook {
    pub fn new(
        name: String,
        unit_cpu_seconds: f64,
        unit_seconds: f64,
        cells: Vec<Cell>,
        left_out: usize,
    ) -> Notebook {
        let summary = Summary::of(cells.iter());
        Notebook { name, unit_cpu_seconds, unit_seconds, summary, cells, left_out, failure: None }
    }

    pub fn failed(name: String, failure: String) -> Notebook {
        Notebook {
            failure: Some(failure),
            ..Notebook::new(name, f64::NAN, f64::NAN, Vec::new(), 0)
        }
    }
}

impl Summary {
    fn of<'a>(cells: impl Iterator<Item = &'a Cell> + Clone) -> Summary {
        let cpu: Sample = cells.clone().map(|cell| cell.ratio).collect();
        let clock: Sample = cells.clone().map(|cell| cell.clock_ratio).collect();
        Summary { cells: cells.count(), cpu: Spread::of(&cpu), clock: Spread::of(&clock) }
    }

    fn row(&self, name: &str, unit: String) -> Vec<String> {
        let both = |part: fn(&Spread) -> Option<f64>| match (part(&self.cpu), part(&self.clock)) {
            (Some(cpu), Some(clock)) => format!("{} ({})", units::ratio(cpu), units::ratio(clock)),
            _ => String::new(),
        };
        let parts = [
            both(|spread| spread.median),
            both(|spread| spread.percentile_90),
            both(|spread| spread.max),
        ];
        [name.to_owned(), self.cells.to_string(), unit].into_iter().chain(parts).collect()
    }
}

impl Spread {
    fn of(ratios: &Sample) -> Spread {
        Spread {
            median: ratios.median(),
            percentile_90: ratios.percentile(90.0),
            max: ratios.max(),
        }
    }
}

impl Report {
    pub fn new(
        machine: Machine,
        notebooks: Vec<Notebook>,
        cells: Vec<Single>,
        slowest: usize,
    ) -> Report {
        let all = Summary::of(notebooks.iter().flat_map(|notebook| &notebook.cells));
        let target = |name, measured: Option<f64>, at_most| {
            measured.map(|measured| Target { name, measured, at_most, met: measured <= at_most })
        };
        let targets = [
            target("median of all cells, relative to 1 + 1", all.cpu.median, 1.5),
            target("90th percentile", all.cpu.percentile_90, 2.5),
            target("slowest cell", all.cpu.max, 5.0),
        ];
        let targets = targets.into_iter().flatten().collect();
        Report {
            benchmark: "cells",
            version: env!("CARGO_PKG_VERSION"),
            machine,
            notebooks,
            all,
            cells,
            targets,
            slowest,
        }
    }

    fn notebooks_table(&self) -> Table {
        let mut table = Table::new(&[
            "CPU time (wall time) to compile, relative to 1 + 1",
            "cells",
            "1 + 1",
            "median",
            "90th",
            "max",
        ]);
        for notebook in &self.notebooks {
            match &notebook.failure {
                Some(failure) => table.row(vec![format!("{}: FAILED, {failure}", notebook.name)]),
                None => {
                    let unit = format!(
                        "{} ({})",
                        units::seconds(notebook.unit_cpu_seconds),
                        units::seconds(notebook.unit_seconds)
                    );
                    table.row(notebook.summary.row(&notebook.name, unit));
                }
            }
        }
        table.row(self.all.row("all", String::new()));
        table
    }

    fn slowest_table(&self) -> Table {
        let mut table = Table::new(&["Slowest cells", "cell", "ratio", "CPU time", "code"]);
        let mut cells: Vec<(&str, &Cell)> = self
            .notebooks
            .iter()
            .flat_map(|notebook| notebook.cells.iter().map(|cell| (notebook.name.as_str(), cell)))
            .collect();
        cells.sort_by(|(_, a), (_, b)| b.ratio.total_cmp(&a.ratio));
        for (notebook, cell) in cells.into_iter().take(self.slowest) {
            let Cost { cpu_seconds, object, .. } = &cell.cost;
            let (ratio, seconds, code) = (
                units::ratio(cell.ratio),
                units::seconds(*cpu_seconds),
                units::bytes(object.code_bytes as f64),
            );
            table.row(vec![notebook.to_owned(), cell.number.to_string(), ratio, seconds, code]);
            table.row(vec![format!("    {}", parts(object))]);
        }
        table
    }

    fn singles_table(&self) -> Table {
        let mut table =
            Table::new(&["Single cells", "CPU time", "wall time", "relative to 1 + 1", "code"]);
        let unit =
            self.cells.iter().find(|cell| cell.name == "1+1").map(|cell| cell.cpu_seconds.clone());
        for cell in &self.cells {
            let ratio = unit.as_ref().and_then(|unit| cell.cpu_seconds.ratios(unit).median());
            let times = [&cell.cpu_seconds, &cell.seconds]
                .map(|sample| sample.median().map(units::seconds).unwrap_or_default());
            let mut row = vec![cell.name.to_owned()];
            row.extend(times);
            row.extend([
                ratio.map(units::ratio).unwrap_or_default(),
                units::bytes(cell.object.code_bytes as f64),
            ]);
            table.row(row);
        }
        table
    }
}

/// Lists the five largest parts.
fn parts(object: &Object) -> String {
    let describe = |part: &super::object::Part| {
        format!("{} {} in {}", part.origin, units::bytes(part.bytes as f64), part.functions)
    };
    object.parts.iter().take(5).map(describe).collect::<Vec<_>>().join(", ")
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        if !self.notebooks.is_empty() {
            writeln!(f, "{}\n{}", self.notebooks_table(), self.slowest_table())?;
        }
        if !self.cells.is_empty() {
            writeln!(f, "{}", self.singles_table())?;
        }
        let mut table = Table::new(&["Targets", "measured", "at most", ""]);
        for target in &self.targets {
            let verdict = if target.met { "met" } else { "missed" };
            table.row(vec![
                target.name.into(),
                units::ratio(target.measured),
                units::ratio(target.at_most),
                verdict.into(),
            ]);
        }
        if !self.targets.is_empty() {
            write!(f, "{table}")?;
        }
        Ok(())
    }
}
