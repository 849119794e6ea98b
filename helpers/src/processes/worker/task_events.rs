//! What a child records for the task stream, sent to the parent.
//!
//! Both processes read the same clock, so a moment is sent as the time since one that both know:
//! the parent's first fork.

use crate::tasks::{self, Event};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

static EPOCH: OnceLock<Instant> = OnceLock::new();

/// Called in the parent, before the first fork.
pub(crate) fn set_epoch() {
    epoch();
}

fn epoch() -> Instant {
    *EPOCH.get_or_init(Instant::now)
}

type WireEvent = (String, String, Duration, Duration);

/// Called in the child. The thread that works for the pool stands for the process; others keep
/// their names next to it.
pub(crate) fn to_bytes(events: Vec<Event>) -> Vec<u8> {
    if events.is_empty() {
        return Vec::new();
    }
    let process = format!("process {}", std::process::id());
    let thread = tasks::this_worker();
    let encode = |event: Event| {
        let worker = match event.worker {
            own if own == thread => process.clone(),
            grandchild if grandchild.starts_with("process ") => grandchild,
            other => format!("{process}, {other}"),
        };
        (
            worker,
            event.name,
            event.start.saturating_duration_since(epoch()),
            event.end.saturating_duration_since(epoch()),
        )
    };
    let encoded: Vec<WireEvent> = events.into_iter().map(encode).collect();
    postcard::to_stdvec(&encoded).expect("texts and numbers can be written")
}

/// Called in the parent.
pub(crate) fn from_bytes(bytes: &[u8]) -> Vec<Event> {
    if bytes.is_empty() {
        return Vec::new();
    }
    let encoded: Vec<WireEvent> = postcard::from_bytes(bytes).unwrap_or_default();
    encoded
        .into_iter()
        .map(|(worker, name, start, end)| Event {
            worker,
            name,
            start: epoch() + start,
            end: epoch() + end,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use crate::processes::fork::{ExitStatus, fork};
    use crate::processes::{PersistentPool, Pool};
    use crate::tasks;
    use std::collections::HashSet;
    use std::time::{Duration, Instant};

    /// In a process of its own, where no other test records.
    #[test]
    fn tasks_of_children_are_recorded_by_the_parent() {
        let record = |pool: &dyn Fn(), expected: &[&str]| {
            let start = Instant::now();
            tasks::set_recording(true);
            pool();
            tasks::set_recording(false);
            let end = Instant::now();
            let events = tasks::take();
            let workers: HashSet<&str> = events.iter().map(|event| &event.worker[..]).collect();
            assert!(
                workers.len() == 2 && workers.iter().all(|worker| worker.starts_with("process ")),
                "{workers:?}"
            );
            assert!(
                events.iter().all(|event| start <= event.start
                    && event.start <= event.end
                    && event.end <= end)
            );
            let mut names: Vec<&str> = events.iter().map(|event| &event.name[..]).collect();
            names.sort_unstable();
            assert_eq!(names, expected);
        };
        let child = fork(|| {
            let slow =
                |_: &i32| tasks::task("inside", || std::thread::sleep(Duration::from_millis(20)));
            let persistent = PersistentPool::new(2);
            record(&|| drop(Pool::new(2).map(slow, &[7, 8])), &["7", "8", "inside", "inside"]);
            record(
                &|| drop(persistent.map(slow, &[7, 8])),
                &["inside", "inside", "items[0]", "items[1]"],
            );
            persistent.map(slow, &[7, 8]);
            assert!(tasks::take().is_empty());
        });
        assert_eq!(child.unwrap().wait(), ExitStatus::Exited(0));
    }
}
