//! What a child records for the task stream, on its way to the parent.
//!
//! Both processes read the same clock, so a moment is told as the time since one that both know: the parent's first fork.

use crate::tasks::Event;
use std::sync::OnceLock;
use std::time::{Duration, Instant};

static EPOCH: OnceLock<Instant> = OnceLock::new();

/// In the parent, before the first fork.
pub(super) fn set_epoch() {
    epoch();
}

fn epoch() -> Instant {
    *EPOCH.get_or_init(Instant::now)
}

type Told = (String, String, Duration, Duration);

/// In the child. The thread that works for the pool is the process; others keep their names beside it.
pub(super) fn to_bytes(events: Vec<Event>) -> Vec<u8> {
    if events.is_empty() {
        return Vec::new();
    }
    let process = format!("process {}", std::process::id());
    let thread = std::thread::current();
    let thread = thread.name().unwrap_or("a thread");
    let tell = |event: Event| {
        let worker = match event.worker {
            own if own == thread => process.clone(),
            grandchild if grandchild.starts_with("process ") => grandchild,
            other => format!("{process}, {other}"),
        };
        (worker, event.name, event.start.saturating_duration_since(epoch()), event.end.saturating_duration_since(epoch()))
    };
    let told: Vec<Told> = events.into_iter().map(tell).collect();
    postcard::to_stdvec(&told).expect("texts and numbers can be written")
}

/// In the parent.
pub(super) fn from_bytes(bytes: &[u8]) -> Vec<Event> {
    if bytes.is_empty() {
        return Vec::new();
    }
    let told: Vec<Told> = postcard::from_bytes(bytes).unwrap_or_default();
    told.into_iter().map(|(worker, name, start, end)| Event { worker, name, start: epoch() + start, end: epoch() + end }).collect()
}
