//! One bar per name: upright, or horizontal if the names are long.

use super::Plot;
use super::axis::{Axis, Extent};
use super::canvas::{Anchor, Canvas, INK};
use super::data::Data;
use super::frame::{Frame, NOTE, SIZE, TICK};
use super::palette;
use crate::format::{FineDuration, four_figures};
use std::time::Duration;

/// Whether the names are too long to fit below upright bars.
pub(super) fn are_horizontal(plot: &Plot) -> bool {
    let Some(bars) = plot.bars.as_ref().filter(|_| plot.series.is_empty()) else { return false };
    // About what the numbers on the left leave.
    let slot = (f64::from(plot.size.unwrap_or(SIZE).0) - 90.0) / bars.labels.len().max(1) as f64;
    bars.labels.iter().any(|label| TICK.width(label) > slot - 6.0)
}

/// A bar's value as text: a duration, or four figures.
fn in_words(plot: &Plot, index: usize) -> String {
    let value = plot.bars.as_ref().map_or(0.0, |bars| bars.values[index]);
    match Duration::try_from_secs_f64(value) {
        Ok(duration) if plot.y_label.seconds => FineDuration(duration).to_string(),
        _ => four_figures(value),
    }
}

/// Upright bars in slots of this width; `y` maps a value to a height.
pub(super) fn paint_upright(
    canvas: &mut Canvas<'_>,
    frame: Frame,
    plot: &Plot,
    data: &Data<'_>,
    slot: f64,
    y: impl Fn(f64) -> f64,
    base: f64,
) {
    let labels = plot.bars.iter().flat_map(|bars| &bars.labels);
    for (index, (label, &value)) in labels.zip(&data.bars).enumerate() {
        let centre = frame.left + slot * (index as f64 + 0.5);
        canvas.text(
            &TICK.shortened(label, slot - 4.0),
            (centre, frame.bottom + 11.0),
            Anchor::Centre,
            TICK,
        );
        if value.is_nan() {
            continue;
        }
        let half = (slot * 0.35).clamp(0.5, 40.0);
        canvas.rectangle(
            (centre - half, y(base)),
            (centre + half, y(value)),
            palette::series(0),
            1.0,
        );
        let words = in_words(plot, index);
        if NOTE.width(&words) < slot - 2.0 && plot.series.is_empty() {
            let above = if value < 0.0 { 8.0 } else { -8.0 };
            canvas.text(&words, (centre, y(value) + above), Anchor::Centre, NOTE);
        }
    }
}

/// Horizontal bars, the first one on top, names on the left.
pub(super) fn paint_horizontally(
    canvas: &mut Canvas<'_>,
    mut frame: Frame,
    plot: &Plot,
    data: &Data<'_>,
) -> Frame {
    let labels = plot.bars.as_ref().map_or(&[] as &[String], |bars| &bars.labels);
    let extent = Extent::of(data.bars.iter().copied().filter(|value| !value.is_nan()));
    let widest =
        labels.iter().map(|label| TICK.width(label)).fold(0.0, f64::max).min(0.4 * frame.width());
    frame.left += widest + 10.0;
    // The value as text is on the right of its bar.
    let words =
        (0..labels.len()).map(|index| NOTE.width(&in_words(plot, index))).fold(0.0, f64::max);
    frame.right -= words;
    let Some(extent) = extent else {
        frame.border(canvas);
        canvas.text("no data", frame.middle(), Anchor::Centre, TICK);
        return frame;
    };
    let ticks = frame.x_ticks();
    let axis = if plot.log_y {
        Axis::logarithmic(extent, ticks)
    } else {
        Axis::linear(extent.with_zero(), 1.0, ticks)
    };
    let x = |value: f64| frame.left + axis.position(value).clamp(0.0, 1.0) * frame.width();
    for tick in &axis.ticks {
        let at = x(tick.value);
        canvas.line(
            [(at, frame.top), (at, frame.bottom)],
            INK,
            1.0,
            if tick.label.is_some() { 0.25 } else { 0.1 },
        );
        canvas.text(
            tick.label.as_deref().unwrap_or_default(),
            (at, frame.bottom + 11.0),
            Anchor::Centre,
            TICK,
        );
    }
    let slot = frame.height() / labels.len() as f64;
    for (index, (label, &value)) in labels.iter().zip(&data.bars).enumerate() {
        let centre = frame.top + slot * (index as f64 + 0.5);
        if slot >= 9.0 || index % (10.0 / slot).ceil() as usize == 0 {
            canvas.text(
                &TICK.shortened(label, widest),
                (frame.left - 8.0, centre),
                Anchor::Right,
                TICK,
            );
        }
        if value.is_nan() {
            continue;
        }
        let half = (slot * 0.35).clamp(0.5, 20.0);
        canvas.rectangle(
            (x(axis.base()), centre - half),
            (x(value), centre + half),
            palette::series(0),
            1.0,
        );
        if slot >= 9.0 {
            canvas.text(
                &in_words(plot, index),
                (x(value.max(axis.base())) + 4.0, centre),
                Anchor::Left,
                NOTE,
            );
        }
    }
    frame.border(canvas);
    frame
}
