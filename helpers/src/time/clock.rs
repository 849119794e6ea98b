//! The clock's own cost, measured once per process rather than assumed.

use std::hint::black_box;
use std::sync::OnceLock;
use std::time::{Duration, Instant};

/// The properties, on this machine, of the clock that [`timeit!`](crate::timeit!) and its relatives
/// use.
///
/// Measuring them takes about a millisecond, once per process.
///
/// # Examples
///
/// ```
/// use parcourse::time::Clock;
/// println!("{:?}", Clock::measured());
/// ```
#[derive(Clone, Copy, PartialEq, Debug)]
#[non_exhaustive]
pub struct Clock {
    /// How long an empty measurement takes: the median time between two readings. Subtracted from
    /// every measurement.
    pub overhead: Duration,
    /// The smallest step of the clock. A time of a few steps means little.
    pub precision: Duration,
    /// Seconds per iteration of a loop that only keeps a number from the optimiser. Not subtracted:
    /// the processor counts while it does the work. An expression that takes no longer than this
    /// was optimised away.
    pub empty_loop: f64,
}

impl Clock {
    /// Measures the clock on the first call; later calls return the same values.
    pub fn measured() -> Clock {
        static CLOCK: OnceLock<Clock> = OnceLock::new();
        *CLOCK.get_or_init(|| Clock {
            overhead: overhead(),
            precision: precision(),
            empty_loop: empty_loop(),
        })
    }
}

/// A start and a stop as the macros do them: not inlined, so that the call is part of what is
/// measured and subtracted.
#[derive(Clone, Copy, Debug)]
pub(super) struct Lap(Instant);

impl Lap {
    #[inline(never)]
    pub(super) fn start() -> Lap {
        Lap(Instant::now())
    }

    #[inline(never)]
    pub(super) fn stop(self) -> Duration {
        self.0.elapsed()
    }
}

fn overhead() -> Duration {
    let mut laps: Vec<Duration> = (0..1001).map(|_| Lap::start().stop()).collect();
    laps.sort();
    laps[laps.len() / 2]
}

fn precision() -> Duration {
    // The smallest nonzero difference between consecutive readings is at most a few steps; on a
    // slow clock it is exactly one.
    let steps = (0..1001).map(|_| {
        let start = Instant::now();
        loop {
            let step = start.elapsed();
            if !step.is_zero() {
                return step;
            }
        }
    });
    let smallest = steps.min().unwrap_or_default();
    // If reading takes longer than a step, the differences between the differences show the step.
    let mut laps: Vec<Duration> = (0..1001).map(|_| Lap::start().stop()).collect();
    laps.sort();
    laps.windows(2)
        .map(|pair| pair[1] - pair[0])
        .filter(|step| !step.is_zero())
        .min()
        .map_or(smallest, |step| step.min(smallest))
}

fn empty_loop() -> f64 {
    const ITERATIONS: u64 = 20_000;
    let runs = (0..10).map(|_| {
        let lap = Lap::start();
        for turn in 0..ITERATIONS {
            black_box(turn);
        }
        lap.stop()
    });
    runs.min().unwrap_or_default().as_secs_f64() / ITERATIONS as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clock_makes_steps_and_costs_something() {
        let clock = Clock::measured();
        assert!(!clock.precision.is_zero());
        assert!(clock.empty_loop > 0.0);
        assert_eq!(Clock::measured(), clock, "measured once");
        // Orders of magnitude that any machine in use meets, but a wrong unit would miss.
        assert!(
            clock.overhead < Duration::from_micros(50)
                && clock.precision < Duration::from_millis(50),
            "{clock:?}"
        );
        assert!(clock.empty_loop < 1e-6, "{clock:?}");
    }
}
