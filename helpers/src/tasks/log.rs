//! The lists of what was done, one per thread, while somebody asks for them.

use super::worker;
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
pub(super) struct Done {
    pub(super) name: Box<str>,
    /// Where it is not the thread itself that did it.
    pub(super) worker: Option<Box<str>>,
    pub(super) start: Instant,
    pub(super) end: Instant,
}

/// What one thread did.
#[derive(Debug)]
pub(super) struct Log {
    pub(super) worker: worker::Name,
    /// Only its own thread adds to it, so that the lock is free unless a chart is being drawn.
    done: Mutex<List>,
}

#[derive(Default, Debug)]
struct List {
    tasks: Vec<Done>,
    left_out: usize,
}

/// More tasks than this in the list of one thread are only counted: some 30 MB of them.
const MOST_TASKS: usize = 1 << 18;

/// How many ask for a recording.
static ASKING: AtomicUsize = AtomicUsize::new(0);

/// The threads' lists, and when the recordings began that go on. Locked at the begin and end of
/// recordings and at a thread's first task, and while anybody looks into the list of another
/// thread.
static ALL: Mutex<All> =
    Mutex::new(All { logs: Vec::new(), open: Vec::new(), next: 0, process: 0 });

struct All {
    logs: Vec<Arc<Log>>,
    open: Vec<(u64, Instant)>,
    next: u64,
    /// To notice that this is a copy of the process it belongs to.
    process: u32,
}

thread_local!(static LOG: OnceCell<Arc<Log>> = const { OnceCell::new() });

/// Whether events are wanted; one load from memory.
#[inline]
pub(crate) fn recording() -> bool {
    ASKING.load(Ordering::Relaxed) > 0
}

/// Adds an event, if events are wanted.
pub(crate) fn add(event: Event) {
    if recording() {
        let Event { worker, name, start, end } = event;
        push(name, Some(worker), start, end);
    }
}

/// Keeps everybody from looking into lists, while the process is copied: in the copy, the locks of
/// this thread must be free.
pub(crate) fn lock_for_fork() -> impl Sized {
    lock(&ALL)
}

/// What this thread is called in recordings.
pub(crate) fn this_worker() -> String {
    LOG.with(|log| log.get_or_init(register).worker.text.clone())
}

/// In a copy of the process: whether the original wants to know.
pub(crate) fn set_recording(recording: bool) {
    ASKING.store(recording.into(), Ordering::Relaxed);
}

/// In a copy of the process: what was recorded since the last call, for the original. The first
/// call throws away what is the original's.
pub(crate) fn take() -> Vec<Event> {
    let mut all = lock(&ALL);
    if all.process != std::process::id() {
        // The lists of threads that are not in the copy may be locked for ever.
        let own = LOG.try_with(|log| log.get().cloned()).ok().flatten();
        own.iter().for_each(|log| *lock(&log.done) = List::default());
        let now = Instant::now();
        // A recording within a task must leave its events to the original: as if there were one
        // around it.
        *all = All {
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
        let event = |done: Done| Event {
            worker: worker(done.worker),
            name: done.name.into(),
            start: done.start,
            end: done.end,
        };
        events.extend(std::mem::take(&mut *lock(&log.done)).tasks.into_iter().map(event));
    }
    // A living thread has the second reference.
    all.logs.retain(|log| Arc::strong_count(log) > 1);
    events
}

/// Adds what `worker`, or else this thread, has done.
pub(super) fn push(name: String, worker: Option<String>, start: Instant, end: Instant) {
    let push = |log: &Arc<Log>| {
        let worker = worker.filter(|worker| *worker != log.worker.text).map(String::into_boxed_str);
        lock(&log.done).push(Done { name: name.into_boxed_str(), worker, start, end });
    };
    // A thread that is ending has no list any more; what its destructors do is nobody's task.
    let _ = LOG.try_with(|log| push(log.get_or_init(register)));
}

fn register() -> Arc<Log> {
    let log = Arc::new(Log { worker: worker::name_of_this_thread(), done: Mutex::default() });
    lock(&ALL).logs.push(log.clone());
    log
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl List {
    fn push(&mut self, task: Done) {
        if self.tasks.len() < MOST_TASKS { self.tasks.push(task) } else { self.left_out += 1 }
    }
}

/// The time between its beginning and its drop is recorded.
#[derive(Debug)]
pub(super) struct Recording {
    number: u64,
    pub(super) begin: Instant,
}

/// What one thread did during a recording.
#[derive(Debug)]
pub(super) struct Part {
    pub(super) worker: worker::Name,
    pub(super) tasks: Vec<Done>,
    pub(super) left_out: usize,
}

impl Recording {
    pub(super) fn begin() -> Recording {
        let mut all = lock(&ALL);
        let (number, begin) = (all.next, Instant::now());
        all.next += 1;
        all.open.push((number, begin));
        ASKING.fetch_add(1, Ordering::Relaxed);
        Recording { number, begin }
    }

    /// What has been done since the beginning.
    pub(super) fn so_far(&self) -> Vec<Part> {
        let all = lock(&ALL);
        let part = |log: &Arc<Log>| {
            let list = lock(&log.done);
            let tasks: Vec<Done> =
                list.tasks.iter().filter(|task| task.end >= self.begin).cloned().collect();
            Part { worker: log.worker.clone(), tasks, left_out: list.left_out }
        };
        all.logs.iter().map(part).filter(|part| !part.tasks.is_empty()).collect()
    }
}

impl Drop for Recording {
    /// Throws away what no other recording wants, and the lists of threads that have ended.
    fn drop(&mut self) {
        let mut all = lock(&ALL);
        ASKING.fetch_sub(1, Ordering::Relaxed);
        all.open.retain(|(number, _)| *number != self.number);
        let earliest = all.open.iter().map(|(_, begin)| *begin).min();
        for log in &all.logs {
            let mut list = lock(&log.done);
            match earliest {
                Some(earliest) => list.tasks.retain(|task| task.end >= earliest),
                None => *list = List::default(),
            }
        }
        // A living thread has the second reference.
        all.logs.retain(|log| Arc::strong_count(log) > 1 || !lock(&log.done).tasks.is_empty());
    }
}
