//! The result of a measurement.

use crate::display::{Bundle, Rich};
use crate::plot::Plot;
use std::fmt;
use std::time::{Duration, SystemTime};

/// How much memory was in use, and when.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Sample {
    /// Time since the start of the measurement.
    pub time: Duration,
    /// Memory in use at that time, in MiB.
    pub memory: f64,
}

/// How memory in use is counted.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum Counted {
    /// Every page that the process has in physical memory (RSS), shared pages in full.
    Resident,
    /// A page that several processes share counts in equal parts for each of them (PSS).
    Proportional,
}

/// The memory over time while something ran, and its peak; see [the module](mod@crate::memory) for
/// what is counted.
///
/// `Display` and `Debug` print the line of [`memit!`](crate::memit!); use the fields to compute and
/// plot. A notebook shows it as that line and a plot if it is the last expression of a cell.
///
/// # Examples
///
/// ```
/// use parcourse::prelude::*;
/// let (_, trace) = memory_usage(|| vec![1u8; 10 << 20]);
/// println!("{trace}"); // peak memory: 14.52 MiB, increment: 10.05 MiB
/// println!("{} samples in {:?}", trace.samples.len(), trace.wall);
/// ```
#[derive(Clone, PartialEq)]
#[non_exhaustive]
pub struct MemoryTrace {
    /// Memory over time: the baseline first, the memory in use after the call last. At least two
    /// samples.
    pub samples: Vec<Sample>,
    /// Memory in use right before the call, in MiB.
    pub baseline: f64,
    /// The most memory in use at any time during the call, in MiB.
    pub peak: f64,
    /// Whether the peak is the system's own. If not, it is the highest sample, and higher peaks
    /// between samples may be missing.
    pub exact: bool,
    /// How shared pages were counted.
    pub counted: Counted,
    /// When the measurement started: the samples' times are relative to this.
    pub started: SystemTime,
    /// How long it took.
    pub wall: Duration,
}

impl MemoryTrace {
    /// How far the peak was above the baseline, in MiB; never negative.
    pub fn increment(&self) -> f64 {
        (self.peak - self.baseline).max(0.0)
    }

    /// The samples' times in seconds since the start.
    pub fn times(&self) -> Vec<f64> {
        self.samples.iter().map(|sample| sample.time.as_secs_f64()).collect()
    }

    /// The samples' memory in MiB.
    pub fn values(&self) -> Vec<f64> {
        self.samples.iter().map(|sample| sample.memory).collect()
    }

    /// Called by the kernel for the last expression of a cell.
    pub fn evcxr_display(&self) {
        self.bundle().evcxr_display();
    }
}

impl fmt::Display for MemoryTrace {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            formatter,
            "peak memory: {:.2} MiB, increment: {:.2} MiB",
            self.peak,
            self.increment()
        )?;
        if !self.exact {
            write!(formatter, " (highest of {} samples)", self.samples.len())?;
        }
        Ok(())
    }
}

impl fmt::Debug for MemoryTrace {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, formatter)
    }
}

impl Rich for MemoryTrace {
    fn bundle(&self) -> Bundle {
        // The chart's title is the line.
        self.plot().bundle().with("text/plain", self.to_string())
    }
}

/// Plots several traces in one chart, each on its own time axis from its start; the legend shows
/// their peaks.
///
/// # Examples
///
/// ```
/// use parcourse::prelude::*;
/// let (_, whole) =
///     memory_usage(|| (0..4_000_000).map(f64::from).collect::<Vec<_>>().iter().sum::<f64>());
/// let (_, chunked) = memory_usage(|| (0..4_000_000).map(f64::from).sum::<f64>());
/// let chart = plot_memory(&[("whole array", &whole), ("one by one", &chunked)]);
/// # chart.show();
/// ```
pub fn plot_memory(traces: &[(&str, &MemoryTrace)]) -> Plot {
    traces.iter().fold(axes(), |plot, (label, trace)| {
        let (times, values) = points(trace);
        plot.line(format!("{label}, peak {:.1} MiB", trace.peak), times, values)
    })
}

impl MemoryTrace {
    /// Plots memory over time, with the peak as a dashed line: the samples need not include it.
    ///
    /// [`plot_memory`] draws several traces in one chart.
    pub fn plot(&self) -> Plot {
        let (times, values) = points(self);
        let ends = [Duration::ZERO, self.wall];
        let label = match self.counted {
            Counted::Resident => "resident memory",
            Counted::Proportional => "memory, shared pages in parts",
        };
        axes().title(self.to_string()).line(label, times, values).ideal(
            "peak",
            ends,
            [self.peak; 2],
        )
    }
}

fn axes() -> Plot {
    // One point draws no line, but makes the axis start there: a change of a few pages must not
    // look like much.
    Plot::new().y_label("memory (MiB)").ideal("", [Duration::ZERO], [0.0])
}

fn points(trace: &MemoryTrace) -> (Vec<Duration>, Vec<f64>) {
    (trace.samples.iter().map(|sample| sample.time).collect(), trace.values())
}

#[cfg(test)]
pub(in crate::memory) mod tests {
    use super::*;
    use crate::display::Rich;

    pub(in crate::memory) fn example() -> MemoryTrace {
        let sample =
            |milliseconds, memory| Sample { time: Duration::from_millis(milliseconds), memory };
        MemoryTrace {
            samples: vec![sample(0, 52.06), sample(10, 60.0), sample(20, 52.1)],
            baseline: 52.06,
            peak: 62.144,
            exact: true,
            counted: Counted::Resident,
            started: SystemTime::UNIX_EPOCH,
            wall: Duration::from_millis(20),
        }
    }

    #[test]
    fn prints_ipythons_line_and_says_what_is_not_exact() {
        let trace = example();
        assert_eq!(trace.to_string(), "peak memory: 62.14 MiB, increment: 10.08 MiB");
        assert_eq!(format!("{trace:?}"), trace.to_string());
        let sampled = MemoryTrace { exact: false, peak: 60.0, ..trace };
        assert_eq!(
            sampled.to_string(),
            "peak memory: 60.00 MiB, increment: 7.94 MiB (highest of 3 samples)"
        );
    }

    #[test]
    fn columns_have_units_people_plot() {
        assert_eq!(example().times(), [0.0, 0.01, 0.02]);
        assert_eq!(example().values(), [52.06, 60.0, 52.1]);
    }

    /// The allocator may return memory during the call, below the baseline.
    #[test]
    fn increment_is_never_negative() {
        assert_eq!(MemoryTrace { peak: 50.0, ..example() }.increment(), 0.0);
    }

    /// A trace without steps is a flat line, far from the bottom.
    #[test]
    fn axis_begins_at_zero() {
        let svg = example().plot().bundle().get("image/svg+xml").unwrap().to_string();
        let zeros = svg
            .split('>')
            .filter(|text| text.trim().split('<').next().is_some_and(|text| text.trim() == "0"));
        assert_eq!(zeros.count(), 2, "{svg}");
    }

    #[test]
    fn charts_have_labels_and_peaks() {
        let trace = example();
        let text = |plot: Plot| plot.bundle().get("image/svg+xml").unwrap().to_string();
        let one = text(trace.plot());
        assert!(
            one.contains("peak memory: 62.14 MiB, increment: 10.08 MiB")
                && one.contains("memory (MiB)"),
            "{one}"
        );
        let two = text(plot_memory(&[("whole", &trace), ("chunked", &trace)]));
        assert!(
            two.contains("whole, peak 62.1 MiB") && two.contains("chunked, peak 62.1 MiB"),
            "{two}"
        );
        let _ = text(plot_memory(&[]));
    }
}
