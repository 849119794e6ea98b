//! How often to evaluate: a first call, then 1, 2, 5, 10, 20, … loops until a run is long enough,
//! then the runs that count.
//!
//! No clock in here: the caller passes in what each run took.

/// The caller's options; see [`timeit!`](crate::timeit!) for the meaning.
#[derive(Clone, Copy, PartialEq, Debug)]
#[doc(hidden)]
pub struct Options {
    pub(super) loops: Option<u64>,
    pub(super) runs: usize,
    pub(super) quiet: bool,
    /// Every call gets its own setup and is timed on its own.
    pub(super) setup: bool,
    /// The minimum duration of a run, in seconds.
    min_run: f64,
}

/// A run takes at least this long, and at most two and a half times as long, because that is the
/// largest step. Seconds.
const MIN_RUN: f64 = 0.1;
/// No more loops for a run that takes this long including its setups, which are not timed but still
/// take time. Seconds.
const MAX_RUN_WITH_SETUPS: f64 = 0.25;
/// Ends the search if nothing takes any time.
const MAX_LOOPS: u64 = 1_000_000_000;

/// The macros build options with these.
impl Options {
    pub const fn new() -> Options {
        Options { loops: None, runs: 7, quiet: false, setup: false, min_run: MIN_RUN }
    }

    #[track_caller]
    pub const fn loops(self, loops: u64) -> Options {
        assert!(loops > 0, "`loops` must be at least 1");
        Options { loops: Some(loops), ..self }
    }

    #[track_caller]
    pub const fn runs(self, runs: usize) -> Options {
        assert!(runs > 0, "`runs` must be at least 1");
        Options { runs, ..self }
    }

    pub const fn quiet(self) -> Options {
        Options { quiet: true, ..self }
    }

    pub(super) const fn min_run(self, min_run: f64) -> Options {
        Options { min_run, ..self }
    }

    pub const fn setup(self) -> Options {
        Options { setup: true, ..self }
    }
}

impl Default for Options {
    fn default() -> Options {
        Options::new()
    }
}

/// The state between two runs. Times are seconds.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct Repetitions {
    options: Options,
    loops: u64,
    /// Whether `loops` is final.
    ranged: bool,
    first_call: Option<f64>,
    all_runs: Vec<f64>,
}

impl Repetitions {
    pub(super) fn new(options: Options) -> Repetitions {
        Repetitions {
            options,
            loops: options.loops.unwrap_or(1),
            ranged: options.loops.is_some(),
            first_call: None,
            all_runs: Vec::new(),
        }
    }

    /// How many loops to do now; `None` when all is done.
    pub(super) fn next(&self) -> Option<u64> {
        if self.warms_up() {
            Some(1)
        } else if self.all_runs.len() < self.options.runs {
            Some(self.loops)
        } else {
            None
        }
    }

    /// Records how long the last loops took: the expression alone, and including everything around
    /// it.
    pub(super) fn record(&mut self, timed: f64, whole: f64) {
        if self.warms_up() {
            self.first_call = Some(timed);
            return;
        }
        if !self.ranged {
            if timed < self.options.min_run && whole < MAX_RUN_WITH_SETUPS && self.loops < MAX_LOOPS
            {
                self.loops = after(self.loops);
                return;
            }
            self.ranged = true;
            // A slow single call is not repeated more than needed. Otherwise the run that ended the
            // search is dropped: it was selected for being slow.
            if self.loops > 1 {
                return;
            }
        }
        self.all_runs.push(timed / self.loops as f64);
    }

    /// Whether the runs that count have started.
    fn ranged(&self) -> bool {
        self.ranged && !self.warms_up()
    }

    /// The index of the one whose turn it is: first the loops of all are found, then the runs
    /// alternate. `None` when all are done.
    pub(super) fn next_turn<'all>(all: impl Iterator<Item = &'all Repetitions>) -> Option<usize> {
        let open = all.enumerate().filter(|(_, repetitions)| repetitions.next().is_some());
        // The first one of equals.
        open.min_by_key(
            |(_, repetitions)| {
                if repetitions.ranged() { 1 + repetitions.all_runs.len() } else { 0 }
            },
        )
        .map(|(turn, _)| turn)
    }

    /// The first call is a run of its own, unless exactly one call is requested.
    fn warms_up(&self) -> bool {
        self.first_call.is_none() && !(self.options.loops == Some(1) && self.options.runs == 1)
    }

    /// Time of the first call, loops per run, time per loop of every run.
    pub(super) fn into_results(self) -> (Option<f64>, u64, Vec<f64>) {
        (self.first_call, self.loops, self.all_runs)
    }
}

/// The number after this one in 1, 2, 5, 10, 20, 50, …
fn after(loops: u64) -> u64 {
    if loops.to_string().starts_with('2') { loops / 2 * 5 } else { 2 * loops }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Simulates the repetitions with a clock that is a function: seconds per call, by the number
    /// of calls made so far.
    fn carry_out(
        options: Options,
        setup: f64,
        seconds: impl Fn(u64) -> f64,
    ) -> (Option<f64>, u64, Vec<f64>, Vec<u64>) {
        let mut repetitions = Repetitions::new(options);
        let mut calls = 0;
        let mut asked = Vec::new();
        while let Some(loops) = repetitions.next() {
            asked.push(loops);
            // A billion fake calls are not worth making one by one.
            let timed = seconds(calls) * loops as f64;
            repetitions.record(timed, timed + setup * loops as f64);
            calls += loops;
        }
        let (first, loops, all_runs) = repetitions.into_results();
        (first, loops, all_runs, asked)
    }

    #[test]
    fn loops_are_the_fewest_that_make_a_run_long_enough() {
        for (seconds, expected) in [
            (0.3, 1),
            (0.1, 1),
            (0.06, 2),
            (0.021, 5),
            (0.019, 10),
            (7.24e-3, 20),
            (3e-6, 50_000),
            (1.1e-9, 100_000_000),
        ] {
            let (first, loops, all_runs, _) = carry_out(Options::new(), 0.0, |_| seconds);
            assert_eq!((first, loops, all_runs.len()), (Some(seconds), expected, 7), "{seconds}");
            assert!(all_runs.iter().all(|run| (run / seconds - 1.0).abs() < 1e-12));
        }
    }

    #[test]
    fn search_goes_in_steps_and_its_last_run_is_repeated() {
        let (.., asked) = carry_out(Options::new().runs(2), 0.0, |_| 0.004);
        assert_eq!(asked, [1, 1, 2, 5, 10, 20, 50, 50, 50]);
    }

    /// A cheap function is measured quickly, whatever its cost.
    #[test]
    fn cheap_functions_are_done_in_two_seconds() {
        for step in 0..800 {
            let seconds = 1e-9 * 10f64.powf(0.01 * f64::from(step));
            let (_, loops, _, asked) = carry_out(Options::new(), 0.0, |_| seconds);
            let (run, all) = (seconds * loops as f64, seconds * asked.iter().sum::<u64>() as f64);
            assert!(
                (0.1..=0.25 + 1e-9).contains(&run) && all < 2.3,
                "{seconds}: a run {run}, all {all}"
            );
        }
    }

    /// A function that takes ten seconds: a first call and seven runs, as in IPython, not one more.
    #[test]
    fn slow_calls_are_not_wasted() {
        let (.., asked) = carry_out(Options::new(), 0.0, |_| 10.0);
        assert_eq!(asked, [1; 8]);
    }

    /// The first call fills a cache: its time must not decide the number of loops, nor be part of
    /// the runs.
    #[test]
    fn first_call_is_kept_apart() {
        let (first, loops, all_runs, _) =
            carry_out(Options::new(), 0.0, |calls| if calls == 0 { 5.0 } else { 0.05 });
        assert_eq!((first, loops), (Some(5.0), 2));
        assert!(all_runs.iter().all(|run| *run < 0.06));
    }

    #[test]
    fn what_takes_no_time_ends_too() {
        let (_, loops, all_runs, _) = carry_out(Options::new(), 0.0, |_| 0.0);
        assert_eq!((loops, all_runs), (MAX_LOOPS, vec![0.0; 7]));
    }

    /// 1 µs of work after 10 ms of setup: by the rule for runs alone, this would need 100,000
    /// loops, an hour of setups.
    #[test]
    fn setups_bound_the_search() {
        let (_, loops, ..) = carry_out(Options::new().setup(), 0.01, |_| 1e-6);
        assert_eq!(loops, 50);
    }

    #[test]
    fn given_numbers_are_obeyed() {
        let (first, loops, all_runs, asked) =
            carry_out(Options::new().loops(3).runs(4), 0.0, |_| 1e-6);
        assert_eq!((first, loops, all_runs.len()), (Some(1e-6), 3, 4));
        assert_eq!(asked, [1, 3, 3, 3, 3]);
        let (first, _, all_runs, asked) = carry_out(Options::new().loops(1).runs(1), 0.0, |_| 60.0);
        assert_eq!((first, all_runs, asked), (None, vec![60.0], vec![1]), "one call is one call");
    }

    #[test]
    #[should_panic(expected = "`loops` must be at least 1")]
    fn no_loops_are_refused() {
        let _ = Options::new().loops(0);
    }

    #[test]
    #[should_panic(expected = "`runs` must be at least 1")]
    fn no_runs_are_refused() {
        let _ = Options::new().runs(0);
    }
}
