//! A heat map: one coloured cell per value.

use super::axis::Axis;
use super::canvas::{Anchor, Canvas, Colour, INK};
use super::frame::{Frame, TICK};
use super::{Plot, palette, png};
use crate::display::Png;

/// Values in rows.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct Image {
    width: usize,
    values: Vec<f64>,
}

/// The longer side of the image in a chart has at most this many cells. More would not be visible
/// and would bloat the notebook.
const MAX_CELLS: usize = 1200;
/// Colours for values; one more stands for missing values.
const SHADES: u8 = 255;

impl Image {
    #[track_caller]
    pub(super) fn new(width: usize, values: Vec<f64>) -> Image {
        let whole = width > 0 && values.len().is_multiple_of(width);
        assert!(whole, "{} values are not whole rows of {width}", values.len());
        Image { width, values }
    }

    pub(super) fn size(&self) -> (usize, usize) {
        (self.width, self.values.len() / self.width)
    }

    pub(super) fn not_finite(&self) -> usize {
        self.values.iter().filter(|value| !value.is_finite()).count()
    }

    /// The lowest and the highest value, and whether all are whole numbers.
    fn range(&self) -> Option<(f64, f64, bool)> {
        let finite = || self.values.iter().copied().filter(|value| value.is_finite());
        let (low, high) =
            (finite().reduce(f64::min)?.max(-1e300), finite().reduce(f64::max)?.min(1e300));
        Some((low, high, finite().all(|value| value.fract() == 0.0)))
    }

    /// One pixel per cell, or one per block of cells with the mean of their values.
    pub(super) fn to_png(&self, most_cells: usize, colours: &[Colour]) -> Png {
        let (width, height) = self.size();
        let block = width.max(height).div_ceil(most_cells).max(1);
        let (low, high, _) = self.range().unwrap_or((0.0, 0.0, true));
        let shade = |value: f64| {
            if !value.is_finite() {
                SHADES
            } else if high > low {
                ((value - low) / (high - low) * f64::from(SHADES - 1)).round() as u8
            } else {
                SHADES / 2
            }
        };
        let mut indices = Vec::with_capacity(self.values.len() / (block * block) + width + height);
        for top in (0..height).step_by(block) {
            for left in (0..width).step_by(block) {
                indices.push(shade(
                    self.mean(left..(left + block).min(width), top..(top + block).min(height)),
                ));
            }
        }
        let mut palette = shades(colours);
        palette.push(INK);
        Png::new(png::encode(width.div_ceil(block), &indices, &palette, true))
    }

    fn mean(&self, columns: std::ops::Range<usize>, rows: std::ops::Range<usize>) -> f64 {
        let (mut sum, mut count) = (0.0, 0.0);
        for row in rows {
            for value in
                &self.values[row * self.width + columns.start..row * self.width + columns.end]
            {
                if value.is_finite() {
                    sum += value;
                    count += 1.0;
                }
            }
        }
        // 0/0, which is NaN, if no value is finite.
        sum / count
    }
}

/// The colours of the values from the lowest to the highest.
fn shades(colours: &[Colour]) -> Vec<Colour> {
    (0..SHADES)
        .map(|index| palette::mixed(colours, f64::from(index) / f64::from(SHADES - 1)))
        .collect()
}

/// Space for the colour bar and its numbers.
const BAR: f64 = 14.0;
const BAR_GAP: f64 = 14.0;

/// Draws the image with its colour bar; returns the frame that the image fills.
pub(super) fn paint(
    canvas: &mut Canvas<'_>,
    mut frame: Frame,
    image: &Image,
    plot: &Plot,
) -> Frame {
    let (x, y, colour_map) = (plot.x_range, plot.y_range, plot.colours.as_slice());
    let (width, height) = image.size();
    let Some((low, high, whole)) = image.range() else {
        frame.border(canvas);
        canvas.text("no data", frame.middle(), Anchor::Centre, TICK);
        return frame;
    };
    // Cells are counted at their centres; the first row is on top.
    let x_range = x.unwrap_or((-0.5, width as f64 - 0.5));
    let y_range = y.unwrap_or((height as f64 - 0.5, -0.5));
    let y_axis = Axis::between(y_range, y.is_none(), frame.y_ticks());
    let colours = (high > low).then(|| Axis::exactly(low, high, whole, frame.y_ticks()));
    let colours = colours.unwrap_or_else(|| Axis::flat(low));
    frame.left += y_axis.widest_label(TICK) + 8.0;
    frame.right -= BAR_GAP + BAR + 6.0 + colours.widest_label(TICK);
    // The cells are square.
    let side = (frame.width() / width as f64).min(frame.height() / height as f64);
    let (unused_x, unused_y) =
        (frame.width() - side * width as f64, frame.height() - side * height as f64);
    if width.max(height) < 20 * width.min(height) {
        frame = Frame {
            left: frame.left + unused_x / 2.0,
            right: frame.right - unused_x / 2.0,
            top: frame.top,
            bottom: frame.bottom - unused_y,
        };
    }
    let x_axis = Axis::between(x_range, x.is_none(), frame.x_ticks());

    canvas.picture(
        (frame.left, frame.top),
        (frame.right, frame.bottom),
        image.to_png(MAX_CELLS, colour_map).bytes(),
    );
    for tick in &x_axis.ticks {
        let at = frame.left + x_axis.position(tick.value) * frame.width();
        canvas.line([(at, frame.bottom), (at, frame.bottom + 4.0)], INK, 1.0, 1.0);
        canvas.text(
            tick.label.as_deref().unwrap_or_default(),
            (at, frame.bottom + 11.0),
            Anchor::Centre,
            TICK,
        );
    }
    for tick in &y_axis.ticks {
        let at = frame.bottom - y_axis.position(tick.value) * frame.height();
        canvas.line([(frame.left - 4.0, at), (frame.left, at)], INK, 1.0, 1.0);
        canvas.text(
            tick.label.as_deref().unwrap_or_default(),
            (frame.left - 6.0, at),
            Anchor::Right,
            TICK,
        );
    }
    let left = frame.right + BAR_GAP;
    let indices: Vec<u8> = (0..SHADES).rev().collect();
    canvas.picture(
        (left, frame.top),
        (left + BAR, frame.bottom),
        &png::encode(1, &indices, &shades(colour_map), false),
    );
    for tick in &colours.ticks {
        let at = frame.bottom - colours.position(tick.value) * frame.height();
        canvas.line([(left + BAR, at), (left + BAR + 4.0, at)], INK, 1.0, 1.0);
        canvas.text(
            tick.label.as_deref().unwrap_or_default(),
            (left + BAR + 6.0, at),
            Anchor::Left,
            TICK,
        );
    }
    frame
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_become_pixels_or_blocks_of_them() {
        let image = Image::new(300, (0..300 * 200).map(f64::from).collect());
        assert_eq!(image.to_png(1000, &[]).size(), Some((300, 200)));
        assert_eq!(image.to_png(100, &[]).size(), Some((100, 67)));
        assert_eq!(image.mean(0..2, 0..2), (0.0 + 1.0 + 300.0 + 301.0) / 4.0);
    }

    #[test]
    fn what_is_no_number_has_no_part_in_the_mean() {
        let image = Image::new(2, vec![f64::NAN, 1.0, 3.0, f64::INFINITY]);
        assert_eq!(image.mean(0..2, 0..2), 2.0);
        assert!(image.mean(0..1, 0..1).is_nan());
        assert_eq!(image.not_finite(), 2);
    }

    #[test]
    #[should_panic(expected = "5 values are not whole rows of 2")]
    fn rows_are_whole() {
        Image::new(2, vec![0.0; 5]);
    }
}
