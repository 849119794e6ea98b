//! The result of a run or plan: who did what, and when.

use super::check::Links;
use super::dispatch::Start;
use super::{Clock, Graph, dispatch};

/// One task of a [`Schedule`].
#[derive(Clone, PartialEq, Debug)]
#[non_exhaustive]
pub struct Entry {
    /// The name of the task.
    pub task: String,
    /// The name of the worker. For an unattended task, its first resource (`stove`, or `stove 2` if
    /// there are several units), or `unattended`.
    pub worker: String,
    /// When it started, in units since the start of the run.
    pub start: f64,
    /// When it ended.
    pub end: f64,
    /// The resources it occupied.
    pub resources: Vec<String>,
}

impl Entry {
    /// How long it took, in units.
    pub fn duration(&self) -> f64 {
        self.end - self.start
    }
}

/// The course of a run, or of a [plan](Graph::plan) of one: the worker, start and end of each task.
///
/// All times are in the unit of the graph's [clock](Graph::clock), relative to the start of the
/// run; derived numbers use actual durations.
///
/// A notebook shows it as a Gantt chart; as text it is a table.
#[derive(Clone, PartialEq)]
pub struct Schedule {
    pub(super) entries: Vec<Entry>,
    pub(super) clock: Clock,
    /// All possible rows: workers, then resources.
    pub(super) rows: Vec<String>,
    critical_path: Vec<String>,
    span: f64,
}

/// A ratio of two times; 1 if both are zero.
pub(super) fn ratio(a: f64, b: f64) -> f64 {
    if b > 0.0 { a / b } else { 1.0 }
}

/// The name of one unit of a resource.
fn unit_name(graph: &Graph, (resource, unit): (usize, usize)) -> String {
    let (name, capacity) = &graph.resources[resource];
    if *capacity == 1 { name.clone() } else { format!("{name} {}", unit + 1) }
}

/// The row of an unattended task: its first resource, if it has one.
pub(super) fn row_name(graph: &Graph, start: &Start) -> Option<String> {
    start.units.first().map(|&unit| unit_name(graph, unit))
}

impl Schedule {
    pub(super) fn new(
        graph: &Graph,
        links: &Links,
        workers: Vec<String>,
        mut done: Vec<(Start, f64, f64)>,
    ) -> Schedule {
        let mut durations = vec![0.0; graph.len()];
        done.iter().for_each(|(start, from, to)| durations[start.task] = to - from);
        done.sort_by_key(|(start, ..)| start.number);
        // When each row of unattended tasks is free again.
        let mut unattended: Vec<f64> = Vec::new();
        let mut entries = Vec::with_capacity(done.len());
        for (start, from, to) in done {
            let worker = match start.worker {
                Some(worker) => workers[worker].clone(),
                None => row_name(graph, &start).unwrap_or_else(|| {
                    let row = unattended
                        .iter()
                        .position(|free| *free <= from)
                        .unwrap_or(unattended.len());
                    unattended.resize(unattended.len().max(row + 1), 0.0);
                    unattended[row] = to;
                    if row == 0 {
                        "unattended".to_string()
                    } else {
                        format!("unattended {}", row + 1)
                    }
                }),
            };
            let resources = start.units.iter().map(|&unit| unit_name(graph, unit)).collect();
            entries.push(Entry {
                task: graph.tasks[start.task].name.clone(),
                worker,
                start: from,
                end: to,
                resources,
            });
        }
        let units =
            graph.resources.iter().enumerate().flat_map(|(resource, (_, capacity))| {
                (0..*capacity).map(move |unit| (resource, unit))
            });
        let others = (1..=unattended.len()).map(|row| {
            if row == 1 { "unattended".to_string() } else { format!("unattended {row}") }
        });
        let rows = workers
            .into_iter()
            .chain(units.map(|unit| unit_name(graph, unit)))
            .chain(others)
            .collect();
        let path = dispatch::critical(links, &durations);
        let span = path.iter().map(|&task| durations[task]).sum();
        let critical_path = path.into_iter().map(|task| graph.tasks[task].name.clone()).collect();
        Schedule { entries, clock: graph.clock.clone(), rows, critical_path, span }
    }

    /// All tasks, in the order in which they were handed out.
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// The entry of a task; `None` if there is no task of this name.
    pub fn entry(&self, task: &str) -> Option<&Entry> {
        self.entries.iter().find(|entry| entry.task == task)
    }

    /// The unit of all times.
    pub fn unit(&self) -> &str {
        &self.clock.unit
    }

    /// When the last task ended, in units.
    pub fn makespan(&self) -> f64 {
        self.entries.iter().map(|entry| entry.end).fold(0.0, f64::max)
    }

    /// The sum of the actual durations, in units.
    pub fn work(&self) -> f64 {
        self.entries.iter().map(Entry::duration).sum()
    }

    /// The length of the critical path, in units.
    pub fn span(&self) -> f64 {
        self.span
    }

    /// The names of the tasks on the longest path through the graph, by their actual durations.
    pub fn critical_path(&self) -> &[String] {
        &self.critical_path
    }

    /// Work divided by span: the limit of any speed-up.
    pub fn parallelism(&self) -> f64 {
        ratio(self.work(), self.span)
    }

    /// Work divided by makespan: how many times faster than one task after the other.
    pub fn speed_up(&self) -> f64 {
        ratio(self.work(), self.makespan())
    }
}
