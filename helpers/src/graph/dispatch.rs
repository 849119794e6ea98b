//! List scheduling: who does what next. The rules are the same for a plan on paper and for real
//! threads; this file knows neither time nor threads.

use super::Graph;
use super::check::Links;

/// A task to start, and who does it.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct Start {
    /// 0 for the first task started, 1 for the second, …
    pub(super) number: usize,
    pub(super) task: usize,
    /// Index of the worker; `None` for an unattended task.
    pub(super) worker: Option<usize>,
    /// The units of resources it occupies: index of the resource, number of the unit.
    pub(super) units: Vec<(usize, usize)>,
}

/// The state of a run: which tasks wait, and which workers are free.
#[derive(Debug)]
pub(super) struct Dispatcher<'graph> {
    links: &'graph Links,
    unattended: Vec<bool>,
    /// Tasks that could start, the most urgent one first.
    ready: Vec<usize>,
    rank: Vec<usize>,
    waits_for: Vec<usize>,
    free_workers: Vec<bool>,
    free_units: Vec<Vec<bool>>,
    started: usize,
}

impl<'graph> Dispatcher<'graph> {
    pub(super) fn new(
        graph: &Graph,
        links: &'graph Links,
        num_workers: usize,
    ) -> Dispatcher<'graph> {
        let lengths = to_end(links, &graph.durations());
        let mut by_length: Vec<usize> = (0..graph.len()).collect();
        // A stable sort: equals keep the order in which they were added.
        by_length.sort_by(|&a, &b| lengths[b].total_cmp(&lengths[a]));
        let mut rank = vec![0; graph.len()];
        by_length.iter().enumerate().for_each(|(position, &task)| rank[task] = position);
        let waits_for: Vec<usize> = links.before.iter().map(Vec::len).collect();
        Dispatcher {
            links,
            unattended: graph.tasks.iter().map(|task| task.unattended).collect(),
            ready: by_length.into_iter().filter(|&task| waits_for[task] == 0).collect(),
            rank,
            waits_for,
            free_workers: vec![true; num_workers],
            free_units: graph.resources.iter().map(|(_, capacity)| vec![true; *capacity]).collect(),
            started: 0,
        }
    }

    /// Starts the most urgent task that can start now, if any, and returns it.
    pub(super) fn next(&mut self) -> Option<Start> {
        let (position, start) = self
            .ready
            .iter()
            .enumerate()
            .find_map(|(position, &task)| Some((position, self.start_of(task)?)))?;
        self.ready.remove(position);
        self.started += 1;
        self.set_free(&start, false);
        Some(start)
    }

    /// The worker and resources that a task would occupy, if all of them are free.
    fn start_of(&self, task: usize) -> Option<Start> {
        let first_free = |free: &[bool]| free.iter().position(|&is_free| is_free);
        let worker =
            if self.unattended[task] { None } else { Some(first_free(&self.free_workers)?) };
        let unit = |&resource: &usize| Some((resource, first_free(&self.free_units[resource])?));
        let units = self.links.uses[task].iter().map(unit).collect::<Option<Vec<_>>>()?;
        Some(Start { number: self.started, task, worker, units })
    }

    /// Marks a task as done: its worker and resources become free, and tasks that waited only for
    /// it become ready.
    pub(super) fn finish(&mut self, start: &Start) {
        self.set_free(start, true);
        for &next in &self.links.after[start.task] {
            self.waits_for[next] -= 1;
            if self.waits_for[next] == 0 {
                let place = self.ready.partition_point(|&other| self.rank[other] < self.rank[next]);
                self.ready.insert(place, next);
            }
        }
    }

    fn set_free(&mut self, start: &Start, is_free: bool) {
        if let Some(worker) = start.worker {
            self.free_workers[worker] = is_free;
        }
        for &(resource, unit) in &start.units {
            self.free_units[resource][unit] = is_free;
        }
    }
}

/// For each task, the longest path from its start to the end of the graph, including the task
/// itself.
pub(super) fn to_end(links: &Links, durations: &[f64]) -> Vec<f64> {
    let mut lengths = vec![0.0; durations.len()];
    for &task in links.order.iter().rev() {
        let rest = links.after[task].iter().map(|&next| lengths[next]).fold(0.0, f64::max);
        lengths[task] = durations[task] + rest;
    }
    lengths
}

/// The tasks of the critical path, first to last; of equal paths, the one added first.
pub(super) fn critical(links: &Links, durations: &[f64]) -> Vec<usize> {
    let lengths = to_end(links, durations);
    let longest = |tasks: &mut dyn Iterator<Item = usize>| -> Option<usize> {
        tasks.fold(None, |best, task| match best {
            Some(best)
                if lengths[best] > lengths[task]
                    || lengths[best] == lengths[task] && best < task =>
            {
                Some(best)
            }
            _ => Some(task),
        })
    };
    // Only tasks without predecessors can start the path; any other would be longer with its
    // predecessor.
    let mut next = longest(&mut (0..durations.len()).filter(|&task| links.before[task].is_empty()));
    let mut path = Vec::new();
    while let Some(task) = next {
        path.push(task);
        next = longest(&mut links.after[task].iter().copied());
    }
    path
}
