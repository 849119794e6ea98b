//! Tasks that depend on each other: drawn, planned on paper, and run by several workers.
//!
//! A [`Graph`] holds named tasks. Each task knows which others it must wait for, how long it takes
//! (or a closure to run), and which [resources](Graph::resource) it occupies meanwhile. Workers are
//! threads with names.
//!
//! ```
//! use parcourse::prelude::*;
//! let soup = Graph::new()
//!     .clock("min", Duration::from_millis(1))
//!     .resource("stove", 1)
//!     .task("peas", 60).uses("stove").unattended()
//!     .task("chop", 15)
//!     .task("simmer", 20).after(["peas", "chop"]).uses("stove").unattended();
//! assert_eq!(soup.critical_path(), ["peas", "simmer"]);
//! assert_eq!((soup.work(), soup.span()), (95.0, 80.0));
//! let alone = soup.run_with(["Alice"]);
//! assert!(alone.makespan() >= 80.0 && alone.speed_up() <= soup.parallelism());
//! ```
//!
//! | Dask | here |
//! |---|---|
//! | `delayed(f)(a, b)` | `.task("c", f).after(["a", "b"])` |
//! | `x.visualize(rankdir="LR")` | `graph.visualize()`, or the graph as the last expression of a cell |
//! | `x.compute(num_workers=2)` | `graph.run_with(2)` |
//!
//! *List scheduling* decides who does what at run time: whenever a worker is free, it gets the task
//! with the longest path to the end among those that could start. Ties go to the task added first
//! and to the worker named first. Without resources this is never worse than twice the best
//! possible schedule (Graham, 1969), and usually much better; finding the best one is too hard for
//! larger graphs.
//!
//! Values do not travel along the arrows; closures share what they pass on. Reading order: `work`,
//! `check`, `dispatch`, `plan` and `run`, `schedule`, then `layout` and `draw`.

mod check;
mod describe;
mod dispatch;
mod draw;
mod gantt;
mod layout;
mod plan;
mod run;
mod schedule;
mod work;

pub use check::Error;
pub use schedule::{Entry, Schedule};
pub use work::{IntoWork, Work, Workers};

use check::Links;
use std::time::Duration;

/// Named tasks with their dependencies; see the [module](self).
///
/// Built step by step: [`task`](Graph::task) adds a task, and [`after`](Graph::after),
/// [`uses`](Graph::uses) and [`unattended`](Graph::unattended) configure the task added last. You
/// may name dependencies before you add them: names are looked up when the graph is used.
///
/// All times are in the unit of its [`clock`](Graph::clock), by default seconds.
///
/// A notebook shows it as a drawing, as from [`visualize`](Graph::visualize).
#[derive(Clone)]
pub struct Graph {
    tasks: Vec<Task>,
    resources: Vec<(String, usize)>,
    clock: Clock,
}

/// One task, as it was added.
#[derive(Clone)]
struct Task {
    name: String,
    work: Work,
    after: Vec<String>,
    uses: Vec<String>,
    unattended: bool,
}

impl Task {
    #[inline(never)]
    fn push_after(&mut self, name: String) {
        if !self.after.contains(&name) {
            self.after.push(name);
        }
    }
}

/// The unit of time of a graph, and its real duration.
#[derive(Clone, PartialEq, Debug)]
struct Clock {
    unit: String,
    tick: Duration,
}

impl Clock {
    /// Converts a real duration to units.
    fn units(&self, duration: Duration) -> f64 {
        duration.as_secs_f64() / self.tick.as_secs_f64()
    }
}

impl Default for Graph {
    fn default() -> Graph {
        Graph::new()
    }
}

impl Graph {
    /// An empty graph.
    pub fn new() -> Graph {
        Graph {
            tasks: Vec::new(),
            resources: Vec::new(),
            clock: Clock { unit: "s".into(), tick: Duration::from_secs(1) },
        }
    }

    /// Sets the unit of time, and how long one unit really takes when the graph runs: minutes can
    /// pass in milliseconds.
    ///
    /// # Panics
    ///
    /// Panics if the tick is zero.
    ///
    /// # Examples
    ///
    /// ```
    /// use parcourse::prelude::*;
    /// let nap = Graph::new().clock("h", Duration::from_millis(5)).task("sleep", 8).run();
    /// assert!(nap.makespan() >= 8.0);
    /// ```
    #[track_caller]
    pub fn clock(mut self, unit: &str, tick: Duration) -> Graph {
        assert!(!tick.is_zero(), "the unit `{unit}` must take some time: its tick is zero");
        self.clock = Clock { unit: unit.to_string(), tick };
        self
    }

    /// Adds a resource with `capacity` units, which tasks can [use](Graph::uses).
    ///
    /// # Panics
    ///
    /// Panics if the capacity is 0, or the resource already exists.
    #[track_caller]
    pub fn resource(mut self, name: &str, capacity: usize) -> Graph {
        assert!(capacity > 0, "a task that uses `{name}` could never run: its capacity is 0");
        assert!(
            self.resources.iter().all(|(other, _)| other != name),
            "resource `{name}` already exists"
        );
        self.resources.push((name.to_string(), capacity));
        self
    }

    /// Adds a task. Its work is a number (that many units of the [`clock`](Graph::clock) pass), a
    /// [`Duration`] of real time, or a closure. The closure must be `Fn() + Send + Sync + 'static`,
    /// because a thread runs it, and may run it again in the next run.
    ///
    /// # Panics
    ///
    /// Panics if a task of this name already exists, or the number is negative.
    ///
    /// # Examples
    ///
    /// ```
    /// use parcourse::prelude::*;
    /// let graph = Graph::new().task("wait", 0.01);
    /// let graph = graph.task("compute", || println!("{}", 6 * 7)).after(["wait"]);
    /// graph.run();
    /// ```
    #[track_caller]
    pub fn task(mut self, name: impl Into<String>, work: impl IntoWork) -> Graph {
        self.push(name.into(), work.into_work());
        self
    }

    #[track_caller]
    #[inline(never)]
    fn push(&mut self, name: String, work: Work) {
        assert!(self.tasks.iter().all(|task| task.name != name), "task `{name}` already exists");
        work.check(&name);
        self.tasks.push(Task {
            name,
            work,
            after: Vec::new(),
            uses: Vec::new(),
            unattended: false,
        });
    }

    /// Makes the task added last wait for these tasks.
    ///
    /// # Panics
    ///
    /// Panics if there is no task yet.
    #[track_caller]
    pub fn after<Name: Into<String>>(mut self, names: impl IntoIterator<Item = Name>) -> Graph {
        let task = self.last("after");
        names.into_iter().for_each(|name| task.push_after(name.into()));
        self
    }

    /// Makes the task added last occupy one unit of this [resource](Graph::resource) while it runs.
    ///
    /// # Panics
    ///
    /// Panics if there is no task yet, or it already uses this resource.
    #[track_caller]
    pub fn uses(mut self, resource: impl Into<String>) -> Graph {
        let resource = resource.into();
        let task = self.last("uses");
        assert!(!task.uses.contains(&resource), "`{}` uses `{resource}` already", task.name);
        task.uses.push(resource);
        self
    }

    /// Makes the task added last run without a worker, like soup on a stove.
    ///
    /// # Panics
    ///
    /// Panics if there is no task yet.
    #[track_caller]
    pub fn unattended(mut self) -> Graph {
        self.last("unattended").unattended = true;
        self
    }

    #[track_caller]
    fn last(&mut self, verb: &str) -> &mut Task {
        self.tasks.last_mut().unwrap_or_else(|| {
            panic!("`{verb}` refers to the task added last, and there is none yet")
        })
    }

    /// The number of tasks.
    pub fn len(&self) -> usize {
        self.tasks.len()
    }

    /// Whether there are no tasks.
    pub fn is_empty(&self) -> bool {
        self.tasks.is_empty()
    }

    /// The unit of all times.
    pub fn unit(&self) -> &str {
        &self.clock.unit
    }

    /// Checks whether the graph can run.
    ///
    /// # Errors
    ///
    /// Fails if a task waits for an unknown task or uses an unknown resource, or if tasks form a
    /// cycle. The error names the tasks.
    ///
    /// # Examples
    ///
    /// ```
    /// use parcourse::prelude::*;
    /// let cycle = Graph::new().task("egg", 21).after(["hen"]).task("hen", 150).after(["egg"]);
    /// let error = cycle.check().unwrap_err().to_string();
    /// assert_eq!(error, "failed to order the tasks: `egg` → `hen` → `egg` form a cycle");
    /// ```
    pub fn check(&self) -> Result<(), Error> {
        Links::of(self).map(drop)
    }

    #[track_caller]
    fn links(&self) -> Links {
        Links::of(self).unwrap_or_else(|error| panic!("{error}"))
    }

    /// The expected duration of each task, in units. Closures, whose duration is unknown, count as
    /// one.
    fn durations(&self) -> Vec<f64> {
        self.tasks.iter().map(|task| task.work.units(&self.clock)).collect()
    }

    /// The sum of the expected durations, in units: the time of a single worker who does one thing
    /// at a time.
    ///
    /// Closures, whose duration is unknown before they run, count as one unit here, in
    /// [`span`](Graph::span) and in [`plan`](Graph::plan).
    pub fn work(&self) -> f64 {
        self.durations().iter().sum()
    }

    /// The length of the critical path, in units: a lower bound for any number of workers.
    ///
    /// # Panics
    ///
    /// Panics if the graph does not pass [`check`](Graph::check).
    #[track_caller]
    pub fn span(&self) -> f64 {
        dispatch::to_end(&self.links(), &self.durations()).into_iter().fold(0.0, f64::max)
    }

    /// The names of the tasks on the longest path through the graph, from first to last. Of several
    /// equally long ones, the one added first.
    ///
    /// # Panics
    ///
    /// Panics if the graph does not pass [`check`](Graph::check).
    #[track_caller]
    pub fn critical_path(&self) -> Vec<String> {
        let path = dispatch::critical(&self.links(), &self.durations());
        path.into_iter().map(|index| self.tasks[index].name.clone()).collect()
    }

    /// [`work`](Graph::work) divided by [`span`](Graph::span): how many workers could be busy on
    /// average, and the limit of any speed-up.
    ///
    /// # Panics
    ///
    /// Panics if the graph does not pass [`check`](Graph::check).
    #[track_caller]
    pub fn parallelism(&self) -> f64 {
        schedule::ratio(self.work(), self.span())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Work, span and path computed by hand: a(1) → b(4) → d(1), a → c(2) → d.
    #[test]
    fn critical_path_of_a_diamond() {
        let graph = Graph::new()
            .task("a", 1)
            .task("b", 4)
            .after(["a"])
            .task("c", 2)
            .after(["a"])
            .task("d", 1)
            .after(["b", "c"]);
        assert_eq!((graph.work(), graph.span()), (8.0, 6.0));
        assert_eq!(graph.critical_path(), ["a", "b", "d"]);
        assert!((graph.parallelism() - 8.0 / 6.0).abs() < 1e-12);
    }

    #[test]
    fn graphs_at_the_edges() {
        let none = Graph::new();
        assert_eq!((none.work(), none.span(), none.parallelism()), (0.0, 0.0, 1.0));
        assert_eq!(none.critical_path(), Vec::<String>::new());
        let one = Graph::new().task("a", Duration::from_millis(500));
        assert_eq!((one.work(), one.span(), one.parallelism()), (0.5, 0.5, 1.0));
        let wide = (0..4).fold(Graph::new(), |graph, i| graph.task(format!("task {i}"), 2));
        assert_eq!((wide.parallelism(), wide.critical_path()), (4.0, vec!["task 0".to_string()]));
    }

    #[test]
    #[should_panic(expected = "task `a` already exists")]
    fn names_are_unique() {
        Graph::new().task("a", 1).task("a", 1);
    }

    #[test]
    #[should_panic(expected = "`after` refers to the task added last")]
    fn options_need_a_task() {
        Graph::new().after(["a"]);
    }

    #[test]
    #[should_panic(expected = "`a` cannot take -1 units of time")]
    fn time_does_not_run_backwards() {
        Graph::new().task("a", -1);
    }

    #[test]
    #[should_panic(expected = "`b` waits for `nobody`, which is not a task")]
    fn using_a_broken_graph_says_what_is_wrong() {
        Graph::new().task("b", 1).after(["nobody"]).span();
    }
}
