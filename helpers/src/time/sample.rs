//! The result of many runs: statistics, and warnings about them.

use super::clock::Clock;
use crate::display::{Bundle, Rich};
use crate::format::{counted, fine_seconds};
use std::fmt;
use std::time::{Duration, Instant};

/// The runs of one expression, in seconds per loop; returned by [`timeit!`](crate::timeit!).
///
/// The times are `f64` rather than [`Duration`], which cannot hold less than a nanosecond.
///
/// # Examples
///
/// ```
/// use parcourse::prelude::*;
/// let words = vec!["computer", "thesis", "mom"];
/// let sample = timeit!(quiet, loops = 100, runs = 5, words.concat());
/// assert_eq!((sample.runs, sample.loops, sample.all_runs.len()), (5, 100, 5));
/// assert!(sample.best() <= sample.median() && sample.median() <= sample.worst());
/// println!("{sample}");
/// ```
#[derive(Clone, PartialEq)]
#[non_exhaustive]
pub struct Sample {
    /// Seconds per loop of every run, in the order of the runs. Never empty.
    pub all_runs: Vec<f64>,
    /// How many runs there were.
    pub runs: usize,
    /// How many times the expression was evaluated in each run.
    pub loops: u64,
    /// Seconds of the first call, which is not part of any run; `None` if there was only one call.
    pub first_call: Option<f64>,
    setup: bool,
    clock: Clock,
    printed: Option<Instant>,
}

/// A first call is worth a remark if it took this many times the median …
const SLOW_FIRST_CALL: f64 = 4.0;
/// … and at least this many seconds: below that, every first call is slow because its code has to
/// be loaded.
const WORTH_MENTIONING: f64 = 20e-6;
/// IPython's limit for slowest over fastest.
const SKEWED: f64 = 4.0;
/// Standard deviation over mean.
const NOISY: f64 = 0.2;
/// A loop this short (in seconds) can have run no more than an instruction or two.
const TOO_FAST: f64 = 1e-9;
/// A run of this many clock steps is accurate to about one per cent.
const MIN_STEPS: u32 = 100;

impl Sample {
    pub(super) fn new(
        all_runs: Vec<f64>,
        loops: u64,
        first_call: Option<f64>,
        setup: bool,
        clock: Clock,
    ) -> Sample {
        Sample { runs: all_runs.len(), all_runs, loops, first_call, setup, clock, printed: None }
    }

    /// Arithmetic mean of the runs, in seconds per loop.
    pub fn average(&self) -> f64 {
        self.all_runs.iter().sum::<f64>() / self.runs as f64
    }

    /// Standard deviation of the runs (the population's, divided by n, as in IPython), in seconds
    /// per loop.
    pub fn stdev(&self) -> f64 {
        let mean = self.average();
        (self.all_runs.iter().map(|run| (run - mean).powi(2)).sum::<f64>() / self.runs as f64)
            .sqrt()
    }

    /// The fastest run, in seconds per loop: the least disturbed one.
    pub fn best(&self) -> f64 {
        self.sorted()[0]
    }

    /// The slowest run, in seconds per loop.
    pub fn worst(&self) -> f64 {
        self.sorted()[self.runs - 1]
    }

    /// The median run, in seconds per loop; for an even number of runs, the mean of the two in the
    /// middle.
    pub fn median(&self) -> f64 {
        let sorted = self.sorted();
        (sorted[(self.runs - 1) / 2] + sorted[self.runs / 2]) / 2.0
    }

    fn sorted(&self) -> Vec<f64> {
        let mut sorted = self.all_runs.clone();
        sorted.sort_by(f64::total_cmp);
        sorted
    }

    /// Warnings about the result, as sentences; empty if the result can be trusted.
    ///
    /// # Examples
    ///
    /// ```
    /// use parcourse::prelude::*;
    /// let once = timeit!(quiet, loops = 1, runs = 3, 1 + 1);
    /// assert!(once.warnings()[0].contains("too short for this clock"));
    /// ```
    pub fn warnings(&self) -> Vec<String> {
        let mut warnings = Vec::new();
        let run = self.median() * self.loops as f64;
        let step = self.clock.precision.max(self.clock.overhead).as_secs_f64();
        // Calls with a setup are measured one by one, others together.
        let stretch = if self.setup { self.median() } else { run };
        let too_short = stretch < f64::from(MIN_STEPS) * step;
        // A call timed on its own excludes the loop around it.
        let limit = if self.setup { 0.0 } else { TOO_FAST.max(2.0 * self.clock.empty_loop) };
        if !too_short && self.best() <= limit {
            warnings.push(format!(
                "Too fast to be true: an empty loop takes {} here, so this one computed next to \
                 nothing. The compiler knows the result beforehand; take the input from a variable \
                 or a file.",
                fine_seconds(self.clock.empty_loop)
            ));
        } else if too_short {
            let what = if self.setup { "A call" } else { "A run" };
            let advice = if self.setup { "do more in one call" } else { "use more loops" };
            warnings.push(format!(
                "{what} takes {}, too short for this clock (step {}, a reading {}): {advice}.",
                fine_seconds(stretch),
                fine_seconds(self.clock.precision.as_secs_f64()),
                fine_seconds(self.clock.overhead.as_secs_f64()),
            ));
        }
        if self.best() > 0.0 && self.worst() > SKEWED * self.best() {
            let factor = self.worst() / self.best();
            warnings.push(format!(
                "The slowest run took {factor:.1} times as long as the fastest: \
                 something is cached, or the machine is busy. Trust the fastest."
            ));
        } else if self.stdev() > NOISY * self.average() {
            let percent = 100.0 * self.stdev() / self.average();
            warnings.push(format!(
                "Noisy: the standard deviation is {percent:.0} % of the mean. \
                 Trust the fastest and the median."
            ));
        }
        warnings
    }

    /// A remark on the first call if it was much slower than the others.
    fn remark(&self) -> Option<String> {
        let first = self.first_call?;
        let slow = first > SLOW_FIRST_CALL * self.median() && first > WORTH_MENTIONING;
        slow.then(|| {
            format!(
                "The first call took {}, {:.0} times the median, and is not counted \
                 (memory and caches were cold).",
                fine_seconds(first),
                first / self.median()
            )
        })
    }

    pub(super) fn print(&mut self) {
        println!("{self}");
        self.printed = Some(Instant::now());
    }

    /// Called by the kernel for the last expression of a cell. Shows nothing if the macro has just
    /// printed it.
    pub fn evcxr_display(&self) {
        // If the macro is the cell's last expression, microseconds pass between printing and this
        // call; before the next cell, a run of the compiler.
        const SAME_CELL: Duration = Duration::from_millis(100);
        if self.printed.is_none_or(|when| when.elapsed() > SAME_CELL) {
            self.bundle().evcxr_display();
        }
    }
}

impl Rich for Sample {
    fn bundle(&self) -> Bundle {
        Bundle::plain(self.to_string())
    }
}

impl fmt::Display for Sample {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            formatter,
            "{} ± {} per loop (mean ± std. dev. of {}, {} each)\nfastest {}, median {}, slowest {}",
            fine_seconds(self.average()),
            fine_seconds(self.stdev()),
            counted(self.runs, "run"),
            counted(self.loops as usize, "loop"),
            fine_seconds(self.best()),
            fine_seconds(self.median()),
            fine_seconds(self.worst()),
        )?;
        self.remark()
            .into_iter()
            .chain(self.warnings())
            .try_for_each(|line| write!(formatter, "\n{line}"))
    }
}

impl fmt::Debug for Sample {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, formatter)
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// A clock as on an ordinary machine.
    pub(in crate::time) const CLOCK: Clock = Clock {
        overhead: Duration::from_nanos(25),
        precision: Duration::from_nanos(1),
        empty_loop: 0.3e-9,
    };

    pub(in crate::time) fn sample(all_runs: &[f64], loops: u64) -> Sample {
        Sample::new(all_runs.to_vec(), loops, None, false, CLOCK)
    }

    /// Computed by hand: the mean of 2, 4, 4, 4, 5, 5, 7, 9 is 5, the squared deviations are 9 + 1
    /// + 1 + 1 + 0 + 0 + 4 + 16 = 32, 32 / 8 = 4.
    #[test]
    fn statistics_are_right() {
        let milliseconds = [5e-3, 4e-3, 2e-3, 9e-3, 4e-3, 5e-3, 7e-3, 4e-3];
        let sample = sample(&milliseconds, 10);
        let is = |value: f64, expected: f64| (value - expected).abs() < 1e-15;
        assert!(is(sample.average(), 5e-3));
        assert!(is(sample.stdev(), 2e-3));
        assert!(is(sample.median(), 4.5e-3));
        assert_eq!((sample.best(), sample.worst()), (2e-3, 9e-3));
        assert_eq!(sample.all_runs, milliseconds);
    }

    #[test]
    fn median_of_an_odd_number_is_the_one_in_the_middle() {
        assert_eq!(sample(&[3.0, 1.0, 2.0], 1).median(), 2.0);
        assert_eq!(sample(&[3.0], 1).median(), 3.0);
        assert_eq!(sample(&[3.0], 1).stdev(), 0.0);
    }

    #[test]
    fn prints_ipythons_line_and_the_extremes() {
        let text = sample(&[7.15e-3, 7.24e-3, 7.33e-3], 100).to_string();
        assert_eq!(
            text,
            "7.24 ms ± 73.5 µs per loop (mean ± std. dev. of 3 runs, 100 loops each)\n\
             fastest 7.15 ms, median 7.24 ms, slowest 7.33 ms"
        );
        let text = sample(&[2.0], 1).to_string();
        assert!(
            text.starts_with("2.00 s ± 0 ns per loop (mean ± std. dev. of 1 run, 1 loop each)\n"),
            "{text}"
        );
        let text = sample(&[2.5e-9, 2.6e-9, 2.55e-9], 100_000_000).to_string();
        assert!(text.starts_with("2.55 ns ± 0.0408 ns per loop (mean"), "{text}");
    }

    fn last_line(sample: Sample) -> String {
        sample.to_string().lines().last().unwrap().to_string()
    }

    #[test]
    fn quiet_machine_needs_no_words() {
        assert!(sample(&[1.0, 1.01, 1.02], 1).warnings().is_empty());
    }

    #[test]
    fn skew_and_noise_are_said() {
        let skewed = last_line(sample(&[1.0, 1.0, 4.5], 1));
        assert!(
            skewed.starts_with("The slowest run took 4.5 times as long as the fastest"),
            "{skewed}"
        );
        // Mean 1.5, deviation 0.5: a third.
        let noisy = last_line(sample(&[1.0, 2.0], 1));
        assert!(noisy.starts_with("Noisy: the standard deviation is 33 % of the mean."), "{noisy}");
    }

    #[test]
    fn work_that_was_left_out_is_said() {
        let dead = last_line(sample(&[0.3e-9; 7], 1_000_000_000));
        assert!(
            dead.starts_with("Too fast to be true: an empty loop takes 0.300 ns here"),
            "{dead}"
        );
        assert!(sample(&[1.1e-9; 7], 1_000_000_000).warnings().is_empty());
    }

    #[test]
    fn clock_too_coarse_is_said() {
        let short = last_line(sample(&[100e-9; 7], 1));
        assert_eq!(
            short,
            "A run takes 100 ns, too short for this clock (step 1.00 ns, a reading 25.0 ns): \
             use more loops."
        );
        assert!(sample(&[100e-9; 7], 1000).warnings().is_empty());
        let with_setup = Sample::new(vec![100e-9; 7], 1_000_000, None, true, CLOCK);
        assert!(last_line(with_setup).starts_with("A call takes 100 ns, too short"));
    }

    #[test]
    fn slow_first_call_is_a_remark() {
        let with_first = |first: f64| Sample::new(vec![1e-3; 7], 1000, Some(first), false, CLOCK);
        assert!(
            last_line(with_first(12e-3)).starts_with(
                "The first call took 12.0 ms, 12 times the median, and is not counted"
            )
        );
        assert!(last_line(with_first(3e-3)).starts_with("fastest"));
        assert!(with_first(12e-3).warnings().is_empty());
        let tiny = Sample::new(vec![2e-9; 7], 100_000_000, Some(1e-6), false, CLOCK);
        assert!(last_line(tiny).starts_with("fastest"));
    }
}
