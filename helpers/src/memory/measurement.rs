//! One measurement, from its preparation to its result. The order of the steps is what makes it
//! exact.

use super::peak::HighWater;
use super::sampler::Sampler;
use super::system::{self, Meter};
use super::{MemoryTrace, MemoryUsage, Sample};
use std::time::{Duration, Instant, SystemTime};

/// A running measurement; what [`memory_usage`](super::memory_usage) and [`memit!`](crate::memit!)
/// are made of.
///
/// Dropped without [`stop`](Measurement::stop), by a panic or an early return, it ends too, its
/// sampling thread with it.
#[derive(Debug)]
#[must_use = "nothing is known until `stop` is called"]
pub struct Measurement {
    options: MemoryUsage,
    meter: Meter,
    sampler: Option<Sampler>,
    // Taken last and dropped first.
    high_water: HighWater,
    baseline: f64,
    started: SystemTime,
    start: Instant,
}

impl Measurement {
    /// Starts measuring the peak; without samples, where the system knows the peak exactly.
    ///
    /// # Panics
    ///
    /// On systems that do not tell how much memory a process uses (neither Linux nor macOS).
    pub fn of_peak() -> Measurement {
        Measurement::start(MemoryUsage::new(), true)
    }

    pub(super) fn start(options: MemoryUsage, only_peak: bool) -> Measurement {
        system::give_back_free_memory();
        let mut meter = Meter::new().expect(
            "measuring memory is not available on this system: it needs Linux's /proc, or macOS",
        );
        let wants_samples = !(only_peak && HighWater::can_be_reset());
        // Has its thread, its buffer and its first reading behind it when this returns, and waits:
        // from here on it allocates nothing.
        let sampler = wants_samples.then(|| Sampler::prepare(options));
        // The first reading may be what loads a page of code.
        let _ = meter.now(options.children);
        let high_water = HighWater::begin();
        let (baseline, _) = meter.now(options.children);
        let start = Instant::now();
        if let Some(sampler) = &sampler {
            sampler.begin(start);
        }
        Measurement {
            options,
            meter,
            sampler,
            high_water,
            baseline,
            started: SystemTime::now(),
            start,
        }
    }

    /// Ends it and tells what it found.
    pub fn stop(mut self) -> MemoryTrace {
        let wall = self.start.elapsed();
        // Before anything here allocates.
        let marked = self.high_water.end();
        let (at_end, counted) = self.meter.now(self.options.children);
        let mut samples = vec![Sample { time: Duration::ZERO, memory: self.baseline }];
        samples.extend(
            self.sampler
                .take()
                .map(Sampler::finish)
                .unwrap_or_default()
                .into_iter()
                .filter(|sample| sample.time < wall),
        );
        samples.push(Sample { time: wall, memory: at_end });
        let sampled = samples.iter().map(|sample| sample.memory).fold(0.0, f64::max);
        // The mark is one process's; for several there are only samples.
        let marked = marked.filter(|_| !self.options.children);
        MemoryTrace {
            samples,
            baseline: self.baseline,
            peak: marked.unwrap_or(0.0).max(sampled),
            exact: marked.is_some(),
            counted,
            started: self.started,
            wall,
        }
    }
}
