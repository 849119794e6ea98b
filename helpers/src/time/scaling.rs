//! What more threads are worth: times, speed-up, efficiency, and Amdahl's and Gustafson's laws
//! fitted to them.

use super::Sample;
use super::compare::{times, unit_for, with_notes};
use super::repetitions::{Options, Repetitions};
use super::sampler::Sampler;
use crate::cores::{Cores, cores};
use crate::display::{self, Bundle, Rich, Table};
use crate::plot::Plot;
use rayon::ThreadPoolBuilder;
use std::fmt;
use std::hint::black_box;

/// Runs a computation with several numbers of threads, and shows what the threads are worth.
///
/// `f` runs inside a rayon pool with `threads` threads: `par_iter` in it uses exactly these. The
/// number is passed to `f`, in case it starts threads in another way.
///
/// Each number of threads gets a first call that is not counted and then 5 runs, in turn: whatever
/// slows the machine down meanwhile affects all of them. Calls below 20 ms are repeated within a
/// run. The median of the runs counts. In total, `f` takes about six times as long as one call with
/// each number of threads. Interrupts are handled between two calls.
///
/// A notebook shows the result, a [`Scaling`], as a table if it is the last expression of a cell;
/// its [`plot`](Scaling::plot) shows the speed-up.
///
/// # Panics
///
/// Panics if there are no numbers, or one is 0; if threads cannot be started. Panics of `f`
/// propagate.
///
/// # Examples
///
/// ```
/// use parcourse::prelude::*;
/// let numbers: Vec<f64> = (0..10_000).map(f64::from).collect();
/// let result = scaling(1..=2, |_threads| numbers.par_iter().map(|x| x.sin()).sum::<f64>());
/// println!("{result}");
/// result.plot().show();
/// assert_eq!(result.threads(), [1, 2]);
/// ```
///
/// prints
///
/// ```text
/// threads  time     fastest  speed-up  efficiency
///       1  84.2 ms  83.9 ms     1.000       1.000
///       2  45.1 ms  44.8 ms     1.867       0.933
/// Amdahl: 7.1 % of the work is serial, at most 14 times as fast with any number of threads
/// ```
#[track_caller]
pub fn scaling<R>(
    threads: impl IntoIterator<Item = usize>,
    f: impl Fn(usize) -> R + Sync,
) -> Scaling {
    // The value is dropped on the thread that computed it, so it need not be `Send`.
    let call = |threads: usize| drop(black_box(f(threads)));
    measure(threads.into_iter().collect(), &call)
}

/// Everything that does not depend on the type of `f`: compiled once, not in every cell.
#[track_caller]
fn measure(mut threads: Vec<usize>, call: &(dyn Fn(usize) + Sync)) -> Scaling {
    threads.sort_unstable();
    threads.dedup();
    assert!(
        !threads.is_empty(),
        "scaling needs at least one number of threads: `scaling(1..=4, |threads| …)`"
    );
    assert!(threads[0] > 0, "nothing can run with 0 threads: `scaling(1..=4, |threads| …)`");
    let pools: Vec<_> = threads
        .iter()
        .map(|&count| match ThreadPoolBuilder::new().num_threads(count).build() {
            Ok(pool) => pool,
            Err(error) => panic!("failed to start {count} threads: {error}"),
        })
        .collect();
    let options = Options::new().runs(5).min_run(0.02);
    let mut samplers: Vec<Sampler> = threads.iter().map(|_| Sampler::new(options)).collect();
    while let Some(turn) = Repetitions::next_turn(samplers.iter().map(Sampler::repetitions)) {
        let (sampler, count) = (&mut samplers[turn], threads[turn]);
        if !sampler.next_run() {
            break;
        }
        pools[turn].install(|| {
            while let Some(batch) = sampler.next_batch() {
                sampler.start();
                batch.for_each(|_| call(count));
                sampler.stop(0..0);
            }
        });
    }
    Scaling {
        threads,
        samples: samplers.into_iter().map(Sampler::into_sample).collect(),
        cores: cores(),
    }
}

/// The times with several numbers of threads; returned by [`scaling`].
#[derive(Clone, PartialEq)]
pub struct Scaling {
    threads: Vec<usize>,
    samples: Vec<Sample>,
    cores: Cores,
}

impl Scaling {
    /// The numbers of threads, ascending, without duplicates.
    pub fn threads(&self) -> &[usize] {
        &self.threads
    }

    /// The runs of each number of threads.
    pub fn samples(&self) -> &[Sample] {
        &self.samples
    }

    /// The median time of each, in seconds per call.
    pub fn values(&self) -> Vec<f64> {
        self.samples.iter().map(Sample::median).collect()
    }

    /// The speed-up of each over the fewest threads.
    pub fn speed_up(&self) -> Vec<f64> {
        let values = self.values();
        values.iter().map(|value| values[0] / value).collect()
    }

    /// Speed-up per thread: 1 if every thread is worth as much as the first.
    pub fn efficiency(&self) -> Vec<f64> {
        let fewest = self.threads[0] as f64;
        self.threads
            .iter()
            .zip(self.speed_up())
            .map(|(&threads, speed_up)| speed_up * fewest / threads as f64)
            .collect()
    }

    /// Amdahl's serial fraction *s*, fitted: with *n* threads the speed-up is *1 / (s + (1 - s) /
    /// n)*.
    ///
    /// The reciprocal law is linear in *s*: *1 / S(n) = s + (1 - s) / n*. Returns the least-squares
    /// *s* of this form, limited to 0 … 1. `None` without a run with 1 thread and one with more.
    pub fn amdahl(&self) -> Option<f64> {
        // 1/S - 1/n = s (1 - 1/n)
        self.fit(|threads, speed_up| (1.0 - 1.0 / threads, 1.0 / speed_up - 1.0 / threads))
    }

    /// Gustafson's serial fraction *s*, fitted: with *n* threads the speed-up is *n - s (n - 1)*.
    ///
    /// Gustafson scales the work with the number of threads; *s* is then the serial share of the
    /// time. With the same work for all numbers of threads, the law is a straight line through the
    /// measured speed-ups, a good approximation for a few threads. Least squares, limited to 0 … 1.
    /// `None` without a run with 1 thread and one with more.
    pub fn gustafson(&self) -> Option<f64> {
        // n - S = s (n - 1)
        self.fit(|threads, speed_up| (threads - 1.0, threads - speed_up))
    }

    /// The least-squares *s* of *y = s x*.
    fn fit(&self, point: impl Fn(f64, f64) -> (f64, f64)) -> Option<f64> {
        if self.threads[0] != 1 || self.threads.len() < 2 {
            return None;
        }
        let points = self
            .threads
            .iter()
            .zip(self.speed_up())
            .map(|(&threads, speed_up)| point(threads as f64, speed_up));
        let (products, squares) = points
            .fold((0.0, 0.0), |(products, squares), (x, y)| (products + x * y, squares + x * x));
        Some((products / squares).clamp(0.0, 1.0))
    }

    /// One row per number of threads: `threads`, `time` (median), `fastest`, `speed-up`,
    /// `efficiency`.
    pub fn to_table(&self) -> Table {
        let table = Table::new().column("threads", self.threads.clone());
        let table = times(table, "time", &self.values());
        let table =
            times(table, "fastest", &self.samples.iter().map(Sample::best).collect::<Vec<_>>());
        let figures = |numbers: Vec<f64>| {
            numbers.into_iter().map(|number| (number * 1000.0).round() / 1000.0)
        };
        table
            .column("speed-up", figures(self.speed_up()))
            .column("efficiency", figures(self.efficiency()))
    }

    /// The speed-up over the number of threads, with the ideal line and the fitted Amdahl's law.
    pub fn plot(&self) -> Plot {
        let threads: Vec<f64> = self.threads.iter().map(|&threads| threads as f64).collect();
        let (first, last) = (threads[0], threads[threads.len() - 1]);
        let mut plot = Plot::new().ideal("ideal", [first, last], [1.0, last / first]).points(
            "measured",
            &threads,
            self.speed_up(),
        );
        if let Some(serial) = self.amdahl() {
            const POINTS: usize = 60;
            let grid: Vec<f64> = (0..=POINTS)
                .map(|step| first + (last - first) * step as f64 / POINTS as f64)
                .collect();
            let law: Vec<f64> =
                grid.iter().map(|threads| 1.0 / (serial + (1.0 - serial) / threads)).collect();
            plot = plot.line(format!("Amdahl, {} serial", percent(serial)), grid, law);
        }
        plot.whole_x().x_label("threads").y_label("speed-up")
    }

    /// The times over the number of threads on logarithmic axes, where the ideal is a straight
    /// line.
    pub fn plot_times(&self) -> Plot {
        let values = self.values();
        let (unit, per_second) = unit_for(&values);
        let in_unit: Vec<f64> = values.iter().map(|value| value * per_second).collect();
        let threads: Vec<f64> = self.threads.iter().map(|&threads| threads as f64).collect();
        let ideal: Vec<f64> = threads.iter().map(|count| in_unit[0] * threads[0] / count).collect();
        Plot::new()
            .ideal("ideal", &threads, ideal)
            .line("measured", &threads, in_unit)
            .x_label("threads")
            .y_label(format!("time ({unit})"))
            .log_x()
            .log_y()
    }

    /// What the numbers mean, and warnings about them.
    fn notes(&self) -> Vec<String> {
        let mut notes = Vec::new();
        match self.amdahl() {
            Some(serial) if serial >= 0.001 => notes.push(format!(
                "Amdahl: {} of the work is serial, at most {:.0} times as fast with any number \
                 of threads",
                percent(serial),
                1.0 / serial
            )),
            Some(_) => notes.push("Amdahl: no serial part visible with so few threads".to_string()),
            None if self.threads[0] != 1 => {
                let fewest = self.threads[0];
                notes
                    .push(format!("Speed-up over {fewest} threads; include 1 to fit Amdahl's law"));
            }
            None => {}
        }
        notes.extend(self.more_than_cores());
        for (&threads, sample) in self.threads.iter().zip(&self.samples) {
            notes.extend(
                sample.warnings().into_iter().map(|line| format!("{threads} threads: {line}")),
            );
        }
        notes
    }

    /// If there are more threads than cores, they share the cores and are slower than the law says.
    fn more_than_cores(&self) -> Option<String> {
        let most = *self.threads.last()?;
        let physical = self.cores.physical_allowed.or(self.cores.physical).unwrap_or(usize::MAX);
        let usable = self.cores.usable;
        let cores = |count: usize| {
            if count == 1 { "1 core is".to_string() } else { format!("{count} cores are") }
        };
        if most > usable {
            Some(format!("Only {} usable: more threads than that take turns", cores(usable)))
        } else if most > physical {
            Some(format!(
                "Only {} physical: more threads than that share a core's units in pairs",
                cores(physical)
            ))
        } else {
            None
        }
    }

    /// Called by the kernel for the last expression of a cell.
    pub fn evcxr_display(&self) {
        self.bundle().evcxr_display();
    }

    /// Shows it now, like [`display`](crate::display::display).
    pub fn show(&self) {
        display::display(self);
    }
}

fn percent(fraction: f64) -> String {
    if fraction < 0.1 {
        format!("{:.1} %", 100.0 * fraction)
    } else {
        format!("{:.0} %", 100.0 * fraction)
    }
}

impl Rich for Scaling {
    fn bundle(&self) -> Bundle {
        with_notes(&self.to_table(), &self.notes())
    }
}

impl fmt::Display for Scaling {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}", self.to_table())?;
        self.notes().iter().try_for_each(|note| write!(formatter, "\n{note}"))
    }
}

impl fmt::Debug for Scaling {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, formatter)
    }
}

#[cfg(test)]
mod tests {
    use super::super::sample::tests::sample;
    use super::*;
    use std::sync::Mutex;

    fn with_cores(threads: &[usize], seconds: &[f64], physical: usize, usable: usize) -> Scaling {
        let mut cores = cores();
        (cores.physical, cores.physical_allowed, cores.usable) =
            (Some(physical), Some(physical), usable);
        Scaling {
            threads: threads.to_vec(),
            samples: seconds.iter().map(|&seconds| sample(&[seconds; 3], 1)).collect(),
            cores,
        }
    }

    fn results(threads: &[usize], seconds: &[f64]) -> Scaling {
        with_cores(threads, seconds, 64, 64)
    }

    fn close(values: &[f64], expected: &[f64]) {
        assert_eq!(values.len(), expected.len());
        assert!(
            values.iter().zip(expected).all(|(value, expected)| (value - expected).abs() < 1e-12),
            "{values:?} {expected:?}"
        );
    }

    #[test]
    fn speed_up_and_efficiency_are_against_the_fewest() {
        let scaling = results(&[1, 2, 4], &[8.0, 4.0, 2.5]);
        close(&scaling.speed_up(), &[1.0, 2.0, 3.2]);
        close(&scaling.efficiency(), &[1.0, 1.0, 0.8]);
        let from_two = results(&[2, 4], &[4.0, 2.5]);
        close(&from_two.speed_up(), &[1.0, 1.6]);
        close(&from_two.efficiency(), &[1.0, 0.8]);
    }

    /// From times computed by the law, the fit recovers the fraction.
    #[test]
    fn amdahl_is_found_again() {
        let threads = [1, 2, 3, 4, 8];
        let seconds = threads.map(|n| 5.0 * (0.2 + 0.8 / n as f64));
        close(&[results(&threads, &seconds).amdahl().unwrap()], &[0.2]);
    }

    /// Computed by hand, for threads 1, 2, 4 and speed-ups 1, 1.6, 2: x = 1 - 1/n is 0, 1/2, 3/4; y
    /// = 1/S - 1/n is 0, 1/8, 1/4; s = (1/16 + 3/16) / (1/4 + 9/16) = (4/16) / (13/16).
    #[test]
    fn amdahl_is_the_least_squares() {
        close(&[results(&[1, 2, 4], &[8.0, 5.0, 4.0]).amdahl().unwrap()], &[4.0 / 13.0]);
    }

    /// Computed by hand, for the same speed-ups: x = n - 1 is 0, 1, 3; y = n - S is 0, 0.4, 2; s =
    /// (0.4 + 6) / (1 + 9).
    #[test]
    fn gustafson_is_the_least_squares() {
        close(&[results(&[1, 2, 4], &[8.0, 5.0, 4.0]).gustafson().unwrap()], &[0.64]);
    }

    #[test]
    fn fractions_are_fractions() {
        assert_eq!(results(&[1, 2], &[8.0, 3.0]).amdahl(), Some(0.0), "faster than ideal");
        assert_eq!(results(&[1, 2], &[8.0, 9.0]).amdahl(), Some(1.0), "slower than serial");
        assert_eq!(results(&[1], &[8.0]).amdahl(), None);
        assert_eq!(results(&[2, 4], &[8.0, 4.0]).amdahl(), None);
    }

    #[test]
    fn table_and_notes() {
        let text = with_cores(&[1, 2, 4], &[8.0, 5.0, 4.0], 2, 2).to_string();
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(
            lines[0].split_whitespace().collect::<Vec<_>>(),
            ["threads", "time", "fastest", "speed-up", "efficiency"]
        );
        assert_eq!(
            lines[2].split_whitespace().collect::<Vec<_>>(),
            ["2", "5.00", "s", "5.00", "s", "1.6", "0.8"]
        );
        assert_eq!(
            lines[4],
            "Amdahl: 31 % of the work is serial, at most 3 times as fast with any number of threads"
        );
        assert_eq!(lines[5], "Only 2 cores are usable: more threads than that take turns");
        assert_eq!(lines.len(), 6);
    }

    #[test]
    fn hyper_threads_are_told_from_cores() {
        let text = with_cores(&[1, 4], &[4.0, 1.0], 2, 4).to_string();
        assert!(
            text.ends_with(
                "Only 2 cores are physical: more threads than that share a core's units in pairs"
            ),
            "{text}"
        );
        assert!(!with_cores(&[1, 2], &[4.0, 1.0], 2, 4).to_string().contains("Only"));
        assert!(with_cores(&[2, 4], &[4.0, 1.0], 8, 8).to_string().contains("include 1"));
    }

    #[test]
    fn pool_has_the_threads_that_are_passed() {
        let seen = Mutex::new(Vec::new());
        let scaling = scaling([3, 1, 3], |threads| {
            seen.lock().unwrap().push((threads, rayon::current_num_threads()));
            std::thread::sleep(std::time::Duration::from_millis(25));
        });
        assert_eq!(scaling.threads(), [1, 3]);
        let seen = seen.into_inner().unwrap();
        // A first call of each, then five runs, alternating.
        assert_eq!(seen.len(), 12);
        assert!(seen.iter().all(|(passed, found)| passed == found));
        let order: Vec<usize> = seen.iter().map(|(threads, _)| *threads).collect();
        assert_eq!(order, [1, 1, 3, 3, 1, 3, 1, 3, 1, 3, 1, 3]);
    }

    /// Nothing is sent to another thread: neither `Send` values nor `move` are needed.
    #[test]
    fn values_need_not_change_threads() {
        let scaling = scaling(1..=2, |_| std::rc::Rc::new(5));
        assert_eq!(scaling.samples().len(), 2);
    }

    #[test]
    #[should_panic(expected = "scaling needs at least one number of threads")]
    fn no_numbers_are_refused() {
        scaling([], |_| ());
    }

    #[test]
    #[should_panic(expected = "with 0 threads")]
    fn zero_threads_are_refused() {
        scaling(0..2, |_| ());
    }

    #[test]
    #[should_panic(expected = "from inside")]
    fn panics_come_through() {
        scaling(1..=2, |_| panic!("from inside"));
    }
}
