//! Charts in one line of code: lines, points, bars, histograms, heat maps, Gantt charts.
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
//! A chart is a value. As the last expression of a cell it is shown as an SVG drawing, legible on
//! light and dark pages. [`line`](fn@line), [`scatter`], [`bar`] and [`histogram`] are shortcuts
//! for a chart with one series; [`image`](fn@image) and [`gantt`](fn@gantt) fill a chart of their
//! own.
//!
//! Durations are drawn in the unit that fits, and label their axis. Series with the same label
//! share a colour and an entry in the legend, such as a [`band`](Plot::band) around a
//! [`line`](Plot::line).
//!
//! Values that cannot be drawn are left out, and the chart says how many: NaN, infinities, and on a
//! logarithmic axis everything from zero down. Series of more than 5000 points are thinned out for
//! drawing; the peaks of lines stay.
//!
//! The drawing uses [plotters](https://docs.rs/plotters)' SVG backend. For anything that is missing
//! here (3-D, several panels, maps), draw into a string with plotters itself and show it with
//! `Svg::new(string)`. Reading order: `build` and `show` (the methods of [`Plot`]), `series` and
//! `data`, `draw`, then the drawing of each kind of chart on a `canvas`.

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
/// Its methods take the chart and return it. They accept anything iterable that yields
/// [`Number`]s: slices, vectors, arrays, ranges, iterators. The size is 640×400 pixels unless you
/// set it with [`size`](Plot::size).
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
    /// Of the image; empty means viridis.
    colours: Vec<Colour>,
    gantt: Option<Vec<Bar>>,
    /// Values that were left out before they got into a series.
    not_finite: usize,
}

impl Plot {
    /// An empty chart.
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
/// Panics if `xs` and `ys` differ in length.
#[track_caller]
pub fn line(xs: impl IntoIterator<Item: Number>, ys: impl IntoIterator<Item: Number>) -> Plot {
    Plot::new().line("", xs, ys)
}

/// A chart with one series of points.
///
/// # Panics
///
/// Panics if `xs` and `ys` differ in length.
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
/// Panics if labels and values differ in number.
#[track_caller]
pub fn bar(
    labels: impl IntoIterator<Item: fmt::Display>,
    values: impl IntoIterator<Item: Number>,
) -> Plot {
    Plot::new().bars(labels, values)
}

/// A histogram whose number of bins fits the values: by the Freedman-Diaconis rule, at most 80; a
/// few whole numbers get one bin each.
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
/// highest. Cells without a number are empty.
///
/// The image is a PNG with one pixel per value; above 1200 pixels, each pixel is the mean of a
/// square of values. The axes count cells, unless [`x_range`](Plot::x_range) and
/// [`y_range`](Plot::y_range) set the coordinates of the edges.
///
/// # Examples
///
/// ```
/// use parcourse::prelude::*;
/// let value = |cell: i32| f64::from(cell % 20 * (cell / 20)).sqrt();
/// let values: Vec<f64> = (0..20 * 10).map(value).collect();
/// plot::image(20, &values).title("√(x·y)").show();
/// ```
///
/// # Panics
///
/// Panics if the number of values is not a multiple of `width`.
#[track_caller]
pub fn image(width: usize, values: impl IntoIterator<Item: Number>) -> Plot {
    Plot { image: Some(Image::new(width, number::collect(values).0)), ..Plot::new() }
}
