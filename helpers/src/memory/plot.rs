//! Memory over time as a chart.

use super::{Counted, MemoryTrace};
use crate::plot::Plot;
use std::time::Duration;

/// Several traces in one chart, each on its own time axis from its start; the legend has their
/// peaks.
///
/// # Examples
///
/// ```
/// use parcourse::prelude::*;
/// let (_, whole) = memory_usage(|| (0..4_000_000).map(f64::from).collect::<Vec<_>>().iter().sum::<f64>());
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
    /// Memory over time as a chart, with the peak as a dashed line: the samples need not have met
    /// it.
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
    // One point draws no line, but the axis begins there: a change of a few pages must not look
    // like much.
    Plot::new().y_label("memory (MiB)").ideal("", [Duration::ZERO], [0.0])
}

fn points(trace: &MemoryTrace) -> (Vec<Duration>, Vec<f64>) {
    (trace.samples.iter().map(|sample| sample.time).collect(), trace.values())
}

#[cfg(test)]
mod tests {
    use super::super::trace::tests::example;
    use super::*;
    use crate::display::Rich;

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
