//! Several expressions measured side by side.

use super::Sample;
use super::repetitions::{Options, Repetitions};
use super::sampler::Sampler;
use crate::display::{self, Bundle, Rich, Table};
use crate::format::{counted, escape_html, fine_seconds};
use crate::plot::Plot;
use std::fmt;
use std::time::Duration;

/// Times several expressions and compares them.
///
/// ```
/// use parcourse::prelude::*;
/// let numbers: Vec<u64> = (0..1000).collect();
/// let comparison = compare! {
///     runs = 3, loops = 10,
///     "one thread" => numbers.iter().sum::<u64>(),
///     "all threads" => numbers.par_iter().sum::<u64>(),
/// };
/// println!("{comparison}");
/// ```
///
/// prints
///
/// ```text
///              median     fastest     mean ± std. dev.  ratio
/// one thread   121 ns      119 ns      124 ns ± 3.21 ns  1.00
/// all threads  21.4 µs    18.2 µs     22.9 µs ± 2.10 µs   177
/// ```
///
/// Labels are literals; expressions are the same as for [`timeit!`](crate::timeit!), including the
/// rules on loops, runs and the optimiser. First the number of loops is found for each expression.
/// Then the runs alternate: the first run of each, the second run of each. Whatever disturbs the
/// machine meanwhile (another program, a lower clock frequency) affects all of them alike. The
/// ratio is that of the medians.
///
/// Returns a [`Comparison`], which a notebook shows as a table if it is the last expression of a
/// cell. Prints nothing.
///
/// # Panics
///
/// Like [`timeit!`](crate::timeit!).
///
/// # Examples
///
/// Every expression needs a label:
///
/// ```compile_fail
/// use parcourse::prelude::*;
/// compare! { 1 + 1, 2 + 2 };
/// ```
#[macro_export]
macro_rules! compare {
    (@options [$($options:tt)*] loops = $loops:expr, $($rest:tt)+) => {
        $crate::compare!(@options [$($options)* .loops($loops)] $($rest)+)
    };
    (@options [$($options:tt)*] runs = $runs:expr, $($rest:tt)+) => {
        $crate::compare!(@options [$($options)* .runs($runs)] $($rest)+)
    };
    (@options [$($options:tt)*] $unknown:ident = $value:expr, $($rest:tt)+) => {
        ::std::compile_error!(::std::concat!(
            "unknown option `", ::std::stringify!($unknown), "`: there are `loops` and `runs`"
        ))
    };
    (@options [$($options:tt)*] $($rest:tt)+) => {
        $crate::compare!(@entries [$($options)*] [] $($rest)+)
    };
    // The first two forms are those that `__opaque!` knows. Once matched as an expression, its
    // parts are out of reach for a macro.
    (@entries [$($options:tt)*] [$($done:tt)*]
        $label:literal => $($function:ident)::+ $(::<$($generic:ty),* $(,)?>)? ($($arguments:tt)*)
        $(, $($rest:tt)*)?) => {
        $crate::compare!(@entries [$($options)*]
            [$($done)* [$label [$($function)::+ $(::<$($generic),*>)? ($($arguments)*)]]]
            $($($rest)*)?)
    };
    (@entries [$($options:tt)*] [$($done:tt)*]
        $label:literal => $receiver:ident
        $(. $method:ident $(::<$($generic:ty),* $(,)?>)? ($($arguments:tt)*))+
        $(, $($rest:tt)*)?) => {
        $crate::compare!(@entries [$($options)*]
            [$($done)* [$label [$receiver $(. $method $(::<$($generic),*>)? ($($arguments)*))+]]]
            $($($rest)*)?)
    };
    (@entries [$($options:tt)*] [$($done:tt)*]
        $label:literal => $expression:expr $(, $($rest:tt)*)?) => {
        $crate::compare!(@entries [$($options)*] [$($done)* [$label [$expression]]] $($($rest)*)?)
    };
    (@entries [$($options:tt)*] [$([$label:literal [$($expression:tt)+]])+]) => {{
        let mut comparison = $crate::time::ComparisonSampler::new($($options)*, &[$($label),+]);
        while comparison.next_run() {
            $(
                if let ::std::option::Option::Some(sampler) = comparison.next_entry() {
                    while let ::std::option::Option::Some(mut batch) = sampler.next_batch() {
                        sampler.start();
                        for _ in batch.by_ref() {
                            let _ = ::std::hint::black_box($crate::__opaque!($($expression)+));
                        }
                        sampler.stop(batch);
                    }
                }
            )+
        }
        comparison.finish()
    }};
    (@ $($rest:tt)*) => {
        ::std::compile_error!(
            "`compare!` did not understand this: \
             write `compare! { \"label\" => f(x), \"other\" => g(x) }`"
        )
    };
    () => {
        ::std::compile_error!(
            "what should be compared? `compare! { \"label\" => f(x), \"other\" => g(x) }`"
        )
    };
    ($($all:tt)+) => {
        $crate::compare!(@options [$crate::time::Options::new()] $($all)+)
    };
}

/// Decides whose run comes next; for the macro only.
#[derive(Debug)]
#[doc(hidden)]
pub struct ComparisonSampler {
    entries: Vec<(String, Sampler)>,
    turn: usize,
    asked: usize,
}

impl ComparisonSampler {
    #[track_caller]
    pub fn new(options: Options, labels: &[&str]) -> ComparisonSampler {
        let entries =
            labels.iter().map(|label| (label.to_string(), Sampler::new(options))).collect();
        ComparisonSampler { entries, turn: 0, asked: 0 }
    }

    /// Starts the next run, of the entry whose turn it is; false when all are done.
    pub fn next_run(&mut self) -> bool {
        let Some(turn) =
            Repetitions::next_turn(self.entries.iter().map(|(_, sampler)| sampler.repetitions()))
        else {
            return false;
        };
        (self.turn, self.asked) = (turn, 0);
        self.entries[turn].1.next_run()
    }

    /// Called for every entry in order; returns the sampler of the one whose run it is.
    pub fn next_entry(&mut self) -> Option<&mut Sampler> {
        self.asked += 1;
        if self.asked - 1 == self.turn { Some(&mut self.entries[self.turn].1) } else { None }
    }

    pub fn finish(self) -> Comparison {
        let (labels, samples) =
            self.entries.into_iter().map(|(label, sampler)| (label, sampler.into_sample())).unzip();
        Comparison { labels, samples }
    }
}

/// The times of several expressions side by side; returned by [`compare!`](crate::compare!).
#[derive(Clone, PartialEq)]
pub struct Comparison {
    labels: Vec<String>,
    samples: Vec<Sample>,
}

impl Comparison {
    /// The labels, in the order given.
    pub fn labels(&self) -> &[String] {
        &self.labels
    }

    /// The runs of each, in the order of the labels.
    pub fn samples(&self) -> &[Sample] {
        &self.samples
    }

    /// The median of each, in seconds per loop, in the order of the labels.
    pub fn values(&self) -> Vec<f64> {
        self.samples.iter().map(Sample::median).collect()
    }

    /// The median of each divided by that of the first: 0.5 means twice as fast.
    pub fn ratios(&self) -> Vec<f64> {
        let values = self.values();
        values.iter().map(|value| value / values[0]).collect()
    }
}

impl Comparison {
    /// One row per label: median, fastest, mean and standard deviation in seconds per loop, and the
    /// ratio of the median to the first one.
    pub fn to_table(&self) -> Table {
        let column =
            |number: fn(&Sample) -> f64| self.samples.iter().map(number).collect::<Vec<f64>>();
        let spread = self.samples.iter().map(|sample| {
            format!("{} ± {}", fine_seconds(sample.average()), fine_seconds(sample.stdev()))
        });
        let table = Table::new().column("", self.labels.clone());
        let table = times(table, "median", &column(Sample::median));
        let table = times(table, "fastest", &column(Sample::best));
        table
            .column("mean ± std. dev.", spread)
            .column("ratio", self.ratios().into_iter().map(three_or_more))
    }

    /// The medians as a bar chart.
    pub fn plot(&self) -> Plot {
        let (unit, per_second) = unit_for(&self.values());
        let values: Vec<f64> = self.values().iter().map(|value| value * per_second).collect();
        Plot::new().bars(self.labels.clone(), values).y_label(format!("time per loop ({unit})"))
    }

    /// Warnings about the results, each with its label; empty if the results can be trusted.
    pub fn warnings(&self) -> Vec<String> {
        let of = |(label, sample): (&String, &Sample)| {
            sample.warnings().into_iter().map(|line| format!("{label}: {line}")).collect::<Vec<_>>()
        };
        self.labels.iter().zip(&self.samples).flat_map(of).collect()
    }

    /// How the numbers were measured, and warnings about them.
    fn notes(&self) -> Vec<String> {
        let mut notes = vec![format!(
            "{} of each, in turn; ratio of the medians to the first",
            counted(self.samples[0].runs, "run")
        )];
        notes.extend(self.warnings());
        notes
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

/// Ratios far above 1 need no decimals; those below 1 do.
fn three_or_more(ratio: f64) -> f64 {
    if ratio >= 100.0 { ratio.round() } else { (ratio * 1000.0).round() / 1000.0 }
}

impl Rich for Comparison {
    fn bundle(&self) -> Bundle {
        with_notes(&self.to_table(), &self.notes())
    }
}

impl fmt::Display for Comparison {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}", self.to_table())?;
        self.notes().iter().try_for_each(|note| write!(formatter, "\n{note}"))
    }
}

impl fmt::Debug for Comparison {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, formatter)
    }
}

/// The unit that fits the largest of the times (in seconds), and the number of units per second.
pub(super) fn unit_for(seconds: &[f64]) -> (&'static str, f64) {
    let largest = seconds.iter().copied().fold(0.0, f64::max);
    let units = [("s", 1.0), ("ms", 1e3), ("µs", 1e6)];
    units.into_iter().find(|(_, per_second)| largest * per_second >= 1.0).unwrap_or(("ns", 1e9))
}

/// Adds a column of seconds. A `Duration` cannot hold less than a nanosecond, so short times go in
/// as text.
pub(super) fn times(table: Table, name: &str, seconds: &[f64]) -> Table {
    if seconds.iter().any(|seconds| *seconds < 1e-6) {
        table.column(name, seconds.iter().map(|seconds| fine_seconds(*seconds)))
    } else {
        table.column(name, seconds.iter().map(|seconds| Duration::from_secs_f64(*seconds)))
    }
}

/// A table with lines of text below it.
pub(super) fn with_notes(table: &Table, notes: &[String]) -> Bundle {
    let bundle = table.bundle();
    let html = bundle.get("text/html").unwrap_or_default();
    let text = std::iter::once(table.to_string())
        .chain(notes.iter().cloned())
        .collect::<Vec<_>>()
        .join("\n");
    let notes: String =
        notes.iter().map(|note| format!("<div>{}</div>", escape_html(note))).collect();
    Bundle::plain(text).with(
        "text/html",
        format!("{html}<div style=\"font-size:smaller;opacity:0.8\">{notes}</div>"),
    )
}

#[cfg(test)]
mod tests {
    use super::super::sample::tests::sample;
    use super::*;

    fn comparison() -> Comparison {
        Comparison {
            labels: vec!["serial".to_string(), "<parallel>".to_string()],
            samples: vec![
                sample(&[0.004, 0.004, 0.005], 100),
                sample(&[0.0021, 0.002, 0.002], 100),
            ],
        }
    }

    #[test]
    fn values_are_medians_and_ratios_are_to_the_first() {
        assert_eq!(comparison().values(), [0.004, 0.002]);
        assert_eq!(comparison().ratios(), [1.0, 0.5]);
        assert_eq!(comparison().labels(), ["serial", "<parallel>"]);
        assert_eq!(comparison().samples().len(), 2);
    }

    #[test]
    fn table_has_a_row_per_label() {
        let text = comparison().to_string();
        let lines: Vec<&str> = text.lines().collect();
        assert!(lines[0].ends_with("ratio"), "{text}");
        assert!(
            lines[1].starts_with("serial")
                && lines[1].contains("4.00 ms")
                && lines[1].contains("4.33 ms ± 471 µs"),
            "{text}"
        );
        assert!(
            lines[2].starts_with("<parallel>")
                && lines[2].contains("2.00 ms")
                && lines[2].trim_end().ends_with("0.5"),
            "{text}"
        );
        assert_eq!(lines[3], "3 runs of each, in turn; ratio of the medians to the first");
        assert_eq!(lines.len(), 4);
        assert_eq!(comparison().bundle().get("text/plain"), Some(text.as_str()));
        let html = comparison().bundle().get("text/html").unwrap().to_string();
        assert!(html.contains("&lt;parallel&gt;") && !html.contains("<parallel>"), "{html}");
    }

    #[test]
    fn doubts_carry_the_label() {
        let mut comparison = comparison();
        comparison.samples[1] = sample(&[1.0, 9.0], 1);
        assert!(
            comparison.to_string().contains("\n<parallel>: The slowest run took 9.0 times"),
            "{comparison}"
        );
    }

    #[test]
    fn short_times_keep_their_figures() {
        let comparison = Comparison {
            labels: vec!["a".into(), "b".into()],
            samples: vec![sample(&[2.44e-9], 1), sample(&[1.6e-9], 1)],
        };
        assert!(comparison.to_string().contains("2.44 ns"), "{comparison}");
    }

    /// First the loops of all are found; then the runs alternate.
    #[test]
    fn runs_take_turns() {
        let mut order = Vec::new();
        let mut sampler = ComparisonSampler::new(Options::new().loops(2).runs(3), &["a", "b"]);
        while sampler.next_run() {
            for entry in 0..2 {
                if let Some(sampler) = sampler.next_entry() {
                    while let Some(batch) = sampler.next_batch() {
                        sampler.start();
                        batch.for_each(|_| order.push(entry));
                        sampler.stop(0..0);
                    }
                }
            }
        }
        let comparison = sampler.finish();
        assert_eq!(order, [0, 1, 0, 0, 1, 1, 0, 0, 1, 1, 0, 0, 1, 1]);
        assert!(comparison.samples().iter().all(|sample| sample.runs == 3 && sample.loops == 2));
    }
}
