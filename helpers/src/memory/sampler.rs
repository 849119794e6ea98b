//! The thread that samples the memory.
//!
//! Everything it needs exists, with its pages touched, before the measurement starts: a buffer of
//! fixed size, its stack, open files. A full buffer is thinned to half, and the interval doubled,
//! so a computation may take a second or a day.

use super::Sample;
use super::system::Meter;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// As many points as a plot can show; 64 KiB.
const CAPACITY: usize = 4096;

/// A sampling thread; it ends when this is dropped.
#[derive(Debug)]
pub(super) struct Sampler {
    thread: Option<JoinHandle<Vec<Sample>>>,
    begin: SyncSender<Instant>,
    stop: Arc<AtomicBool>,
}

impl Sampler {
    /// Starts the thread; it waits for `begin`.
    pub(super) fn prepare(interval: Duration, children: bool) -> Sampler {
        let stop = Arc::new(AtomicBool::new(false));
        let (begin, beginning) = sync_channel(1);
        let (ready, is_ready) = sync_channel(1);
        let thread = {
            let stop = stop.clone();
            std::thread::Builder::new()
                .name("memory sampler".into())
                .spawn(move || run(interval, children, &stop, &ready, &beginning))
        };
        let thread = thread.expect("a thread for sampling the memory");
        // An error means that the thread is gone; then there are no samples.
        let _ = is_ready.recv();
        Sampler { thread: Some(thread), begin, stop }
    }

    /// Starts sampling; times are relative to `start`.
    pub(super) fn begin(&self, start: Instant) {
        let _ = self.begin.send(start);
    }

    /// Ends the thread and returns its samples.
    pub(super) fn finish(mut self) -> Vec<Sample> {
        self.end()
    }

    fn end(&mut self) -> Vec<Sample> {
        let Some(thread) = self.thread.take() else { return Vec::new() };
        self.stop.store(true, Ordering::Release);
        thread.thread().unpark();
        // It may still be waiting for its start.
        let _ = self.begin.try_send(Instant::now());
        thread.join().unwrap_or_default()
    }
}

impl Drop for Sampler {
    fn drop(&mut self) {
        self.end();
    }
}

fn run(
    interval: Duration,
    children: bool,
    stop: &AtomicBool,
    ready: &SyncSender<()>,
    beginning: &Receiver<Instant>,
) -> Vec<Sample> {
    let Some(mut meter) = Meter::new() else { return Vec::new() };
    let mut samples = Samples::new(interval);
    let _ = meter.now(children);
    std::thread::park_timeout(Duration::from_nanos(1));
    let _ = ready.send(());
    let Ok(start) = beginning.recv() else { return Vec::new() };
    let mut next = samples.interval;
    while !stop.load(Ordering::Acquire) {
        let now = start.elapsed();
        if now < next {
            // May also return early, or because it is time to stop.
            std::thread::park_timeout(next - now);
            continue;
        }
        let (memory, _) = meter.now(children);
        samples.push(Sample { time: now, memory });
        // A slow reading (children with much memory) must not become the main work.
        let cost = start.elapsed().saturating_sub(now);
        next = now + samples.interval.max(20 * cost);
    }
    samples.kept
}

/// At most `CAPACITY` samples.
struct Samples {
    kept: Vec<Sample>,
    interval: Duration,
}

impl Samples {
    fn new(interval: Duration) -> Samples {
        // Writing makes the pages resident.
        let mut kept = vec![Sample { time: Duration::from_nanos(1), memory: 1.0 }; CAPACITY];
        std::hint::black_box(&mut kept).clear();
        Samples { kept, interval }
    }

    fn push(&mut self, sample: Sample) {
        if self.kept.len() == CAPACITY {
            // Keeps the higher one of two neighbours: thinning must not remove peaks.
            for pair in 0..CAPACITY / 2 {
                let (first, second) = (self.kept[2 * pair], self.kept[2 * pair + 1]);
                self.kept[pair] = if second.memory > first.memory { second } else { first };
            }
            self.kept.truncate(CAPACITY / 2);
            self.interval *= 2;
        }
        self.kept.push(sample);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_measurements_are_thinned_and_keep_their_peak() {
        let mut samples = Samples::new(Duration::from_millis(10));
        for step in 0..3 * CAPACITY as u64 {
            let memory = if step == 1001 { 500.0 } else { 100.0 };
            samples.push(Sample { time: Duration::from_millis(10 * step), memory });
        }
        assert!(samples.kept.len() <= CAPACITY && samples.kept.capacity() == CAPACITY);
        assert!(samples.interval > Duration::from_millis(10));
        assert!(samples.kept.is_sorted_by_key(|sample| sample.time));
        assert!(
            samples.kept.iter().any(
                |sample| sample.memory == 500.0 && sample.time == Duration::from_millis(10_010)
            )
        );
    }

    #[test]
    fn ends_whether_it_has_begun_or_not() {
        drop(Sampler::prepare(Duration::from_millis(10), false));
        let sampler = Sampler::prepare(Duration::from_micros(100), false);
        sampler.begin(Instant::now());
        std::thread::sleep(Duration::from_millis(30));
        let samples = sampler.finish();
        assert!(samples.is_sorted_by_key(|sample| sample.time));
        assert_eq!(samples.is_empty(), super::super::resident().is_none());
    }
}
