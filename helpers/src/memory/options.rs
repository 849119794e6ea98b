//! The options of a measurement.

use super::{Measurement, MemoryTrace};
use std::hint::black_box;
use std::time::Duration;

/// Measures the memory that a call needs, with options; [`memory_usage`](super::memory_usage) is
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
    /// A sample every 10 ms, this process alone.
    ///
    /// That is short enough to see the steps of a computation of a tenth of a second, and costs
    /// about 0.2 % of one core. memory_profiler's interval is 100 ms.
    pub fn new() -> MemoryUsage {
        MemoryUsage { interval: Duration::from_millis(10), children: false }
    }

    /// Time between samples.
    ///
    /// It is the shortest one: sampling takes no more than a twentieth of one core's time, and at
    /// most 4096 samples are kept, so that a long computation doubles its interval now and then.
    /// The exact peak does not depend on it.
    ///
    /// # Panics
    ///
    /// When the interval is zero.
    #[track_caller]
    pub fn interval(mut self, interval: Duration) -> MemoryUsage {
        assert!(!interval.is_zero(), "the interval between samples must be longer than zero");
        self.interval = interval;
        self
    }

    /// Whether child processes, and theirs, are counted too; they are not unless asked for.
    ///
    /// Then a page that several processes share is counted in equal parts (*proportional set
    /// size*), so that what a child has from its parent by copy-on-write is counted once, not
    /// twice. The system must walk through all pages for that: about 1 ms for 1 GiB of small pages
    /// at every sample. It keeps no peak for several processes together; the peak is that of the
    /// samples. Where shares are not to be had (Linux before 4.14, a process of another user),
    /// resident memory is added up; [`MemoryTrace::counted`] tells. On macOS children are not
    /// available and not counted.
    pub fn include_children(mut self, include: bool) -> MemoryUsage {
        self.children = include && cfg!(target_os = "linux");
        self
    }

    /// Runs `f` and gives back its value and the trace. The value is kept from the optimiser.
    ///
    /// # Panics
    ///
    /// On systems that do not tell how much memory a process uses (neither Linux nor macOS). A
    /// panic of `f` goes through.
    #[inline]
    pub fn measure<R>(self, f: impl FnOnce() -> R) -> (R, MemoryTrace) {
        let measurement = self.start();
        let value = black_box(f());
        (value, measurement.stop())
    }

    /// Starts measuring until [`Measurement::stop`], for what is not one call.
    ///
    /// # Panics
    ///
    /// On systems that do not tell how much memory a process uses (neither Linux nor macOS).
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
