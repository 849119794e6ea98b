//! One measurement, from preparation to result. The order of the steps makes it exact.

use super::peak::HighWater;
use super::sampler::Sampler;
use super::system::{self, Meter};
use super::{MemoryTrace, Sample};
use std::hint::black_box;
use std::time::{Duration, Instant, SystemTime};

/// A running measurement; [`memory_usage`](super::memory_usage) and [`memit!`](crate::memit!) use
/// it.
///
/// If it is dropped without [`stop`](Measurement::stop), by a panic or an early return, it ends
/// too, together with its sampling thread.
#[derive(Debug)]
#[must_use = "a measurement has no result until `stop` is called"]
pub struct Measurement {
    options: MemoryUsage,
    meter: Meter,
    sampler: Option<Sampler>,
    // Created last and dropped first.
    high_water: HighWater,
    baseline: f64,
    started: SystemTime,
    start: Instant,
}

impl Measurement {
    /// Starts measuring the peak; without samples if the system knows the exact peak.
    ///
    /// # Panics
    ///
    /// On systems that do not report how much memory a process uses (neither Linux nor macOS).
    pub fn of_peak() -> Measurement {
        Measurement::start(MemoryUsage::new(), true)
    }

    pub(super) fn start(options: MemoryUsage, only_peak: bool) -> Measurement {
        system::trim_heap();
        let mut meter = Meter::new().expect(
            "measuring memory is not available on this system: it needs Linux's /proc, or macOS",
        );
        let wants_samples = !(only_peak && HighWater::can_be_reset());
        // When this returns, the sampler has its thread, its buffer and its first reading, and
        // waits: from here on it allocates nothing.
        let sampler = wants_samples.then(|| Sampler::prepare(options.interval, options.children));
        // The first reading may load a page of code.
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

    /// Ends the measurement and returns the result.
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
        // The high-water mark is that of one process; for several processes there are only samples.
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

/// Measures how much memory a call needs, with options; [`memory_usage`](super::memory_usage) is
/// the short form.
///
/// # Examples
///
/// ```
/// use parcourse::prelude::*;
/// let (sum, trace) = MemoryUsage::new()
///     .interval(Duration::from_millis(2))
///     .include_children(true)
///     .measure(|| (0..1_000_000u64).collect::<Vec<_>>().iter().sum::<u64>());
/// assert_eq!(sum, 499_999_500_000);
/// println!("{trace}");
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[must_use = "options do nothing until `measure` is called"]
pub struct MemoryUsage {
    pub(super) interval: Duration,
    pub(super) children: bool,
}

impl MemoryUsage {
    /// Takes a sample every 10 ms, of this process only.
    ///
    /// That is short enough to see the steps of a computation of a tenth of a second, and costs
    /// about 0.2 % of one core. memory_profiler's interval is 100 ms.
    pub fn new() -> MemoryUsage {
        MemoryUsage { interval: Duration::from_millis(10), children: false }
    }

    /// Sets the time between samples.
    ///
    /// This is a minimum: sampling takes no more than a twentieth of one core's time, and at most
    /// 4096 samples are kept, so a long computation doubles its interval now and then. The exact
    /// peak does not depend on it.
    ///
    /// # Panics
    ///
    /// Panics if the interval is zero.
    #[track_caller]
    pub fn interval(mut self, interval: Duration) -> MemoryUsage {
        assert!(!interval.is_zero(), "the interval between samples must be longer than zero");
        self.interval = interval;
        self
    }

    /// Whether to include child processes and their descendants; by default they are not included.
    ///
    /// With children, a page that several processes share counts in equal parts (*proportional set
    /// size*): what a child shares with its parent by copy-on-write counts once, not twice. For
    /// that the system must walk through all pages, which takes about 1 ms per GiB of small pages
    /// at every sample. It keeps no peak for several processes together, so the peak is that of the
    /// samples. If shares are not available (Linux before 4.14, a process of another user),
    /// resident memory is added up; [`MemoryTrace::counted`] shows which. On macOS children are not
    /// available and not counted.
    pub fn include_children(mut self, include: bool) -> MemoryUsage {
        self.children = include && cfg!(target_os = "linux");
        self
    }

    /// Runs `f` and returns its value and the trace. The value is kept from the optimiser.
    ///
    /// # Panics
    ///
    /// On systems that do not report how much memory a process uses (neither Linux nor macOS).
    /// Panics of `f` propagate.
    #[inline]
    pub fn measure<R>(self, f: impl FnOnce() -> R) -> (R, MemoryTrace) {
        let measurement = self.start();
        let value = black_box(f());
        (value, measurement.stop())
    }

    /// Starts a measurement that ends with [`Measurement::stop`], for code that is not a single
    /// call.
    ///
    /// # Panics
    ///
    /// On systems that do not report how much memory a process uses (neither Linux nor macOS).
    ///
    /// # Examples
    ///
    /// ```
    /// use parcourse::prelude::*;
    /// let measurement = MemoryUsage::new().start();
    /// let text = "pea soup ".repeat(1000);
    /// let trace = measurement.stop();
    /// assert!(trace.peak >= trace.baseline, "{text}");
    /// ```
    pub fn start(self) -> Measurement {
        Measurement::start(self, false)
    }
}

impl Default for MemoryUsage {
    fn default() -> MemoryUsage {
        MemoryUsage::new()
    }
}
