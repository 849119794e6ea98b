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
mod build;
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
mod show;
mod table;

pub use gantt::{Bar, gantt};
pub use number::Number;

use build::AxisLabel;
use canvas::Colour;
use image::Image;
use series::{Bars, Series};
use std::fmt;

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
