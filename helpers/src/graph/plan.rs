//! A run on paper: the clock jumps from the end of one task to the next.

use super::dispatch::{Dispatcher, Start};
use super::{Graph, Schedule, Workers};

impl Graph {
    /// Computes how a run would go if every task took exactly its expected time and everything else
    /// took none. Runs nothing.
    ///
    /// Closures count as one unit. The plan is the same every time.
    ///
    /// # Panics
    ///
    /// Panics if the graph does not pass [`check`](Graph::check), or if there is no worker and a
    /// task needs one.
    ///
    /// # Examples
    ///
    /// ```
    /// use parcourse::prelude::*;
    /// let dishes = Graph::new().task("soup", 3).task("salad", 2).task("cake", 4);
    /// let dishes = dishes.task("serve", 1).after(["soup", "salad", "cake"]);
    /// let makespans: Vec<f64> = (1..=4).map(|cooks| dishes.plan(cooks).makespan()).collect();
    /// assert_eq!(makespans, [10.0, 6.0, 5.0, 5.0]);
    /// ```
    #[track_caller]
    pub fn plan(&self, workers: impl Workers) -> Schedule {
        self.plan_of(workers.names())
    }

    #[track_caller]
    fn plan_of(&self, workers: Vec<String>) -> Schedule {
        self.check_workers(&workers);
        let links = self.links();
        let durations = self.durations();
        let mut dispatcher = Dispatcher::new(self, &links, workers.len());
        let mut running: Vec<(f64, f64, Start)> = Vec::new();
        let mut done = Vec::with_capacity(self.len());
        let mut now = 0.0;
        loop {
            while let Some(start) = dispatcher.next() {
                running.push((now + durations[start.task], now, start));
            }
            // Of those that end together, the one that started first; the others follow at the same
            // time.
            let first = (0..running.len()).min_by(|&a, &b| running[a].0.total_cmp(&running[b].0));
            let Some(first) = first else { break };
            let (end, begin, start) = running.remove(first);
            now = end;
            dispatcher.finish(&start);
            done.push((start, begin, end));
            // All ends at this moment count before anything starts.
            while let Some(also) = running.iter().position(|(end, ..)| *end == now) {
                let (end, begin, start) = running.remove(also);
                dispatcher.finish(&start);
                done.push((start, begin, end));
            }
        }
        Schedule::new(self, &links, workers, done)
    }

    /// Workers must exist if they are needed, and have different names.
    #[track_caller]
    pub(super) fn check_workers(&self, workers: &[String]) {
        if let Some(task) = self.tasks.iter().find(|task| !task.unattended) {
            assert!(!workers.is_empty(), "`{}` needs a worker, and there is none", task.name);
        }
        for (index, worker) in workers.iter().enumerate() {
            assert!(!workers[..index].contains(worker), "two workers are called `{worker}`");
            assert!(
                self.resources.iter().all(|(resource, _)| resource != worker),
                "`{worker}` is a resource and cannot be a worker, too"
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(schedule: &Schedule) -> Vec<(&str, &str, f64, f64)> {
        schedule
            .entries()
            .iter()
            .map(|entry| (entry.task.as_str(), entry.worker.as_str(), entry.start, entry.end))
            .collect()
    }

    /// By hand: `long` first, because it has the longest path to the end; then `b` before `c`,
    /// which is equal but added later.
    #[test]
    fn most_urgent_first_and_ties_in_order() {
        let graph = Graph::new()
            .task("b", 2)
            .task("c", 2)
            .task("long", 3)
            .task("end", 1)
            .after(["b", "c", "long"]);
        let plan = graph.plan(["Alice", "Bob"]);
        assert_eq!(
            rows(&plan),
            [
                ("long", "Alice", 0.0, 3.0),
                ("b", "Bob", 0.0, 2.0),
                ("c", "Bob", 2.0, 4.0),
                ("end", "Alice", 4.0, 5.0)
            ]
        );
        assert_eq!((plan.makespan(), plan.work(), plan.speed_up()), (5.0, 8.0, 1.6));
    }

    #[test]
    fn tasks_wait_for_resources_but_never_for_each_other_without_need() {
        let graph = Graph::new().resource("stove", 1);
        let graph = graph
            .task("peas", 5)
            .uses("stove")
            .unattended()
            .task("fry", 3)
            .uses("stove")
            .task("chop", 2)
            .task("lay", 1);
        assert_eq!(
            rows(&graph.plan(["Alice"])),
            [
                ("peas", "stove", 0.0, 5.0),
                ("chop", "Alice", 0.0, 2.0),
                ("lay", "Alice", 2.0, 3.0),
                ("fry", "Alice", 5.0, 8.0)
            ]
        );
        assert_eq!(graph.clone().plan(["Alice", "Bob"]).makespan(), 8.0);
    }

    #[test]
    fn more_units_of_a_resource_are_told_apart() {
        let graph = Graph::new().resource("stove", 2);
        let graph = (0..3)
            .fold(graph, |graph, i| graph.task(format!("pot {i}"), 4).uses("stove").unattended());
        let plan = graph.plan(0);
        assert_eq!(
            rows(&plan),
            [
                ("pot 0", "stove 1", 0.0, 4.0),
                ("pot 1", "stove 2", 0.0, 4.0),
                ("pot 2", "stove 1", 4.0, 8.0)
            ]
        );
    }

    #[test]
    fn unattended_tasks_without_resource_get_rows_of_their_own() {
        let graph = Graph::new()
            .task("rest", 4)
            .unattended()
            .task("cool", 3)
            .unattended()
            .task("soak", 1)
            .after(["cool"])
            .unattended();
        let plan = graph.plan(0);
        assert_eq!(
            rows(&plan),
            [
                ("rest", "unattended", 0.0, 4.0),
                ("cool", "unattended 2", 0.0, 3.0),
                ("soak", "unattended 2", 3.0, 4.0)
            ]
        );
    }

    #[test]
    fn nothing_takes_no_time() {
        let plan = Graph::new().plan(1);
        assert_eq!((plan.makespan(), plan.speed_up(), plan.entries().len()), (0.0, 1.0, 0));
    }

    #[test]
    #[should_panic(expected = "`chop` needs a worker, and there is none")]
    fn somebody_has_to_work() {
        Graph::new().task("chop", 1).plan(0);
    }

    #[test]
    #[should_panic(expected = "two workers are called `Alice`")]
    fn workers_are_told_apart() {
        Graph::new().task("chop", 1).plan(["Alice", "Alice"]);
    }
}
