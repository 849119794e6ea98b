//! The part of a drawing that holds the data, and the legend above it.

use super::canvas::{Anchor, Canvas, Font, INK};

/// The default width and height of a chart, in pixels.
pub(super) const SIZE: (u32, u32) = (640, 400);

pub(super) const TICK: Font = Font::of_size(12.0);
pub(super) const NOTE: Font = Font::of_size(11.0);

/// The part of the drawing that holds the data, in pixels.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(super) struct Frame {
    pub(super) left: f64,
    pub(super) right: f64,
    pub(super) top: f64,
    pub(super) bottom: f64,
}

impl Frame {
    pub(super) fn width(&self) -> f64 {
        (self.right - self.left).max(1.0)
    }

    pub(super) fn height(&self) -> f64 {
        (self.bottom - self.top).max(1.0)
    }

    pub(super) fn middle(&self) -> (f64, f64) {
        ((self.left + self.right) / 2.0, (self.top + self.bottom) / 2.0)
    }

    /// How many labelled ticks fit below.
    pub(super) fn x_ticks(&self) -> usize {
        (self.width() / 75.0).max(2.0) as usize
    }

    /// How many labelled ticks fit on the left.
    pub(super) fn y_ticks(&self) -> usize {
        (self.height() / 45.0).max(2.0) as usize
    }

    /// Draws the axes, left and below.
    pub(super) fn border(&self, canvas: &mut Canvas<'_>) {
        canvas.line(
            [(self.left, self.top), (self.left, self.bottom), (self.right, self.bottom)],
            INK,
            1.0,
            1.0,
        );
    }
}

/// Names in rows above the data, each with a marker of 28 by 10 pixels, drawn from its left end.
/// Returns the total height.
pub(super) fn legend<'text>(
    canvas: &mut Canvas<'_>,
    frame: Frame,
    labels: impl IntoIterator<Item = &'text str>,
    mut mark: impl FnMut(&mut Canvas<'_>, usize, (f64, f64)),
) -> f64 {
    const ROW: f64 = 18.0;
    const MARK: f64 = 28.0;
    let (mut x, mut y) = (frame.left, frame.top + 6.0);
    let mut any = false;
    for (index, label) in labels.into_iter().enumerate() {
        let label = TICK.shortened(label, frame.width() - MARK - 6.0);
        let wide = MARK + 6.0 + TICK.width(&label);
        if any && x + wide > frame.right {
            (x, y) = (frame.left, y + ROW);
        }
        any = true;
        mark(canvas, index, (x, y));
        canvas.text(&label, (x + MARK + 6.0, y), Anchor::Left, TICK);
        x += wide + 16.0;
    }
    if any { y - frame.top + ROW - 3.0 } else { 0.0 }
}
