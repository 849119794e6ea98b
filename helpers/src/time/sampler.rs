//! What the macros' loops call: which run comes next, how many loops, start and stop.
//!
//! The loops themselves are in the cell, around the expression, which appears only once: `?` and
//! `return` leave the cell as they would without the macro, and no closure has to capture anything.
//! Everything that does not need the cell's types is here, compiled once.

use super::Sample;
use super::clock::{Clock, Lap};
use super::repetitions::{Options, Repetitions};
use crate::interrupt::{self, Scope};
use std::ops::Range;
use std::time::{Duration, Instant};

/// Repeats an expression; for the macros only.
#[derive(Debug)]
#[doc(hidden)]
pub struct Sampler {
    repetitions: Repetitions,
    clock: Clock,
    options: Options,
    /// The current run, if there is one.
    run: Option<Run>,
    lap: Lap,
    /// Loops done in a row without checking for an interrupt.
    batch: u64,
    /// Keeps SIGINT from ending the process.
    _scope: Scope,
}

/// A run in progress.
#[derive(Debug)]
struct Run {
    began: Instant,
    loops_left: u64,
    timed: Duration,
}

/// How long to loop without checking for an interrupt: long compared to the microsecond that a
/// check costs, short for a person.
const BATCH_DURATION: Duration = Duration::from_millis(50);

impl Sampler {
    pub fn new(options: Options) -> Sampler {
        let clock = Clock::measured();
        Sampler {
            repetitions: Repetitions::new(options),
            clock,
            options,
            run: None,
            lap: Lap::start(),
            batch: 1,
            _scope: Scope::enter(),
        }
    }

    /// Starts the next run; false when everything is done.
    pub fn next_run(&mut self) -> bool {
        let loops = self.repetitions.next();
        self.run = loops.map(|loops_left| Run {
            began: Instant::now(),
            loops_left,
            timed: Duration::ZERO,
        });
        self.run.is_some()
    }

    /// The loops to do next without a check; `None` when the run is done.
    pub fn next_batch(&mut self) -> Option<Range<u64>> {
        self.run.as_ref()?;
        interrupt::check();
        Some(0..self.batch_size())
    }

    pub(super) fn repetitions(&self) -> &Repetitions {
        &self.repetitions
    }

    fn batch_size(&self) -> u64 {
        let left = self.run.as_ref().map_or(1, |run| run.loops_left);
        // Each setup is made just before its call and dropped after it, one at a time.
        if self.options.setup { 1 } else { self.batch.min(left) }
    }

    /// Starts the clock.
    #[inline(never)]
    pub fn start(&mut self) {
        self.lap = Lap::start();
    }

    /// Stops the clock. `left` is what remains of the batch: nothing, unless the expression left
    /// the loop.
    #[inline(never)]
    #[track_caller]
    pub fn stop(&mut self, left: Range<u64>) {
        let elapsed = self.lap.stop();
        assert!(left.is_empty(), "`break` cannot leave an expression that is being timed");
        let done = self.batch_size();
        let run = self.run.as_mut().expect("a batch belongs to a run");
        run.timed += elapsed.saturating_sub(self.clock.overhead);
        run.loops_left -= done;
        // At most tenfold: the first loops of a run may be faster than the others.
        if done == self.batch && elapsed < BATCH_DURATION / 2 {
            self.batch =
                self.batch.saturating_mul(if elapsed < BATCH_DURATION / 20 { 10 } else { 2 });
        } else if elapsed > 2 * BATCH_DURATION {
            self.batch = (self.batch / 2).max(1);
        }
        if run.loops_left == 0 {
            self.repetitions.record(run.timed.as_secs_f64(), run.began.elapsed().as_secs_f64());
            self.run = None;
        }
    }

    /// Returns the result, and prints it unless `quiet` is set.
    pub fn finish(self) -> Sample {
        let quiet = self.options.quiet;
        let mut sample = self.into_sample();
        if !quiet {
            sample.print();
        }
        sample
    }

    pub(super) fn into_sample(self) -> Sample {
        interrupt::check();
        let (first_call, loops, all_runs) = self.repetitions.into_results();
        Sample::new(all_runs, loops, first_call, self.options.setup, self.clock)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn repeat(options: Options, mut f: impl FnMut()) -> Sample {
        let mut sampler = Sampler::new(options);
        while sampler.next_run() {
            while let Some(batch) = sampler.next_batch() {
                sampler.start();
                for _ in batch {
                    f();
                }
                sampler.stop(0..0);
            }
        }
        sampler.into_sample()
    }

    #[test]
    fn exactly_the_loops_asked_for() {
        let mut calls = 0;
        let sample = repeat(Options::new().loops(1234).runs(3), || calls += 1);
        assert_eq!(calls, 1 + 3 * 1234);
        assert_eq!((sample.loops, sample.runs, sample.all_runs.len()), (1234, 3, 3));
    }

    /// Batches are small enough to be interrupted, and their times add up.
    #[test]
    fn batches_add_up() {
        let nap = Duration::from_millis(2);
        let sample = repeat(Options::new().loops(60).runs(2), || std::thread::sleep(nap));
        assert!(sample.best() >= nap.as_secs_f64() * 0.99, "{sample}");
    }

    #[test]
    #[should_panic(expected = "`break` cannot leave")]
    fn leaving_the_loop_is_noticed() {
        let mut sampler = Sampler::new(Options::new());
        assert!(sampler.next_run());
        let batch = sampler.next_batch().unwrap();
        sampler.start();
        sampler.stop(batch);
    }
}
