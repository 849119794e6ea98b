//! The lists of finished tasks, one per thread, while a recording runs.

use std::cell::OnceCell;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

/// One task that a worker has done.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Event {
    /// The name of the thread, or `process 1234`.
    pub(crate) worker: String,
    pub(crate) name: String,
    pub(crate) start: Instant,
    pub(crate) end: Instant,
}

/// A task as its thread's list keeps it.
#[derive(Clone, Debug)]
pub(super) struct FinishedTask {
    pub(super) name: Box<str>,
    /// Set if another process did it.
    pub(super) worker: Option<Box<str>>,
    pub(super) start: Instant,
    pub(super) end: Instant,
}

/// What one thread did.
#[derive(Debug)]
pub(super) struct ThreadLog {
    pub(super) worker: Name,
    /// Only its own thread adds to it, so the lock is free unless a chart is being drawn.
    done: Mutex<FinishedTasks>,
}

#[derive(Default, Debug)]
struct FinishedTasks {
    tasks: Vec<FinishedTask>,
    left_out: usize,
}

/// Above this number of tasks in one thread's list (about 30 MB), tasks are only counted.
const MAX_TASKS: usize = 1 << 18;

/// How many recordings are running.
static RECORDINGS: AtomicUsize = AtomicUsize::new(0);

/// The threads' lists, and the start times of the running recordings. Locked at the start and end
/// of recordings, at a thread's first task, and to read another thread's list.
static REGISTRY: Mutex<Registry> =
    Mutex::new(Registry { logs: Vec::new(), open: Vec::new(), next: 0, process: 0 });

struct Registry {
    logs: Vec<Arc<ThreadLog>>,
    open: Vec<(u64, Instant)>,
    next: u64,
    /// The process that this belongs to, to notice a fork.
    process: u32,
}

thread_local!(static THREAD_LOG: OnceCell<Arc<ThreadLog>> = const { OnceCell::new() });

/// Whether events are recorded; one load from memory.
#[inline]
pub(crate) fn recording() -> bool {
    RECORDINGS.load(Ordering::Relaxed) > 0
}

/// Adds an event if events are recorded.
pub(crate) fn add(event: Event) {
    if recording() {
        let Event { worker, name, start, end } = event;
        push(name, Some(worker), start, end);
    }
}

/// Keeps everyone from reading lists while the process forks: in the child, the locks of this
/// thread must be free.
pub(crate) fn lock_for_fork() -> impl Sized {
    lock(&REGISTRY)
}

/// The name of this thread in recordings.
pub(crate) fn this_worker() -> String {
    THREAD_LOG.with(|log| log.get_or_init(register).worker.text.clone())
}

/// In a forked child: whether the parent records.
pub(crate) fn set_recording(recording: bool) {
    RECORDINGS.store(recording.into(), Ordering::Relaxed);
}

/// In a forked child: what was recorded since the last call, for the parent. The first call
/// discards what belongs to the parent.
pub(crate) fn take() -> Vec<Event> {
    let mut all = lock(&REGISTRY);
    if all.process != std::process::id() {
        // The lists of threads that do not exist in the child may stay locked forever.
        let own = THREAD_LOG.try_with(|log| log.get().cloned()).ok().flatten();
        own.iter().for_each(|log| *lock(&log.done) = FinishedTasks::default());
        let now = Instant::now();
        // A recording within a task must leave its events to the parent, as if another recording
        // were running.
        *all = Registry {
            logs: own.into_iter().collect(),
            open: vec![(u64::MAX, now)],
            next: 0,
            process: std::process::id(),
        };
    }
    let mut events = Vec::new();
    for log in &all.logs {
        let worker =
            |worker: Option<Box<str>>| worker.map_or(log.worker.text.clone(), String::from);
        let event = |done: FinishedTask| Event {
            worker: worker(done.worker),
            name: done.name.into(),
            start: done.start,
            end: done.end,
        };
        events.extend(std::mem::take(&mut *lock(&log.done)).tasks.into_iter().map(event));
    }
    // A living thread holds the second reference.
    all.logs.retain(|log| Arc::strong_count(log) > 1);
    events
}

/// Adds a task of `worker`, or of this thread.
pub(super) fn push(name: String, worker: Option<String>, start: Instant, end: Instant) {
    let push = |log: &Arc<ThreadLog>| {
        let worker = worker.filter(|worker| *worker != log.worker.text).map(String::into_boxed_str);
        lock(&log.done).push(FinishedTask { name: name.into_boxed_str(), worker, start, end });
    };
    // A thread that is ending no longer has a list; what its destructors do is not recorded.
    let _ = THREAD_LOG.try_with(|log| push(log.get_or_init(register)));
}

fn register() -> Arc<ThreadLog> {
    let log = Arc::new(ThreadLog { worker: name_of_this_thread(), done: Mutex::default() });
    lock(&REGISTRY).logs.push(log.clone());
    log
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl FinishedTasks {
    fn push(&mut self, task: FinishedTask) {
        if self.tasks.len() < MAX_TASKS { self.tasks.push(task) } else { self.left_out += 1 }
    }
}

/// Records the time from its creation to its drop.
#[derive(Debug)]
pub(super) struct Recording {
    number: u64,
    pub(super) begin: Instant,
}

/// What one thread did during a recording.
#[derive(Debug)]
pub(super) struct Part {
    pub(super) worker: Name,
    pub(super) tasks: Vec<FinishedTask>,
    pub(super) left_out: usize,
}

impl Recording {
    pub(super) fn begin() -> Recording {
        let mut all = lock(&REGISTRY);
        let (number, begin) = (all.next, Instant::now());
        all.next += 1;
        all.open.push((number, begin));
        RECORDINGS.fetch_add(1, Ordering::Relaxed);
        Recording { number, begin }
    }

    /// What has been done since the start.
    pub(super) fn so_far(&self) -> Vec<Part> {
        let all = lock(&REGISTRY);
        let part = |log: &Arc<ThreadLog>| {
            let list = lock(&log.done);
            let tasks: Vec<FinishedTask> =
                list.tasks.iter().filter(|task| task.end >= self.begin).cloned().collect();
            Part { worker: log.worker.clone(), tasks, left_out: list.left_out }
        };
        all.logs.iter().map(part).filter(|part| !part.tasks.is_empty()).collect()
    }
}

impl Drop for Recording {
    /// Discards what no other recording needs, and the lists of threads that have ended.
    fn drop(&mut self) {
        let mut all = lock(&REGISTRY);
        RECORDINGS.fetch_sub(1, Ordering::Relaxed);
        all.open.retain(|(number, _)| *number != self.number);
        let earliest = all.open.iter().map(|(_, begin)| *begin).min();
        for log in &all.logs {
            let mut list = lock(&log.done);
            match earliest {
                Some(earliest) => list.tasks.retain(|task| task.end >= earliest),
                None => *list = FinishedTasks::default(),
            }
        }
        // A living thread holds the second reference.
        all.logs.retain(|log| Arc::strong_count(log) > 1 || !lock(&log.done).tasks.is_empty());
    }
}

/// The name of a worker, and its rayon pool.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Name {
    pub(super) text: String,
    /// The number of threads in its rayon pool, if the pool's threads have no names of their own.
    pub(super) rayon_threads: Option<usize>,
}

/// The name of thread `index` of a rayon pool that has not named its threads.
pub(super) fn rayon_thread_name(index: usize) -> String {
    format!("rayon {index}")
}

/// The thread's name; rayon's threads and those without a name get one.
pub(super) fn name_of_this_thread() -> Name {
    static NAMELESS: AtomicUsize = AtomicUsize::new(1);
    let thread = std::thread::current();
    match (thread.name(), rayon::current_thread_index()) {
        (Some(name), _) => Name { text: name.into(), rayon_threads: None },
        (None, Some(index)) => Name {
            text: rayon_thread_name(index),
            rayon_threads: Some(rayon::current_num_threads()),
        },
        (None, None) => Name {
            text: format!("thread {}", NAMELESS.fetch_add(1, Ordering::Relaxed)),
            rayon_threads: None,
        },
    }
}

/// Sorts `rayon 2` before `rayon 10`, and `main` before all others.
pub(super) fn name_order(name: &str) -> (bool, String, usize) {
    let stem = name.trim_end_matches(|c: char| c.is_ascii_digit());
    (name != "main", stem.to_string(), name[stem.len()..].parse().unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_count() {
        let mut names = ["rayon 10", "pool-1", "rayon 2", "main", "pool-0", "a"];
        names.sort_by_key(|name| name_order(name));
        assert_eq!(names, ["main", "a", "pool-0", "pool-1", "rayon 2", "rayon 10"]);
    }

    #[test]
    fn every_thread_has_a_name() {
        let nameless = std::thread::spawn(name_of_this_thread).join().unwrap();
        assert!(nameless.text.starts_with("thread "), "{nameless:?}");
        let pool = rayon::ThreadPoolBuilder::new().num_threads(3).build().unwrap();
        let name = pool.install(name_of_this_thread);
        assert!(name.text.starts_with("rayon ") && name.rayon_threads == Some(3), "{name:?}");
    }
}
