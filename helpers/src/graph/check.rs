//! From names to indices: looks names up, finds cycles, and sorts the tasks into an order in which
//! they could run one by one.

use super::Graph;
use std::collections::HashMap;
use std::fmt;

/// The graph as indices of tasks and resources.
#[derive(Debug)]
pub(super) struct Links {
    /// The tasks that each task waits for.
    pub(super) before: Vec<Vec<usize>>,
    /// The tasks that wait for each task.
    pub(super) after: Vec<Vec<usize>>,
    /// The resources that each task occupies.
    pub(super) uses: Vec<Vec<usize>>,
    /// All tasks, each after those it waits for; otherwise in the order in which they were added.
    pub(super) order: Vec<usize>,
}

impl Links {
    pub(super) fn of(graph: &Graph) -> Result<Links, Error> {
        let tasks: HashMap<&str, usize> = graph
            .tasks
            .iter()
            .enumerate()
            .map(|(index, task)| (task.name.as_str(), index))
            .collect();
        let mut before = Vec::with_capacity(graph.len());
        let mut uses = Vec::with_capacity(graph.len());
        for task in &graph.tasks {
            let unknown_task = |missing: &String| {
                Error(ErrorKind::UnknownTask { task: task.name.clone(), missing: missing.clone() })
            };
            let unknown_resource = |missing: &String| {
                Error(ErrorKind::UnknownResource {
                    task: task.name.clone(),
                    missing: missing.clone(),
                })
            };
            let find =
                |name: &String| tasks.get(name.as_str()).copied().ok_or_else(|| unknown_task(name));
            let find_resource = |name: &String| {
                graph
                    .resources
                    .iter()
                    .position(|(other, _)| other == name)
                    .ok_or_else(|| unknown_resource(name))
            };
            before.push(task.after.iter().map(find).collect::<Result<Vec<_>, _>>()?);
            uses.push(task.uses.iter().map(find_resource).collect::<Result<Vec<_>, _>>()?);
        }
        let mut after = vec![Vec::new(); graph.len()];
        for (task, needs) in before.iter().enumerate() {
            needs.iter().for_each(|&need: &usize| after[need].push(task));
        }
        let order = order(&before, &after).map_err(|cycle| {
            let tasks = cycle.into_iter().map(|index| graph.tasks[index].name.clone()).collect();
            Error(ErrorKind::Cycle { tasks })
        })?;
        Ok(Links { before, after, uses, order })
    }
}

/// Kahn's algorithm; the error is a cycle, each task followed by one that waits for it.
fn order(before: &[Vec<usize>], after: &[Vec<usize>]) -> Result<Vec<usize>, Vec<usize>> {
    let mut waits_for: Vec<usize> = before.iter().map(Vec::len).collect();
    let mut ready: std::collections::BTreeSet<usize> =
        (0..before.len()).filter(|&task| waits_for[task] == 0).collect();
    let mut order = Vec::with_capacity(before.len());
    while let Some(task) = ready.pop_first() {
        order.push(task);
        for &next in &after[task] {
            waits_for[next] -= 1;
            if waits_for[next] == 0 {
                ready.insert(next);
            }
        }
    }
    let Some(start) = waits_for.iter().position(|&count| count > 0) else { return Ok(order) };
    // Each remaining task waits for another remaining one, so following them must lead to a task
    // seen before.
    let mut trail = vec![start];
    loop {
        let last = trail[trail.len() - 1];
        let next = *before[last]
            .iter()
            .find(|&&need| waits_for[need] > 0)
            .expect("a remaining task waits for another remaining one");
        if let Some(begin) = trail.iter().position(|&seen| seen == next) {
            let mut cycle = trail.split_off(begin);
            cycle.reverse();
            let smallest = cycle
                .iter()
                .enumerate()
                .min_by_key(|(_, task)| **task)
                .map_or(0, |(position, _)| position);
            cycle.rotate_left(smallest);
            return Err(cycle);
        }
        trail.push(next);
    }
}

/// Why a graph cannot run; its message names the tasks.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Error(pub(super) ErrorKind);

#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum ErrorKind {
    UnknownTask { task: String, missing: String },
    UnknownResource { task: String, missing: String },
    Cycle { tasks: Vec<String> },
}

impl fmt::Display for Error {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "failed to order the tasks: ")?;
        match &self.0 {
            ErrorKind::UnknownTask { task, missing } => {
                write!(formatter, "`{task}` waits for `{missing}`, which is not a task")
            }
            ErrorKind::UnknownResource { task, missing } => {
                write!(formatter, "`{task}` uses `{missing}`, which is not a resource of the graph")
            }
            ErrorKind::Cycle { tasks } if tasks.len() == 1 => {
                write!(formatter, "`{}` waits for itself", tasks[0])
            }
            ErrorKind::Cycle { tasks } => {
                tasks.iter().try_for_each(|task| write!(formatter, "`{task}` → "))?;
                write!(formatter, "`{}` form a cycle", tasks[0])
            }
        }
    }
}

impl std::error::Error for Error {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_may_come_later_and_order_respects_them() {
        let graph = Graph::new().task("c", 1).after(["b"]).task("a", 1).task("b", 1).after(["a"]);
        assert_eq!(Links::of(&graph).unwrap().order, [1, 2, 0]);
    }

    #[test]
    fn cycles_are_named_in_the_order_of_work() {
        let error = |graph: Graph| graph.check().unwrap_err().to_string();
        let itself = Graph::new().task("a", 1).after(["a"]);
        assert_eq!(error(itself), "failed to order the tasks: `a` waits for itself");
        let graph = Graph::new()
            .task("in", 1)
            .task("a", 1)
            .after(["in", "c"])
            .task("b", 1)
            .after(["a"])
            .task("c", 1)
            .after(["b"]);
        let graph = graph.task("out", 1).after(["c"]);
        assert_eq!(error(graph), "failed to order the tasks: `a` → `b` → `c` → `a` form a cycle");
    }

    #[test]
    fn unknown_names_are_named_with_their_task() {
        let error = |graph: Graph| graph.check().unwrap_err().to_string();
        let task = Graph::new().task("eat", 1).after(["cook"]);
        assert_eq!(
            error(task),
            "failed to order the tasks: `eat` waits for `cook`, which is not a task"
        );
        let resource = Graph::new().task("cook", 1).uses("stove");
        assert_eq!(
            error(resource),
            "failed to order the tasks: `cook` uses `stove`, which is not a resource of the graph"
        );
    }
}
