//! `check_fast!`: one function is several times as fast as another.

use super::Wording;
use crate::format::{fine_seconds, three_figures};
use crate::interrupt::{self, Scope};
use std::hint::black_box;
use std::time::{Duration, Instant};

/// Checks that a function is `factor` times as fast as another: prints both times with a ✓, or
/// panics with a message for learners.
///
/// Both are closures without arguments. After a first call that does not count, they alternate, and
/// the fastest run of each counts: anything else that the machine does makes a run slower, never
/// faster. Calls below a millisecond are repeated within a run. The check passes as soon as `yours`
/// has been fast enough after three runs. Before it fails, it makes at least seven runs of each and
/// tries for some seconds, unless there is no hope (less than half of the factor). A factor close
/// to the expected speed-up is a matter of luck: leave some margin.
///
/// The results are kept from the optimiser but not compared: use [`check_eq!`](crate::check_eq!)
/// first. Take the input from variables; the compiler evaluates constants beforehand.
///
/// Options: `factor = 2.0`, how many times as fast `yours` must be (default 1; below 1, it may be
/// slower by that factor); `hint = "…"`, `what = "…"`, see [the module](mod@crate::check).
///
/// # Panics
///
/// Panics if `yours` is slower than that. Unwinds with
/// [`Interrupted`](crate::interrupt::Interrupted) when interrupted, between two runs.
///
/// # Examples
///
/// ```
/// use parcourse::prelude::*;
/// let numbers: Vec<f64> = (0..100_000).map(f64::from).collect();
/// check_fast!(
///     || numbers[..100].iter().sum::<f64>(),
///     || numbers.iter().sum::<f64>(),
///     factor = 10.0,
///     what = "a small sum",
/// );
/// ```
///
/// prints
///
/// ```text
/// ✓ a small sum is 1098 times as fast as given, 10 times expected (58.2 ns, given 63.9 µs; fastest of 3 runs each)
/// ```
///
/// ```should_panic
/// # use parcourse::prelude::*;
/// let numbers: Vec<f64> = (0..100_000).map(f64::from).collect();
/// check_fast!(
///     || numbers.iter().sum::<f64>(),
///     || numbers[..100].iter().sum::<f64>(),
///     hint = "sum less",
/// );
/// ```
#[macro_export]
macro_rules! check_fast {
    ($yours:expr, $given:expr $(, $($options:tt)*)?) => {
        $crate::check::fast(
            $yours,
            $given,
            $crate::__check_options!(
                $crate::check::Wording::of(::std::stringify!($yours)),
                $($($options)*)?
            ),
        )
    };
}

/// The minimum number of runs before the check may pass, …
const MIN_RUNS: usize = 3;
/// … the minimum before it may fail, …
const MIN_RUNS_TO_FAIL: usize = 7;
/// … and the maximum.
const MAX_RUNS: usize = 50;
/// How long it tries before it fails, unless the first [`MIN_RUNS`] runs take longer.
const TIMEOUT: Duration = Duration::from_secs(4);
/// A run is repeated until it takes this long, so that the clock's steps do not matter. Seconds.
const MIN_RUN: f64 = 1e-3;
const MAX_LOOPS: f64 = 1e6;

/// For the macro only.
#[doc(hidden)]
#[track_caller]
pub fn fast<A, B>(mut yours: impl FnMut() -> A, mut given: impl FnMut() -> B, wording: Wording) {
    judge(&mut || drop(black_box(yours())), &mut || drop(black_box(given())), &wording);
}

#[inline(never)]
#[track_caller]
fn judge(yours: &mut dyn FnMut(), given: &mut dyn FnMut(), wording: &Wording) {
    let (ratio, found) = race(yours, given, wording);
    if ratio >= wording.factor { wording.pass(found) } else { wording.fail(found) }
}

/// Everything that does not depend on the closures' types: measures the ratio and writes the
/// message.
fn race(yours: &mut dyn FnMut(), given: &mut dyn FnMut(), wording: &Wording) -> (f64, String) {
    let _scope = Scope::enter();
    let begin = Instant::now();
    let (mut given, mut yours) = (Runner::new(given), Runner::new(yours));
    let wanted = wording.factor;
    for run in 1.. {
        given.run();
        yours.run();
        let ratio = given.fastest / yours.fastest;
        let hopeless = run >= MIN_RUNS_TO_FAIL && ratio < wanted / 2.0;
        let out_of_time = begin.elapsed() > TIMEOUT
            && run >= MIN_RUNS
            && (run >= MIN_RUNS_TO_FAIL || begin.elapsed() > 2 * TIMEOUT);
        if (run >= MIN_RUNS && ratio >= wanted) || hopeless || out_of_time || run == MAX_RUNS {
            return (ratio, sentence(wording, &yours, &given, run));
        }
    }
    unreachable!("at least one run")
}

fn sentence(wording: &Wording, yours: &Runner, given: &Runner, runs: usize) -> String {
    let times = format!(
        "{}, given {}; fastest of {runs} runs each",
        fine_seconds(yours.fastest),
        fine_seconds(given.fastest)
    );
    let ratio = three_figures(given.fastest / yours.fastest);
    format!(
        "{} is {ratio} times as fast as given, {} times expected ({times})",
        wording.subject(),
        wording.factor
    )
}

/// One of the two.
struct Runner<'a> {
    call: &'a mut dyn FnMut(),
    loops: u64,
    /// Seconds per call.
    fastest: f64,
}

impl<'a> Runner<'a> {
    /// Makes a first call, which does not count, and finds the number of calls per run.
    fn new(call: &'a mut dyn FnMut()) -> Runner<'a> {
        let mut runner = Runner { call, loops: 1, fastest: f64::INFINITY };
        runner.run();
        if runner.fastest < MIN_RUN / 4.0 {
            // The first call was slow: its code and data were not cached.
            runner.fastest = f64::INFINITY;
            runner.run();
        }
        runner.loops = (MIN_RUN / runner.fastest).ceil().clamp(1.0, MAX_LOOPS) as u64;
        runner.fastest = f64::INFINITY;
        runner
    }

    fn run(&mut self) {
        interrupt::check();
        let start = Instant::now();
        for _ in 0..self.loops {
            (self.call)();
        }
        let seconds = start.elapsed().as_secs_f64() / self.loops as f64;
        // A clock with coarse steps may report 0; nothing takes less than this.
        self.fastest = self.fastest.min(seconds.max(1e-12));
    }
}

#[cfg(test)]
mod tests {
    use crate::check::wording::failure;
    use std::cell::Cell;
    use std::thread::sleep;
    use std::time::Duration;

    const MILLISECOND: Duration = Duration::from_millis(1);

    #[test]
    fn faster_enough_is_enough() {
        let runs = Cell::new(0);
        let yours = || runs.set(runs.get() + 1);
        crate::check_fast!(yours, || sleep(5 * MILLISECOND), factor = 2.0);
        assert!(runs.get() > 3);
        crate::check_fast!(|| sleep(2 * MILLISECOND), || sleep(MILLISECOND), factor = 0.2);
    }

    #[test]
    fn failure_says_how_fast_both_are() {
        let message = failure(|| {
            crate::check_fast!(
                || sleep(4 * MILLISECOND),
                || sleep(MILLISECOND),
                factor = 2.0,
                what = "f",
                hint = "wait less"
            )
        });
        assert!(
            message.starts_with("✗ f is 0.")
                && message.contains(" times as fast as given, 2 times expected ("),
            "{message}"
        );
        assert!(message.ends_with("; fastest of 7 runs each)\n  Hint: wait less"), "{message}");
    }

    /// The first two runs are disturbed; taking the minimum and retrying makes up for that.
    #[test]
    fn a_disturbance_does_not_count() {
        let mut calls = 0;
        let yours = || {
            calls += 1;
            sleep(if calls < 7 { 20 * MILLISECOND } else { MILLISECOND });
        };
        crate::check_fast!(yours, || sleep(8 * MILLISECOND), factor = 2.0);
    }
}
