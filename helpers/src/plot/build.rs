//! The methods of [`Plot`] that add series and set options.

use super::series::{Bars, Series, SeriesKind};
use super::{Plot, bins, number, palette};
use crate::plot::Number;
use std::fmt;

/// What stands beside an axis.
#[derive(Clone, PartialEq, Default, Debug)]
pub(super) struct AxisLabel {
    pub(super) text: String,
    /// The values are seconds: they are drawn in the unit that fits, which is written after the
    /// text.
    pub(super) seconds: bool,
}

impl AxisLabel {
    /// Durations say what they are, until the caller does.
    fn take_unit(&mut self, unit: &str) {
        if self.text.is_empty() && unit == "s" {
            *self = AxisLabel { text: "time".into(), seconds: true };
        }
    }
}

impl Plot {
    /// A line through the points (xs, ys), in their order. Series with an empty label have no entry
    /// in the legend.
    ///
    /// # Panics
    ///
    /// When there are not as many `ys` as `xs`.
    #[track_caller]
    pub fn line<X, Y>(self, label: impl Into<String>, xs: X, ys: Y) -> Plot
    where
        X: IntoIterator<Item: Number>,
        Y: IntoIterator<Item: Number>,
    {
        self.with_series(SeriesKind::Line, label.into(), number::collect(xs), number::collect(ys))
    }

    /// A mark at each of the points (xs, ys). Of more than 5000, those are left out that lie on or
    /// close to others.
    ///
    /// # Panics
    ///
    /// When there are not as many `ys` as `xs`.
    #[track_caller]
    pub fn points<X, Y>(self, label: impl Into<String>, xs: X, ys: Y) -> Plot
    where
        X: IntoIterator<Item: Number>,
        Y: IntoIterator<Item: Number>,
    {
        self.with_series(SeriesKind::Points, label.into(), number::collect(xs), number::collect(ys))
    }

    /// A dashed grey line: what should be, beside what was measured.
    ///
    /// # Panics
    ///
    /// When there are not as many `ys` as `xs`.
    #[track_caller]
    pub fn ideal<X, Y>(self, label: impl Into<String>, xs: X, ys: Y) -> Plot
    where
        X: IntoIterator<Item: Number>,
        Y: IntoIterator<Item: Number>,
    {
        self.with_series(SeriesKind::Ideal, label.into(), number::collect(xs), number::collect(ys))
    }

    /// A mark at each of the points (xs, ys), and a bar from `y - error` to `y + error`. With a
    /// [`line`](Plot::line) of the same label, line and marks belong together.
    ///
    /// # Panics
    ///
    /// When `xs`, `ys` and `errors` are not equally many.
    #[track_caller]
    pub fn error_bars<X, Y, E>(self, label: impl Into<String>, xs: X, ys: Y, errors: E) -> Plot
    where
        X: IntoIterator<Item: Number>,
        Y: IntoIterator<Item: Number>,
        E: IntoIterator<Item: Number>,
    {
        let errors = number::collect(errors).0;
        self.with_series(
            SeriesKind::ErrorBars,
            label.into(),
            number::collect(xs),
            number::collect(ys),
        )
        .with_highs("errors", errors)
    }

    /// A filled band between `low` and `high`: minimum and maximum, or quartiles. With a
    /// [`line`](Plot::line) of the same label, they share one colour.
    ///
    /// # Examples
    ///
    /// ```
    /// use parcourse::prelude::*;
    /// let chart = Plot::new().band("sum", [1, 2, 4], [1.9, 1.0, 0.6], [2.2, 1.3, 0.9]).line("sum", [1, 2, 4], [2.0, 1.1, 0.7]);
    /// # chart.show();
    /// ```
    ///
    /// # Panics
    ///
    /// When `xs`, `low` and `high` are not equally many.
    #[track_caller]
    pub fn band<X, L, H>(self, label: impl Into<String>, xs: X, low: L, high: H) -> Plot
    where
        X: IntoIterator<Item: Number>,
        L: IntoIterator<Item: Number>,
        H: IntoIterator<Item: Number>,
    {
        let high = number::collect(high).0;
        self.with_series(SeriesKind::Band, label.into(), number::collect(xs), number::collect(low))
            .with_highs("upper ends", high)
    }

    /// One bar per label, beginning at zero, with its value. They lie where the labels are long.
    /// Bars that were there are replaced.
    ///
    /// Lines and points of the same chart have the first bar at x = 0, the second at 1.
    ///
    /// # Panics
    ///
    /// When there are not as many values as labels.
    #[track_caller]
    pub fn bars<L, V>(self, labels: L, values: V) -> Plot
    where
        L: IntoIterator<Item: fmt::Display>,
        V: IntoIterator<Item: Number>,
    {
        self.with_bars(
            labels.into_iter().map(|label| label.to_string()).collect(),
            number::collect(values),
        )
    }

    /// How many of the values fall into each of so many equally wide bins from the lowest to the
    /// highest (at most 10,000).
    ///
    /// [`plot::histogram`](histogram) chooses the number of bins itself.
    pub fn histogram<V>(self, values: V, bins: usize) -> Plot
    where
        V: IntoIterator<Item: Number>,
    {
        self.with_histogram(number::collect(values), Some(bins))
    }

    /// A heading above the chart.
    pub fn title(mut self, title: impl Into<String>) -> Plot {
        self.title = title.into();
        self
    }

    /// What runs along the horizontal axis, with its unit. Durations are then drawn in seconds.
    pub fn x_label(mut self, label: impl Into<String>) -> Plot {
        self.x_label = AxisLabel { text: label.into(), seconds: false };
        self
    }

    /// What runs along the vertical axis, with its unit. Durations are then drawn in seconds.
    pub fn y_label(mut self, label: impl Into<String>) -> Plot {
        self.y_label = AxisLabel { text: label.into(), seconds: false };
        self
    }

    /// Makes the horizontal axis logarithmic. Values of zero and less have no place on it and are
    /// left out.
    pub fn log_x(mut self) -> Plot {
        self.log_x = true;
        self
    }

    /// Puts ticks of the horizontal axis at whole numbers only, as is done where all values are
    /// whole: for a curve through counts.
    pub fn whole_x(mut self) -> Plot {
        self.whole_x = true;
        self
    }

    /// Makes the vertical axis logarithmic. Values of zero and less have no place on it and are
    /// left out.
    pub fn log_y(mut self) -> Plot {
        self.log_y = true;
        self
    }

    /// Where the horizontal axis begins and ends; what is outside is cut off. For an image, the
    /// coordinates of its left and right edge.
    ///
    /// # Panics
    ///
    /// When both are equal, or one is no finite number.
    #[track_caller]
    pub fn x_range(mut self, from: impl Number, to: impl Number) -> Plot {
        self.x_range = Some(checked_range(from.to_f64(), to.to_f64()));
        self
    }

    /// Where the vertical axis begins and ends; what is outside is cut off. For an image, the
    /// coordinates of its bottom and top edge.
    ///
    /// # Panics
    ///
    /// When both are equal, or one is no finite number.
    #[track_caller]
    pub fn y_range(mut self, from: impl Number, to: impl Number) -> Plot {
        self.y_range = Some(checked_range(from.to_f64(), to.to_f64()));
        self
    }

    /// The colours of an [`image`](fn@image), evenly spaced from its lowest to its highest value;
    /// between them they are mixed. Without this they are those of matplotlib's *viridis*.
    ///
    /// # Examples
    ///
    /// ```
    /// use parcourse::prelude::*;
    /// let values = (0..200 * 50).map(|cell| (cell % 200 + cell / 200) as f64);
    /// plot::image(200, values).colours(["#000764", "#206bcb", "#edffff", "#ffaa00", "#000200"]).show();
    /// ```
    ///
    /// # Panics
    ///
    /// When there are none, or one is not written as `#rrggbb`.
    #[track_caller]
    pub fn colours<'colours>(mut self, colours: impl IntoIterator<Item = &'colours str>) -> Plot {
        self.colours = colours.into_iter().map(palette::parsed).collect();
        assert!(!self.colours.is_empty(), "an image needs a colour");
        self
    }

    /// Width and height in pixels, kept between 160×120 and 4000×4000.
    pub fn size(mut self, width: u32, height: u32) -> Plot {
        self.size = Some((width.clamp(160, 4000), height.clamp(120, 4000)));
        self
    }

    /// Label of an axis that has seconds, as a table's column of durations knows it.
    pub(crate) fn in_seconds(mut self, x: bool, y: bool) -> Plot {
        (self.x_label.seconds, self.y_label.seconds) = (x, y);
        self
    }

    /// Not generic: compiled once, here, and not in each cell. The same for its neighbours.
    #[track_caller]
    fn with_series(
        mut self,
        kind: SeriesKind,
        label: String,
        (xs, x_unit): (Vec<f64>, &str),
        (ys, y_unit): (Vec<f64>, &str),
    ) -> Plot {
        assert!(
            xs.len() == ys.len(),
            "there are {} xs and {} ys: a point needs one of each",
            xs.len(),
            ys.len()
        );
        self.x_label.take_unit(x_unit);
        self.y_label.take_unit(y_unit);
        self.series.push(Series { kind, label, xs, ys, highs: Vec::new() });
        self
    }

    #[track_caller]
    fn with_highs(mut self, what: &str, highs: Vec<f64>) -> Plot {
        if let Some(series) = self.series.last_mut() {
            assert!(
                highs.len() == series.xs.len(),
                "there are {} xs and {} {what}",
                series.xs.len(),
                highs.len()
            );
            series.highs = highs;
        }
        self
    }

    #[track_caller]
    fn with_bars(mut self, labels: Vec<String>, (values, unit): (Vec<f64>, &str)) -> Plot {
        assert!(
            labels.len() == values.len(),
            "there are {} labels and {} values: a bar needs one of each",
            labels.len(),
            values.len()
        );
        self.y_label.take_unit(unit);
        self.bars = Some(Bars { labels, values });
        self
    }

    pub(super) fn with_histogram(
        mut self,
        (values, unit): (Vec<f64>, &'static str),
        bins: Option<usize>,
    ) -> Plot {
        let finite: Vec<f64> = values.iter().copied().filter(|value| value.is_finite()).collect();
        self.not_finite += values.len() - finite.len();
        let (edges, mut counts) = match bins {
            Some(bins) => bins::count(&finite, bins),
            None => bins::count_automatically(&finite),
        };
        // The right edge of the last bin.
        counts.extend(counts.last().copied());
        if self.y_label.text.is_empty() {
            self.y_label.text = "count".into();
        }
        self.with_series(SeriesKind::Histogram, String::new(), (edges, unit), (counts, ""))
    }
}

#[track_caller]
fn checked_range(from: f64, to: f64) -> (f64, f64) {
    assert!(
        from.is_finite() && to.is_finite() && from != to,
        "an axis cannot run from {from} to {to}"
    );
    (from, to)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plot::{bar, histogram, line};

    #[test]
    #[should_panic(expected = "there are 3 xs and 2 ys")]
    fn lengths_are_compared() {
        line([1, 2, 3], [1.0, 2.0]);
    }

    #[test]
    #[should_panic(expected = "there are 1 labels and 2 values")]
    fn bars_need_labels() {
        bar(["a"], [1, 2]);
    }

    #[test]
    fn durations_name_the_axis_unless_the_caller_does() {
        let second = std::time::Duration::from_secs(1);
        assert_eq!(line([1], [second]).y_label, AxisLabel { text: "time".into(), seconds: true });
        assert_eq!(
            line([1], [second]).y_label("latency").y_label,
            AxisLabel { text: "latency".into(), seconds: false }
        );
        assert_eq!(line([1], [1.0]).y_label, AxisLabel::default());
        assert_eq!(histogram([second]).x_label.text, "time");
    }

    #[test]
    #[should_panic(expected = "there are 2 xs and 1 errors")]
    fn errors_are_counted() {
        let _ = Plot::new().error_bars("", [1, 2], [1, 2], [1]);
    }

    #[test]
    #[should_panic(expected = "an axis cannot run from 1 to 1")]
    fn ranges_have_a_length() {
        let _ = Plot::new().x_range(1, 1);
    }
}
