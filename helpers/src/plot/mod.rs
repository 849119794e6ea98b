//! Charts in one line: lines, points, bars.
//!
//! ```
//! use parcourse::prelude::*;
//! let threads = [1, 2, 4, 8];
//! let chart = plot::Plot::new()
//!     .line("measured", threads, [8.1, 4.2, 2.3, 1.4])
//!     .ideal("ideal", threads, threads.map(|n| 8.1 / n as f64))
//!     .x_label("threads")
//!     .y_label("time (s)")
//!     .log_x()
//!     .log_y();
//! display(&chart);
//! ```
//!
//! A chart is a value: as the last expression of a cell it is shown, as a drawing (SVG) that is legible on light and on dark pages.
//! [`line`], [`scatter`] and [`bar`] are short for a chart with one series.
//!
//! Values that have no place are left out, and the chart says how many: NaN, infinities, and zero and less on a logarithmic axis.
//! Series of more than some thousand points are thinned out for drawing; peaks stay.

mod axis;
mod canvas;
mod draw;
mod number;
mod series;

pub use number::Number;

use crate::display::{Bundle, Rich, Svg};
use series::{Bars, Kind, Series};
use std::fmt;

/// A chart; see the [module](self) for an example.
///
/// Built by methods that take the chart and give it back. Whatever is iterable and yields [`Number`]s can be drawn: slices, vectors,
/// arrays, ranges, iterators. Size is in pixels, 640×400 unless [`size`](Plot::size) says otherwise.
#[derive(Clone, PartialEq, Debug)]
pub struct Plot {
    title: String,
    x_label: String,
    y_label: String,
    log_x: bool,
    log_y: bool,
    size: (u32, u32),
    series: Vec<Series>,
    bars: Option<Bars>,
}

impl Default for Plot {
    fn default() -> Plot {
        Plot::new()
    }
}

impl Plot {
    /// A chart without anything in it.
    pub fn new() -> Plot {
        let (title, x_label, y_label) = Default::default();
        Plot { title, x_label, y_label, log_x: false, log_y: false, size: (640, 400), series: Vec::new(), bars: None }
    }

    /// A line through the points (xs, ys), in their order. Series with an empty label have no entry in the legend.
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
        self.with_series(Kind::Line, label.into(), number::collect(xs), number::collect(ys))
    }

    /// A mark at each of the points (xs, ys).
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
        self.with_series(Kind::Points, label.into(), number::collect(xs), number::collect(ys))
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
        self.with_series(Kind::Ideal, label.into(), number::collect(xs), number::collect(ys))
    }

    /// One bar per label, beginning at zero.
    ///
    /// # Panics
    ///
    /// When there are not as many values as labels.
    #[track_caller]
    pub fn bars<L, V>(mut self, labels: L, values: V) -> Plot
    where
        L: IntoIterator<Item: fmt::Display>,
        V: IntoIterator<Item: Number>,
    {
        let labels: Vec<String> = labels.into_iter().map(|label| label.to_string()).collect();
        let (values, unit) = number::collect(values);
        assert!(labels.len() == values.len(), "there are {} labels and {} values: a bar needs one of each", labels.len(), values.len());
        self.unit(unit);
        self.bars = Some(Bars { labels, values });
        self
    }

    /// A heading above the chart.
    pub fn title(mut self, title: impl Into<String>) -> Plot {
        self.title = title.into();
        self
    }

    /// What runs along the horizontal axis, with its unit.
    pub fn x_label(mut self, label: impl Into<String>) -> Plot {
        self.x_label = label.into();
        self
    }

    /// What runs along the vertical axis, with its unit.
    pub fn y_label(mut self, label: impl Into<String>) -> Plot {
        self.y_label = label.into();
        self
    }

    /// Makes the horizontal axis logarithmic. Values of zero and less have no place on it and are left out.
    pub fn log_x(mut self) -> Plot {
        self.log_x = true;
        self
    }

    /// Makes the vertical axis logarithmic. Values of zero and less have no place on it and are left out.
    pub fn log_y(mut self) -> Plot {
        self.log_y = true;
        self
    }

    /// Width and height in pixels, kept between 160×120 and 4000×4000.
    pub fn size(mut self, width: u32, height: u32) -> Plot {
        self.size = (width.clamp(160, 4000), height.clamp(120, 4000));
        self
    }

    /// The drawing.
    pub fn to_svg(&self) -> Svg {
        Svg::new(draw::svg(self))
    }

    /// Called by the kernel for the last expression of a cell.
    pub fn evcxr_display(&self) {
        self.bundle().evcxr_display();
    }

    /// Shows it now; the same as [`display`](crate::display::display).
    pub fn show(&self) {
        crate::display::display(self);
    }

    /// Not generic: compiled once, here, and not in each cell.
    #[track_caller]
    fn with_series(mut self, kind: Kind, label: String, xs: (Vec<f64>, &str), ys: (Vec<f64>, &str)) -> Plot {
        let (xs, ys, unit) = (xs.0, ys.0, ys.1);
        assert!(xs.len() == ys.len(), "there are {} xs and {} ys: a point needs one of each", xs.len(), ys.len());
        self.unit(unit);
        self.series.push(Series { kind, label, xs, ys });
        self
    }

    /// Durations say what they are, until the caller does.
    fn unit(&mut self, unit: &str) {
        if self.y_label.is_empty() && unit == "s" {
            self.y_label = "time (s)".into();
        }
    }

    /// The chart in words, for whoever sees no pictures.
    fn text(&self) -> String {
        let labels = self.series.iter().map(|series| series.label.as_str()).filter(|label| !label.is_empty());
        let parts = [self.title.as_str()].into_iter().filter(|title| !title.is_empty()).chain(labels);
        let described = parts.collect::<Vec<_>>().join(", ");
        if described.is_empty() { "[chart]".into() } else { format!("[chart: {described}]") }
    }
}

impl Rich for Plot {
    fn bundle(&self) -> Bundle {
        Bundle::plain(self.text()).with("image/svg+xml", draw::svg(self))
    }
}

/// A chart with one line.
///
/// # Examples
///
/// ```
/// use parcourse::prelude::*;
/// plot::line(0..10, (0..10).map(|x| x * x)).x_label("x").y_label("x²").show();
/// ```
///
/// # Panics
///
/// When there are not as many `ys` as `xs`.
#[track_caller]
pub fn line(xs: impl IntoIterator<Item: Number>, ys: impl IntoIterator<Item: Number>) -> Plot {
    Plot::new().line("", xs, ys)
}

/// A chart with one series of points.
///
/// # Panics
///
/// When there are not as many `ys` as `xs`.
#[track_caller]
pub fn scatter(xs: impl IntoIterator<Item: Number>, ys: impl IntoIterator<Item: Number>) -> Plot {
    Plot::new().points("", xs, ys)
}

/// A chart with one bar per label.
///
/// # Examples
///
/// ```
/// use parcourse::prelude::*;
/// plot::bar(["serial", "rayon"], [Duration::from_millis(820), Duration::from_millis(430)]).show();
/// ```
///
/// # Panics
///
/// When there are not as many values as labels.
#[track_caller]
pub fn bar(labels: impl IntoIterator<Item: fmt::Display>, values: impl IntoIterator<Item: Number>) -> Plot {
    Plot::new().bars(labels, values)
}

#[cfg(test)]
mod tests {
    use super::*;

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
    fn anything_with_numbers_can_be_drawn() {
        let vector = vec![1_u32, 2, 3];
        let chart = Plot::new().line("a", &vector, &[0.5, 1.5, 2.5]).points("b", 0..3, vector.iter().map(|x| x * x)).ideal(
            "c",
            [1_i64, 2, 3],
            vector.as_slice(),
        );
        assert_eq!(chart.text(), "[chart: a, b, c]");
        assert_eq!(chart.clone().title("t").text(), "[chart: t, a, b, c]");
        assert!(chart.bundle().get("image/svg+xml").is_some());
    }

    #[test]
    fn durations_name_the_axis_unless_the_caller_does() {
        let second = std::time::Duration::from_secs(1);
        assert_eq!(line([1], [second]).y_label, "time (s)");
        assert_eq!(line([1], [second]).y_label("latency").y_label, "latency");
        assert_eq!(line([1], [1.0]).y_label, "");
    }
}
