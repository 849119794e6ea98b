//! What one thread has counted in one function.

use super::clock;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering::Relaxed};

/// Counters that one thread writes and any thread may read. They live forever: threads that end
/// hand them on to new ones.
#[derive(Debug)]
pub struct Counters {
    calls: AtomicU64,
    /// Readings of the clock that are not hits: ends of calls and of blocks.
    others: AtomicU64,
    lines: Box<[LineCounter]>,
    /// The line that the thread is on, 0 if it is not in this function, and since when.
    current: AtomicU32,
    since: AtomicU64,
}

#[derive(Debug, Default)]
struct LineCounter {
    hits: AtomicU64,
    ticks: AtomicU64,
}

/// Sums of what threads have counted.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Totals {
    pub calls: u64,
    pub others: u64,
    /// Hits and ticks per line.
    pub lines: Vec<(u64, u64)>,
}

/// Only one thread writes, so a locked instruction is not needed.
fn add(counter: &AtomicU64, amount: u64) {
    counter.store(counter.load(Relaxed).wrapping_add(amount), Relaxed);
}

impl Counters {
    pub fn new(lines: usize) -> Counters {
        Counters {
            calls: AtomicU64::new(0),
            others: AtomicU64::new(0),
            lines: (0..lines).map(|_| LineCounter::default()).collect(),
            current: AtomicU32::new(0),
            since: AtomicU64::new(0),
        }
    }

    pub fn current(&self) -> u32 {
        self.current.load(Relaxed)
    }

    pub fn call(&self) {
        add(&self.calls, 1);
    }

    /// A line starts: one more hit.
    pub fn hit(&self, line: u32) {
        self.go_to(line);
        if let Some(counter) = self.counter(line) {
            add(&counter.hits, 1);
        }
    }

    /// Back on this line; with 0, the function returns.
    pub fn back_to(&self, line: u32) {
        self.go_to(line);
        add(&self.others, 1);
    }

    fn go_to(&self, line: u32) {
        let now = clock::now();
        if let Some(counter) = self.counter(self.current()) {
            // The counters of two cores may differ by some ticks.
            add(&counter.ticks, now.saturating_sub(self.since.load(Relaxed)));
        }
        self.current.store(line, Relaxed);
        self.since.store(now, Relaxed);
    }

    fn counter(&self, line: u32) -> Option<&LineCounter> {
        self.lines.get((line as usize).wrapping_sub(1))
    }

    /// Adds the counts to the totals.
    pub fn add_to(&self, totals: &mut Totals) {
        totals.calls += self.calls.load(Relaxed);
        totals.others += self.others.load(Relaxed);
        totals.lines.resize(self.lines.len(), (0, 0));
        for (total, counter) in totals.lines.iter_mut().zip(&self.lines) {
            total.0 += counter.hits.load(Relaxed);
            total.1 += counter.ticks.load(Relaxed);
        }
    }

    /// Resets everything; only while no thread writes.
    pub fn clear(&self) {
        self.calls.store(0, Relaxed);
        self.others.store(0, Relaxed);
        self.current.store(0, Relaxed);
        for counter in &self.lines {
            counter.hits.store(0, Relaxed);
            counter.ticks.store(0, Relaxed);
        }
    }
}

impl Totals {
    /// The difference to an earlier state.
    pub fn since(&self, earlier: &Totals) -> Totals {
        let line = |index: usize| earlier.lines.get(index).copied().unwrap_or_default();
        Totals {
            calls: self.calls.wrapping_sub(earlier.calls),
            others: self.others.wrapping_sub(earlier.others),
            lines: self
                .lines
                .iter()
                .enumerate()
                .map(|(index, now)| {
                    (now.0.wrapping_sub(line(index).0), now.1.wrapping_sub(line(index).1))
                })
                .collect(),
        }
    }

    pub fn events(&self) -> u64 {
        self.others + self.lines.iter().map(|(hits, _)| hits).sum::<u64>()
    }
}

/// How many ticks one event takes, measured on private counters: the best of several rounds.
pub fn ticks_per_event() -> f64 {
    const EVENTS: u32 = 20_000;
    clock::start();
    let counters = Counters::new(2);
    let round = || {
        let start = clock::now();
        for event in 0..EVENTS {
            std::hint::black_box(&counters).hit(1 + event % 2);
        }
        clock::now().saturating_sub(start)
    };
    (0..5).map(|_| round()).min().unwrap_or(0) as f64 / f64::from(EVENTS)
}
