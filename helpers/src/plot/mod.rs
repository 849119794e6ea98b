//! Charts in one line: lines, points, bars, histograms, heat maps, Gantt charts.
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
//! A chart is a value: as the last expression of a cell it is shown, as a drawing (SVG) that is
//! legible on light and on dark pages. [`line`](fn@line), [`scatter`], [`bar`] and [`histogram`]
//! are short for a chart with one series; [`image`](fn@image) and [`gantt`](fn@gantt) fill a chart
//! of their own.
//!
//! Durations are drawn in the unit that fits, and name their axis. Series with the same label share
//! a colour and a line in the legend: a [`band`](Plot::band) around a [`line`](Plot::line), say.
//!
//! Values that have no place are left out, and the chart says how many: NaN, infinities, and zero
//! and less on a logarithmic axis. Series of more than 5000 points are thinned out for drawing; the
//! peaks of lines stay.
//!
//! The drawing is SVG made with [plotters](https://docs.rs/plotters)' SVG backend. For what is not
//! here (3-D, several panels, maps), plotters itself draws into a string, which `Svg::new(string)`
//! shows.

mod axis;
mod bars;
mod bins;
mod canvas;
mod data;
mod draw;
mod frame;
mod gantt;
mod image;
mod lines;
mod number;
mod palette;
mod png;
mod series;
mod table;

pub use gantt::{Bar, gantt};
pub use number::Number;

use crate::display::{Bundle, Png, Rich, Svg};
use canvas::Colour;
use image::Image;
use series::{Bars, Kind, Series};
use std::path::Path;
use std::{fmt, io};

/// Width and height of a chart, in pixels.
const SIZE: (u32, u32) = (640, 400);

/// What stands beside an axis.
#[derive(Clone, PartialEq, Default, Debug)]
struct AxisLabel {
    text: String,
    /// The values are seconds: they are drawn in the unit that fits, which is written after the
    /// text.
    seconds: bool,
}

impl AxisLabel {
    /// Durations say what they are, until the caller does.
    fn take_unit(&mut self, unit: &str) {
        if self.text.is_empty() && unit == "s" {
            *self = AxisLabel { text: "time".into(), seconds: true };
        }
    }
}

/// A chart; see the [module](self) for an example.
///
/// Built by methods that take the chart and give it back. Whatever is iterable and yields
/// [`Number`]s can be drawn: slices, vectors, arrays, ranges, iterators. Size is in pixels, 640×400
/// unless [`size`](Plot::size) says otherwise.
#[derive(Clone, PartialEq, Default, Debug)]
pub struct Plot {
    title: String,
    x_label: AxisLabel,
    y_label: AxisLabel,
    log_x: bool,
    log_y: bool,
    whole_x: bool,
    x_range: Option<(f64, f64)>,
    y_range: Option<(f64, f64)>,
    size: Option<(u32, u32)>,
    series: Vec<Series>,
    bars: Option<Bars>,
    image: Option<Image>,
    /// Of the image; none means viridis.
    colours: Vec<Colour>,
    gantt: Option<Vec<Bar>>,
    /// Values that were left out before they came into a series.
    not_finite: usize,
}

impl Plot {
    /// A chart without anything in it.
    pub fn new() -> Plot {
        Plot::default()
    }

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
        self.with_series(Kind::Line, label.into(), number::collect(xs), number::collect(ys))
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
        self.with_series(Kind::ErrorBars, label.into(), number::collect(xs), number::collect(ys))
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
        self.with_series(Kind::Band, label.into(), number::collect(xs), number::collect(low))
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

    /// The drawing.
    pub fn to_svg(&self) -> Svg {
        Svg::new(draw::svg(self))
    }

    /// The picture of an [`image`](fn@image) alone, one pixel per value, without axes; `None` for
    /// other charts.
    pub fn to_png(&self) -> Option<Png> {
        self.image.as_ref().map(|image| image.to_png(usize::MAX, &self.colours))
    }

    /// Writes the chart to a file: a drawing (`.svg`), or the pixels of an [`image`](fn@image)
    /// (`.png`).
    ///
    /// # Errors
    ///
    /// When the file cannot be written, or its name ends otherwise.
    pub fn save(&self, path: impl AsRef<Path>) -> io::Result<()> {
        self.save_to(path.as_ref())
    }

    fn save_to(&self, path: &Path) -> io::Result<()> {
        let refused = |cause: &str| {
            io::Error::new(
                io::ErrorKind::InvalidInput,
                format!("failed to save the chart as `{}`: {cause}", path.display()),
            )
        };
        match path.extension().and_then(|extension| extension.to_str()) {
            Some("svg") => std::fs::write(path, draw::svg(self)),
            Some("png") => match self.to_png() {
                Some(png) => std::fs::write(path, png.bytes()),
                None => Err(refused("only an image has pixels, other charts are saved as `.svg`")),
            },
            _ => Err(refused("the name should end in `.svg`")),
        }
    }

    /// Called by the kernel for the last expression of a cell.
    pub fn evcxr_display(&self) {
        self.bundle().evcxr_display();
    }

    /// Shows it now; the same as [`display`](crate::display::display).
    pub fn show(&self) {
        crate::display::display(self);
    }

    /// Not generic: compiled once, here, and not in each cell. The same for its neighbours.
    #[track_caller]
    fn with_series(
        mut self,
        kind: Kind,
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

    fn with_histogram(
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
        self.with_series(Kind::Histogram, String::new(), (edges, unit), (counts, ""))
    }

    /// Label of an axis that has seconds, as a table's column of durations knows it.
    pub(crate) fn in_seconds(mut self, x: bool, y: bool) -> Plot {
        (self.x_label.seconds, self.y_label.seconds) = (x, y);
        self
    }

    /// Width and height, by what has to be drawn if nothing else was asked for.
    fn pixels(&self) -> (u32, u32) {
        if let Some(size) = self.size {
            return size;
        }
        let title = if self.title.is_empty() { 0 } else { 26 };
        if let Some(tasks) = &self.gantt {
            return (SIZE.0, (title + 90 + 28 * gantt::rows(tasks) as u32).clamp(140, 1200));
        }
        if bars::are_horizontal(self) {
            let count = self.bars.as_ref().map_or(0, |bars| bars.labels.len());
            return (SIZE.0, (title + 60 + 28 * count as u32).clamp(140, 1200));
        }
        if let Some((width, height)) = self.image.as_ref().map(Image::size) {
            // Room for axis and colour bar beside; an image twice as wide as high needs half the
            // height.
            let wanted = 540.0 * height as f64 / width as f64;
            return (SIZE.0, title + 50 + (wanted as u32).clamp(120, 480));
        }
        SIZE
    }

    /// The chart in words, for whoever sees no pictures.
    fn text(&self) -> String {
        let labels = self.series.iter().map(|series| series.label.as_str());
        let mut parts: Vec<&str> = Vec::new();
        for part in [self.title.as_str()].into_iter().chain(labels).filter(|part| !part.is_empty())
        {
            if !parts.contains(&part) {
                parts.push(part);
            }
        }
        if parts.is_empty() { "[chart]".into() } else { format!("[chart: {}]", parts.join(", ")) }
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
pub fn bar(
    labels: impl IntoIterator<Item: fmt::Display>,
    values: impl IntoIterator<Item: Number>,
) -> Plot {
    Plot::new().bars(labels, values)
}

/// A histogram with a number of bins that suits the values: after Freedman and Diaconis, at most
/// 80; one each for few whole numbers.
///
/// # Examples
///
/// ```
/// use parcourse::prelude::*;
/// plot::histogram((0..1000).map(|x| (x as f64).sin())).x_label("sin x").show();
/// ```
pub fn histogram(values: impl IntoIterator<Item: Number>) -> Plot {
    Plot::new().with_histogram(number::collect(values), None)
}

/// A heat map: rows of `width` values, the first row on top, dark for the lowest and yellow for the
/// highest; cells without a number are empty.
///
/// The picture is a PNG of one pixel per value; above 1200 pixels, of the means of squares of
/// values. The axes count cells, unless [`x_range`](Plot::x_range) and [`y_range`](Plot::y_range)
/// tell the coordinates of the edges.
///
/// # Examples
///
/// ```
/// use parcourse::prelude::*;
/// let values: Vec<f64> = (0..20 * 10).map(|cell| ((cell % 20) as f64 * (cell / 20) as f64).sqrt()).collect();
/// plot::image(20, &values).title("√(x·y)").show();
/// ```
///
/// # Panics
///
/// When the values make no whole rows.
#[track_caller]
pub fn image(width: usize, values: impl IntoIterator<Item: Number>) -> Plot {
    Plot { image: Some(Image::new(width, number::collect(values).0)), ..Plot::new() }
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
        let chart = Plot::new()
            .line("a", &vector, &[0.5, 1.5, 2.5])
            .points("b", 0..3, vector.iter().map(|x| x * x))
            .ideal("c", [1_i64, 2, 3], vector.as_slice());
        assert_eq!(chart.text(), "[chart: a, b, c]");
        assert_eq!(chart.clone().title("t").text(), "[chart: t, a, b, c]");
        assert!(chart.bundle().get("image/svg+xml").is_some());
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

    #[test]
    fn charts_are_saved() {
        let folder = std::env::temp_dir().join(format!("parcourse-plot-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        line([1, 2], [3, 4]).save(folder.join("a.svg")).unwrap();
        assert!(std::fs::read_to_string(folder.join("a.svg")).unwrap().starts_with("<svg"));
        image(1, [1, 2]).save(folder.join("a.png")).unwrap();
        assert!(std::fs::read(folder.join("a.png")).unwrap().starts_with(b"\x89PNG"));
        let refused = line([1, 2], [3, 4]).save(folder.join("b.png")).unwrap_err().to_string();
        assert!(refused.contains("only an image has pixels"), "{refused}");
        assert!(
            line([1, 2], [3, 4])
                .save("a.gif")
                .unwrap_err()
                .to_string()
                .contains("should end in `.svg`")
        );
        std::fs::remove_dir_all(&folder).unwrap();
    }
}
