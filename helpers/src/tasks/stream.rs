//! Who did what, and when, and how well the work was distributed.

use super::log::{self, Part, Recording};
use crate::display::Table;
use crate::format::{FineDuration, counted};
use std::collections::HashMap;
use std::fmt;
use std::time::{Duration, Instant};

/// One task of a [`TaskStream`]. Times are relative to the start of the recording.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct Entry {
    /// The name of the task.
    pub task: String,
    /// The name of the worker.
    pub worker: String,
    /// When it started; zero if it was running when the recording started.
    pub start: Duration,
    /// When it ended.
    pub end: Duration,
}

impl Entry {
    /// How long it took.
    pub fn duration(&self) -> Duration {
        self.end - self.start
    }
}

/// What a worker did during a [`TaskStream`].
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct Worker {
    /// The name of the thread or process.
    pub name: String,
    /// How many tasks it did, including those within other tasks.
    pub tasks: usize,
    /// How long it was busy. Of nested tasks, only the outer one counts.
    pub busy: Duration,
    /// How long it was idle, until the last task of all workers ended.
    pub idle: Duration,
}

/// The result of a recording: the worker, start and end of each task; returned by
/// [`record`](super::record).
///
/// A notebook shows it as a Gantt chart: a row for each worker, a bar for each task, and white
/// where a worker was idle. As text it is a table of the workers. A graph's
/// [`Schedule`](crate::graph::Schedule) uses the same names.
///
/// For n workers with busy times b₁ … bₙ and the makespan T:
///
/// | | | |
/// |---|---|---|
/// | [`work`](TaskStream::work) | W | b₁ + … + bₙ |
/// | [`idle`](TaskStream::idle) | | n · T - W |
/// | [`load_balance`](TaskStream::load_balance) | | (W / n) / max bᵢ |
/// | [`efficiency`](TaskStream::efficiency) | | W / (n · T) |
/// | [`speed_up`](TaskStream::speed_up) | | W / T |
///
/// Load balance and (parallel) efficiency are the metrics of the [POP
/// project](https://co-design.pop-coe.eu/metrics/parallel_efficiency.html): the efficiency is the
/// load balance times the share of the makespan in which the busiest worker was busy. Busy does not
/// mean productive: a worker that waits for memory or for a lock is busy, too.
///
/// The workers are all that have done a task, and all threads of a rayon pool if one of them has;
/// nothing is known of others that were idle all the time. (rayon runs a single item on the calling
/// thread.)
#[derive(Clone, PartialEq)]
pub struct TaskStream {
    /// Sorted by start.
    entries: Vec<Entry>,
    workers: Vec<Worker>,
    makespan: Duration,
    left_out: usize,
}

impl TaskStream {
    pub(super) fn so_far(recording: &Recording) -> TaskStream {
        TaskStream::new(recording.begin, recording.so_far())
    }

    fn new(begin: Instant, parts: Vec<Part>) -> TaskStream {
        let left_out = parts.iter().map(|part| part.left_out).sum();
        let mut names: Vec<String> = Vec::new();
        if let Some(threads) = parts.iter().filter_map(|part| part.worker.rayon_threads).max() {
            names.extend((0..threads).map(log::rayon_thread_name));
        }
        let mut entries = Vec::with_capacity(parts.iter().map(|part| part.tasks.len()).sum());
        for Row { worker, tasks, .. } in rows(begin, parts) {
            entries.extend(tasks.into_iter().map(|(task, start, end)| Entry {
                task,
                worker: worker.clone(),
                start,
                end,
            }));
            names.push(worker);
        }
        names.sort_by_cached_key(|name| log::name_order(name));
        names.dedup();
        // If two start together, the longer one is the outer one.
        entries.sort_by_key(|entry| (entry.start, std::cmp::Reverse(entry.end)));
        let makespan = entries.iter().map(|entry| entry.end).max().unwrap_or_default();
        let workers = busy(names, &entries, makespan);
        TaskStream { entries, workers, makespan, left_out }
    }

    /// All tasks, sorted by start.
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// The workers, sorted by name, with their busy and idle times.
    pub fn workers(&self) -> &[Worker] {
        &self.workers
    }

    /// When the last task ended, relative to the start of the recording.
    pub fn makespan(&self) -> Duration {
        self.makespan
    }

    /// The busy time of all workers together. Of nested tasks, only the outer one counts.
    pub fn work(&self) -> Duration {
        self.workers.iter().map(|worker| worker.busy).sum()
    }

    /// The idle time of all workers together: number of workers × makespan - work. See
    /// [`workers`](TaskStream::workers) for each of them.
    pub fn idle(&self) -> Duration {
        self.workers.iter().map(|worker| worker.idle).sum()
    }

    /// The mean of the workers' busy times divided by the longest: 1 if all did the same amount, 1
    /// / workers if one did everything. Without any work it is 1.
    pub fn load_balance(&self) -> f64 {
        let busiest = self.workers.iter().map(|worker| worker.busy).max().unwrap_or_default();
        ratio(self.work(), busiest) / self.workers.len().max(1) as f64
    }

    /// Work divided by (number of workers × makespan): 1 if no worker was ever idle. Without any
    /// work it is 1.
    pub fn efficiency(&self) -> f64 {
        ratio(self.work(), self.makespan) / self.workers.len().max(1) as f64
    }

    /// Work divided by makespan: how many times faster than one task after the other, if each had
    /// taken as long alone. Without any work it is 1.
    pub fn speed_up(&self) -> f64 {
        ratio(self.work(), self.makespan)
    }

    /// The tasks as a table: task, worker, start, end.
    pub fn to_table(&self) -> Table {
        let text =
            |of: fn(&Entry) -> &String| self.entries.iter().map(of).cloned().collect::<Vec<_>>();
        Table::new()
            .column("task", text(|entry| &entry.task))
            .column("worker", text(|entry| &entry.worker))
            .column("start", self.entries.iter().map(|entry| entry.start))
            .column("end", self.entries.iter().map(|entry| entry.end))
    }

    /// `8 tasks, 2 workers, 12.3 ms: efficiency 0.82, load balance 0.93`
    pub(super) fn summary(&self) -> String {
        let (tasks, workers) =
            (counted(self.entries.len(), "task"), counted(self.workers.len(), "worker"));
        if self.entries.is_empty() {
            return tasks;
        }
        let (makespan, efficiency, balance) =
            (FineDuration(self.makespan), self.efficiency(), self.load_balance());
        format!(
            "{tasks}, {workers}, {makespan}: efficiency {efficiency:.2}, load balance {balance:.2}"
        )
    }

    /// What is missing from the stream.
    fn note(&self) -> Option<String> {
        (self.left_out > 0).then(|| {
            format!(
                "{} more tasks did not fit into the recording: the figures are too low",
                self.left_out
            )
        })
    }
}

/// The ratio of two times; 1 if the denominator is zero.
fn ratio(a: Duration, b: Duration) -> f64 {
    if b > Duration::ZERO { a.as_secs_f64() / b.as_secs_f64() } else { 1.0 }
}

type Times = (String, Duration, Duration);

/// A row of the chart, and until when it is occupied.
struct Row {
    worker: String,
    tasks: Vec<Times>,
    until: Duration,
}

/// The rows of the chart: one per worker. Threads of the same name get rows of their own if they
/// worked at the same time; if they worked one after the other, as in short-lived pools, they share
/// a row.
fn rows(begin: Instant, parts: Vec<Part>) -> Vec<Row> {
    let mut found: Vec<(String, Vec<Times>)> = Vec::new();
    for part in parts {
        let mut by_worker: HashMap<Option<Box<str>>, Vec<Times>> = HashMap::new();
        for task in part.tasks {
            // What started earlier counts from the start of the recording.
            let (start, end) = (
                task.start.saturating_duration_since(begin),
                task.end.saturating_duration_since(begin),
            );
            by_worker.entry(task.worker).or_default().push((task.name.into(), start, end));
        }
        found.extend(
            by_worker.into_iter().map(|(worker, tasks)| {
                (worker.map_or(part.worker.text.clone(), String::from), tasks)
            }),
        );
    }
    let first =
        |tasks: &[Times]| tasks.iter().map(|(_, start, _)| *start).min().unwrap_or_default();
    found.sort_by_cached_key(|(_, tasks)| first(tasks));
    let mut rows: Vec<Row> = Vec::new();
    for (name, tasks) in found {
        let until = tasks.iter().map(|(.., end)| *end).max().unwrap_or_default();
        let mut number = 1;
        loop {
            let worker = if number == 1 { name.clone() } else { format!("{name} ({number})") };
            match rows.iter_mut().find(|row| row.worker == worker) {
                None => rows.push(Row { worker, tasks, until }),
                Some(row) if row.until <= first(&tasks) => {
                    row.tasks.extend(tasks);
                    row.until = until;
                }
                Some(_) => {
                    number += 1;
                    continue;
                }
            }
            break;
        }
    }
    rows
}

/// The figures of each worker; the entries are sorted by start.
fn busy(names: Vec<String>, entries: &[Entry], makespan: Duration) -> Vec<Worker> {
    let numbers: HashMap<&str, usize> =
        names.iter().enumerate().map(|(number, name)| (name.as_str(), number)).collect();
    // For each worker: tasks, busy time, and until when it is known to be busy.
    let mut found = vec![(0, Duration::ZERO, Duration::ZERO); names.len()];
    for entry in entries {
        let (tasks, busy, until) = &mut found[numbers[entry.worker.as_str()]];
        *tasks += 1;
        *busy += entry.end.saturating_sub(entry.start.max(*until));
        *until = entry.end.max(*until);
    }
    let worker = |(name, (tasks, busy, _))| Worker { name, tasks, busy, idle: makespan - busy };
    names.into_iter().zip(found).map(worker).collect()
}

impl fmt::Display for TaskStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.summary())?;
        if let Some(note) = self.note() {
            write!(f, "\n{note}")?;
        }
        if self.workers.is_empty() {
            return Ok(());
        }
        let mut table = Table::with_names(["worker", "tasks", "busy", "idle"]);
        for worker in &self.workers {
            table = table.row((&worker.name, worker.tasks, worker.busy, worker.idle));
        }
        write!(f, "\n{table}")
    }
}

impl fmt::Debug for TaskStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// The name without the numbers at its end: `row` for `row 3`, `tile` for `tile (3, 4)`, `items`
/// for `items[7]`.
pub(super) fn name_stem(name: &str) -> &str {
    let is_number =
        |c: char| c.is_ascii_digit() || c.is_whitespace() || "()[]{},.:;-_#/×".contains(c);
    let stem = name.trim_end_matches(is_number);
    if name[stem.len()..].contains(|c: char| c.is_ascii_digit()) {
        if stem.is_empty() { "task" } else { stem }
    } else {
        name
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::super::log::FinishedTask;
    use super::*;
    use crate::tasks::log::Name;

    const MS: Duration = Duration::from_millis(1);

    fn part(begin: Instant, worker: &str, tasks: &[(&str, u32, u32)]) -> Part {
        let done = |&(name, start, end): &(&str, u32, u32)| FinishedTask {
            name: name.into(),
            worker: None,
            start: begin + start * MS,
            end: begin + end * MS,
        };
        Part {
            worker: Name { text: worker.into(), rayon_threads: None },
            tasks: tasks.iter().map(done).collect(),
            left_out: 0,
        }
    }

    /// Threads by name, each with tasks: name, start, end in milliseconds.
    pub(in crate::tasks) fn stream(parts: &[(&str, &[(&str, u32, u32)])]) -> TaskStream {
        let begin = Instant::now();
        TaskStream::new(
            begin,
            parts.iter().map(|(worker, tasks)| part(begin, worker, tasks)).collect(),
        )
    }

    #[test]
    fn figures_are_those_of_the_definitions() {
        let stream =
            stream(&[("b", &[("x", 0, 6), ("y", 6, 10)]), ("a", &[("x", 1, 4), ("y", 5, 6)])]);
        assert_eq!(
            stream.workers().iter().map(|worker| worker.name.as_str()).collect::<Vec<_>>(),
            ["a", "b"]
        );
        assert_eq!((stream.makespan(), stream.work(), stream.idle()), (10 * MS, 14 * MS, 6 * MS));
        assert_eq!(
            (stream.load_balance(), stream.efficiency(), stream.speed_up()),
            (0.7, 0.7, 1.4)
        );
        assert_eq!(
            stream.workers()[0],
            Worker { name: "a".into(), tasks: 2, busy: 4 * MS, idle: 6 * MS }
        );
        assert_eq!(
            stream.summary(),
            "4 tasks, 2 workers, 10.0 ms: efficiency 0.70, load balance 0.70"
        );
        assert_eq!(
            stream.to_string(),
            "4 tasks, 2 workers, 10.0 ms: efficiency 0.70, load balance 0.70\n\
            worker  tasks     busy     idle\n\
            a           2  4.00 ms  6.00 ms\n\
            b           2  10.0 ms     0 ns"
        );
        assert_eq!(stream.to_table().values("end"), [0.006, 0.004, 0.006, 0.01]);
    }

    #[test]
    fn tasks_within_tasks_are_not_counted_twice() {
        let stream = stream(&[(
            "a",
            &[
                ("inner", 2, 4),
                ("inner", 4, 5),
                ("outer", 1, 6),
                ("overlapping", 5, 8),
                ("next", 9, 10),
            ],
        )]);
        assert_eq!(stream.work(), 8 * MS);
        assert_eq!(stream.entries().len(), 5);
        assert_eq!(stream.entries()[0].task, "outer");
    }

    #[test]
    fn nothing_is_perfectly_balanced() {
        let stream = stream(&[]);
        assert_eq!(
            (stream.load_balance(), stream.efficiency(), stream.speed_up()),
            (1.0, 1.0, 1.0)
        );
        assert_eq!(
            (stream.to_string().as_str(), stream.makespan(), stream.workers().len()),
            ("0 tasks", Duration::ZERO, 0)
        );
    }

    #[test]
    fn threads_of_one_name_share_a_row_unless_at_the_same_time() {
        let stream = stream(&[
            ("pool-0", &[("c", 5, 6)]),
            ("pool-0", &[("a", 0, 3)]),
            ("pool-0", &[("b", 2, 4)]),
        ]);
        let rows: Vec<_> = stream
            .entries()
            .iter()
            .map(|entry| (entry.task.as_str(), entry.worker.as_str()))
            .collect();
        assert_eq!(rows, [("a", "pool-0"), ("b", "pool-0 (2)"), ("c", "pool-0")]);
    }

    #[test]
    fn idle_threads_of_rayon_are_workers() {
        let begin = Instant::now();
        let mut part = part(begin, "rayon 1", &[("a", 0, 4)]);
        part.worker.rayon_threads = Some(4);
        part.left_out = 3;
        let stream = TaskStream::new(begin, vec![part]);
        assert_eq!(
            (stream.workers().len(), stream.load_balance(), stream.idle()),
            (4, 0.25, 12 * MS)
        );
        assert!(stream.to_string().contains("3 more tasks did not fit"), "{stream}");
    }

    #[test]
    fn what_began_before_is_counted_from_the_beginning() {
        let begin = Instant::now();
        let part = part(begin, "a", &[("a", 0, 10)]);
        let stream = TaskStream::new(begin + 4 * MS, vec![part]);
        assert_eq!((stream.entries()[0].start, stream.work()), (Duration::ZERO, 6 * MS));
    }

    #[test]
    fn numbers_at_the_end_do_not_matter() {
        let names = [
            ("row 3", "row"),
            ("tile (3, 4)", "tile"),
            ("items[7]", "items"),
            ("pool-12", "pool"),
            ("stage 2 row 7", "stage 2 row"),
            ("chop onions", "chop onions"),
            ("done.", "done."),
            ("17", "task"),
            ("", ""),
            ("π 4", "π"),
        ];
        for (name, expected) in names {
            assert_eq!(name_stem(name), expected, "{name}");
        }
    }
}
