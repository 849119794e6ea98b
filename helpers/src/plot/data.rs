//! The values of a chart as they are drawn: in the unit of the axis, without those that cannot be
//! drawn.

use super::axis::Axis;
use super::build::AxisLabel;
use super::canvas::{Colour, INK};
use super::series::{MAX_POINTS, Point, Series, SeriesKind};
use super::{Plot, palette};
use crate::format::counted;

/// A series without the points that cannot be drawn.
pub(super) struct PlottedSeries<'plot> {
    pub(super) series: &'plot Series,
    pub(super) colour: Colour,
    /// The index of the series, for its markers; series with the same label share one.
    pub(super) number: usize,
    pub(super) points: Vec<Point>,
}

pub(super) struct Data<'plot> {
    pub(super) series: Vec<PlottedSeries<'plot>>,
    /// NaN for bars that cannot be drawn.
    pub(super) bars: Vec<f64>,
    pub(super) x_label: String,
    pub(super) y_label: String,
    pub(super) x_scale: f64,
    /// What is not shown.
    pub(super) note: String,
}

/// How many values cannot be drawn.
#[derive(Default)]
struct LeftOut {
    not_finite: usize,
    not_positive: usize,
}

impl Data<'_> {
    pub(super) fn of(plot: &Plot) -> Data<'_> {
        let xs = plot.series.iter().flat_map(|series| &series.xs).copied();
        let ends = plot.gantt.iter().flatten().map(|task| task.end);
        let (x_scale, x_label) = unit(&plot.x_label, xs.chain(ends));
        let ys =
            plot.series.iter().flat_map(|series| series.ys.iter().chain(&series.highs)).copied();
        let values = plot.bars.iter().flat_map(|bars| &bars.values).copied();
        let (y_scale, y_label) = unit(&plot.y_label, ys.chain(values));

        let mut left_out = LeftOut { not_finite: plot.not_finite, not_positive: 0 };
        let mut labels: Vec<&str> = Vec::new();
        let mut series = Vec::new();
        for each in &plot.series {
            let number = if each.kind == SeriesKind::Ideal {
                0
            } else {
                let known =
                    labels.iter().position(|&label| label == each.label && !label.is_empty());
                known.unwrap_or_else(|| {
                    labels.push(&each.label);
                    labels.len() - 1
                })
            };
            let colour = if each.kind == SeriesKind::Ideal { INK } else { palette::series(number) };
            let points = each
                .points()
                .map(|point| point.scaled(x_scale, y_scale))
                .filter(|point| left_out.keeps(plot, *point))
                .collect();
            series.push(PlottedSeries { series: each, colour, number, points });
        }
        let values = plot.bars.iter().flat_map(|bars| &bars.values).map(|value| value * y_scale);
        let bars = values
            .map(|value| {
                let point = Point { x: 1.0, y: value, low: value, high: value };
                if left_out.keeps(plot, point) { value } else { f64::NAN }
            })
            .collect();
        left_out.not_finite += plot.image.as_ref().map_or(0, |image| image.not_finite());
        left_out.not_finite += plot
            .gantt
            .iter()
            .flatten()
            .filter(|task| !task.start.is_finite() || !task.end.is_finite())
            .count();
        Data { series, bars, x_label, y_label, x_scale, note: left_out.note(plot) }
    }
}

impl LeftOut {
    /// Whether the point can be drawn; if not, it is counted.
    fn keeps(&mut self, plot: &Plot, point: Point) -> bool {
        if ![point.x, point.y, point.low, point.high].into_iter().all(f64::is_finite) {
            self.not_finite += 1;
            return false;
        }
        // An error bar may reach zero: it is cut off there.
        if !Axis::can_show(plot.log_x, point.x) || !Axis::can_show(plot.log_y, point.y) {
            self.not_positive += 1;
            return false;
        }
        true
    }

    fn note(&self, plot: &Plot) -> String {
        let mut notes = Vec::new();
        if self.not_finite > 0 {
            notes.push(format!("{} left out: NaN or infinite", counted(self.not_finite, "value")));
        }
        if self.not_positive > 0 {
            let axes =
                if plot.log_x && plot.log_y { "logarithmic axes" } else { "a logarithmic axis" };
            notes.push(format!(
                "{} left out: zero or less, on {axes}",
                counted(self.not_positive, "value")
            ));
        }
        let points =
            |series: &&Series| series.kind == SeriesKind::Points && series.xs.len() > MAX_POINTS;
        if let Some(longest) = plot.series.iter().filter(points).map(|series| series.xs.len()).max()
        {
            notes.push(format!("at most {MAX_POINTS} of {longest} points drawn"));
        }
        notes.join("; ")
    }
}

/// The factor that converts seconds to the unit that fits the largest value, and the label with
/// that unit.
fn unit(label: &AxisLabel, seconds: impl Iterator<Item = f64>) -> (f64, String) {
    if !label.seconds {
        return (1.0, label.text.clone());
    }
    let largest = seconds
        .filter(|value| value.is_finite())
        .fold(0.0_f64, |largest, value| largest.max(value.abs()));
    let (scale, unit) = match largest {
        0.0 | 1.0.. => (1.0, "s"),
        1e-3.. => (1e3, "ms"),
        1e-6.. => (1e6, "µs"),
        _ => (1e9, "ns"),
    };
    (scale, format!("{} ({unit})", label.text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_fit_the_largest_value() {
        let label = AxisLabel { text: "time".into(), seconds: true };
        let with = |values: &[f64]| unit(&label, values.iter().copied());
        assert_eq!(with(&[]), (1.0, "time (s)".into()));
        assert_eq!(with(&[0.5, 2.0, f64::INFINITY]), (1.0, "time (s)".into()));
        assert_eq!(with(&[0.5]), (1e3, "time (ms)".into()));
        assert_eq!(with(&[1e-5]), (1e6, "time (µs)".into()));
        assert_eq!(with(&[1e-8]), (1e9, "time (ns)".into()));
        let label = AxisLabel { text: "minutes".into(), seconds: false };
        assert_eq!(unit(&label, [1e-8].into_iter()), (1.0, "minutes".into()));
    }
}
