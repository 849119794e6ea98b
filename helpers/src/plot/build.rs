//! The methods of [`Plot`] that add series and set options.

use super::series::{Bars, Series, SeriesKind};
use super::{Plot, bins, number, palette};
use crate::plot::Number;
use std::fmt;

/// The label of an axis.
#[derive(Clone, PartialEq, Default, Debug)]
pub(super) struct AxisLabel {
    pub(super) text: String,
    /// Whether the values are seconds: they are drawn in the unit that fits, which is appended to
    /// the text.
    pub(super) seconds: bool,
}

impl AxisLabel {
    /// Durations label the axis unless the caller does.
    fn take_unit(&mut self, unit: &str) {
        if self.text.is_empty() && unit == "s" {
            *self = AxisLabel { text: "time".into(), seconds: true };
        }
    }
}

impl Plot {
    /// Draws a line through the points (xs, ys), in order. A series with an empty label has no
    /// entry in the legend.
    ///
    /// # Panics
    ///
    /// Panics if `xs` and `ys` differ in length.
    #[track_caller]
    pub fn line<X, Y>(self, label: impl Into<String>, xs: X, ys: Y) -> Plot
    where
        X: IntoIterator<Item: Number>,
        Y: IntoIterator<Item: Number>,
    {
        self.with_series(SeriesKind::Line, label.into(), number::collect(xs), number::collect(ys))
    }

    /// Draws a mark at each of the points (xs, ys). If there are more than 5000, points on or close
    /// to others are left out.
    ///
    /// # Panics
    ///
    /// Panics if `xs` and `ys` differ in length.
    #[track_caller]
    pub fn points<X, Y>(self, label: impl Into<String>, xs: X, ys: Y) -> Plot
    where
        X: IntoIterator<Item: Number>,
        Y: IntoIterator<Item: Number>,
    {
        self.with_series(SeriesKind::Points, label.into(), number::collect(xs), number::collect(ys))
    }

    /// Draws a dashed grey line: what should be, next to what was measured.
    ///
    /// # Panics
    ///
    /// Panics if `xs` and `ys` differ in length.
    #[track_caller]
    pub fn ideal<X, Y>(self, label: impl Into<String>, xs: X, ys: Y) -> Plot
    where
        X: IntoIterator<Item: Number>,
        Y: IntoIterator<Item: Number>,
    {
        self.with_series(SeriesKind::Ideal, label.into(), number::collect(xs), number::collect(ys))
    }

    /// Draws a mark at each of the points (xs, ys), and a bar from `y - error` to `y + error`. With
    /// a
    /// [`line`](Plot::line) with the same label, line and marks share one colour.
    ///
    /// # Panics
    ///
    /// Panics if `xs`, `ys` and `errors` differ in length.
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

    /// Draws a filled band between `low` and `high`: minimum and maximum, or quartiles. With a
    /// [`line`](Plot::line) with the same label, they share one colour.
    ///
    /// # Examples
    ///
    /// ```
    /// use parcourse::prelude::*;
    /// let chart = Plot::new()
    ///     .band("sum", [1, 2, 4], [1.9, 1.0, 0.6], [2.2, 1.3, 0.9])
    ///     .line("sum", [1, 2, 4], [2.0, 1.1, 0.7]);
    /// # chart.show();
    /// ```
    ///
    /// # Panics
    ///
    /// Panics if `xs`, `low` and `high` differ in length.
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

    /// Draws one bar per label, from zero to its value. The bars are horizontal if the labels are
    /// long. Replaces earlier bars.
    ///
    /// In the coordinates of lines and points of the same chart, the first bar is at x = 0, the
    /// second at 1.
    ///
    /// # Panics
    ///
    /// Panics if labels and values differ in number.
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

    /// Draws a histogram of the values with `bins` equally wide bins from the lowest to the highest
    /// value (at most 10,000 bins).
    ///
    /// [`plot::histogram`](super::histogram) chooses the number of bins for you.
    pub fn histogram<V>(self, values: V, bins: usize) -> Plot
    where
        V: IntoIterator<Item: Number>,
    {
        self.with_histogram(number::collect(values), Some(bins))
    }

    /// Sets the title above the chart.
    pub fn title(mut self, title: impl Into<String>) -> Plot {
        self.title = title.into();
        self
    }

    /// Labels the horizontal axis; include the unit. Durations are then drawn in seconds.
    pub fn x_label(mut self, label: impl Into<String>) -> Plot {
        self.x_label = AxisLabel { text: label.into(), seconds: false };
        self
    }

    /// Labels the vertical axis; include the unit. Durations are then drawn in seconds.
    pub fn y_label(mut self, label: impl Into<String>) -> Plot {
        self.y_label = AxisLabel { text: label.into(), seconds: false };
        self
    }

    /// Makes the horizontal axis logarithmic. Values of zero and below are left out.
    pub fn log_x(mut self) -> Plot {
        self.log_x = true;
        self
    }

    /// Puts ticks on the horizontal axis at whole numbers only, as happens anyway if all values are
    /// whole. Use it for a curve over counts.
    pub fn whole_x(mut self) -> Plot {
        self.whole_x = true;
        self
    }

    /// Makes the vertical axis logarithmic. Values of zero and below are left out.
    pub fn log_y(mut self) -> Plot {
        self.log_y = true;
        self
    }

    /// Sets the range of the horizontal axis; values outside are cut off. For an image, these are
    /// the coordinates of its left and right edge.
    ///
    /// # Panics
    ///
    /// Panics if the two are equal, or one is not finite.
    #[track_caller]
    pub fn x_range(mut self, from: impl Number, to: impl Number) -> Plot {
        self.x_range = Some(checked_range(from.to_f64(), to.to_f64()));
        self
    }

    /// Sets the range of the vertical axis; values outside are cut off. For an image, these are the
    /// coordinates of its bottom and top edge.
    ///
    /// # Panics
    ///
    /// Panics if the two are equal, or one is not finite.
    #[track_caller]
    pub fn y_range(mut self, from: impl Number, to: impl Number) -> Plot {
        self.y_range = Some(checked_range(from.to_f64(), to.to_f64()));
        self
    }

    /// Sets the colours of an [`image`](fn@super::image), evenly spaced from its lowest to its
    /// highest value and interpolated in between. The default is matplotlib's *viridis*.
    ///
    /// # Examples
    ///
    /// ```
    /// use parcourse::prelude::*;
    /// let values = (0..200 * 50).map(|cell| (cell % 200 + cell / 200) as f64);
    /// let colours = ["#000764", "#206bcb", "#edffff", "#ffaa00", "#000200"];
    /// plot::image(200, values).colours(colours).show();
    /// ```
    ///
    /// # Panics
    ///
    /// Panics if there are no colours, or one is not written as `#rrggbb`.
    #[track_caller]
    pub fn colours<'colours>(mut self, colours: impl IntoIterator<Item = &'colours str>) -> Plot {
        self.colours = colours.into_iter().map(palette::parsed).collect();
        assert!(!self.colours.is_empty(), "an image needs at least one colour");
        self
    }

    /// Sets width and height in pixels, limited to 160×120 … 4000×4000.
    pub fn size(mut self, width: u32, height: u32) -> Plot {
        self.size = Some((width.clamp(160, 4000), height.clamp(120, 4000)));
        self
    }

    /// Marks the axes whose values are seconds, for a table's columns of durations.
    pub(crate) fn in_seconds(mut self, x: bool, y: bool) -> Plot {
        (self.x_label.seconds, self.y_label.seconds) = (x, y);
        self
    }

    /// Not generic, so it is compiled once, here, and not in every cell. The same goes for the
    /// functions below.
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
