//! Charts with numbers on both axes; and upright bars, whose horizontal axis has names.

use super::axis::{Axis, Extent};
use super::canvas::{Anchor, Canvas, INK};
use super::data::{Data, PlottedSeries};

use super::frame::{self, Frame, TICK};
use super::series::{Point, SeriesKind, scattered, thinned};
use super::{Plot, bars};

/// Lines with fewer points than this have markers: few points are measurements, many are a curve.
const MARKED: usize = 40;

/// The axes within their frame.
struct Scales {
    frame: Frame,
    x: Axis,
    y: Axis,
}

impl Scales {
    fn x(&self, value: f64) -> f64 {
        self.frame.left + self.x.position(value) * self.frame.width()
    }

    fn y(&self, value: f64) -> f64 {
        self.frame.bottom - self.y.position(value) * self.frame.height()
    }

    /// Clamped to the frame, for areas.
    fn y_within(&self, value: f64) -> f64 {
        self.y(value).clamp(self.frame.top, self.frame.bottom)
    }

    fn x_within(&self, value: f64) -> f64 {
        self.x(value).clamp(self.frame.left, self.frame.right)
    }
}

/// Draws legend, axes and series into the rest of the frame.
pub(super) fn paint(
    canvas: &mut Canvas<'_>,
    mut frame: Frame,
    plot: &Plot,
    data: &Data<'_>,
) -> Frame {
    let y_extent = y_extent(plot, data);
    let x_extent =
        Extent::of(data.series.iter().flat_map(|placed| placed.points.iter().map(|point| point.x)));
    let x_extent = x_extent.map(|extent| extent.or_whole(plot.whole_x));
    // The legend's height is known only after drawing, and it starts where the numbers on the left
    // end; a first guess is good enough.
    let y_axis = y_extent.map(|extent| {
        axis(plot.log_y, plot.y_range, extent, zero_share(plot, data), frame.y_ticks())
    });
    frame.left += y_axis.as_ref().map_or(0.0, |axis| axis.widest_label(TICK)) + 8.0;
    frame.top += legend(canvas, frame, &data.series);
    let x_axis = match &plot.bars {
        Some(bars) => Some(Axis::exactly(-0.5, bars.labels.len() as f64 - 0.5, true, 1)),
        None => x_extent.map(|extent| axis(plot.log_x, plot.x_range, extent, 0.1, frame.x_ticks())),
    };
    let (Some(x), Some(y)) = (x_axis, y_axis) else {
        frame.border(canvas);
        canvas.text("no data", frame.middle(), Anchor::Centre, TICK);
        return frame;
    };
    let scales = Scales { frame, x, y };
    grid(canvas, &scales, plot.bars.is_none());
    if plot.bars.is_some() {
        let slot = frame.width() / data.bars.len() as f64;
        bars::paint_upright(
            canvas,
            frame,
            plot,
            data,
            slot,
            |value| scales.y_within(value),
            scales.y.base(),
        );
    }
    for placed in data.series.iter().filter(|placed| placed.series.kind.is_area()) {
        area(canvas, &scales, placed, data);
    }
    frame.border(canvas);
    for placed in data.series.iter().filter(|placed| !placed.series.kind.is_area()) {
        stroke(canvas, &scales, placed);
    }
    frame
}

fn y_extent(plot: &Plot, data: &Data<'_>) -> Option<Extent> {
    let reached = |point: &Point| [point.y, point.low, point.high];
    let all = data
        .series
        .iter()
        .flat_map(|placed| placed.points.iter().flat_map(reached))
        .chain(data.bars.iter().copied());
    let extent = Extent::of(all.filter(|&value| Axis::can_show(plot.log_y, value)))?;
    let from_zero = zero_share(plot, data) == 1.0 && !plot.log_y;
    Some(if from_zero { extent.with_zero() } else { extent })
}

/// People compare bars by length, so they start at zero.
fn zero_share(plot: &Plot, data: &Data<'_>) -> f64 {
    let histogram = data.series.iter().any(|placed| placed.series.kind == SeriesKind::Histogram);
    if plot.bars.is_some() || histogram { 1.0 } else { 0.5 }
}

fn axis(
    log: bool,
    range: Option<(f64, f64)>,
    extent: Extent,
    zero_share: f64,
    ticks: usize,
) -> Axis {
    match range {
        Some(range) if log && range.0 > 0.0 && range.1 > 0.0 => {
            Axis::between_logarithmic(range, ticks)
        }
        Some(range) if !log => Axis::between(range, false, ticks),
        _ if log => Axis::logarithmic(extent, ticks),
        _ => Axis::linear(extent, zero_share, ticks),
    }
}

fn grid(canvas: &mut Canvas<'_>, scales: &Scales, with_x: bool) {
    let frame = scales.frame;
    let opacity = |label: &Option<String>| if label.is_some() { 0.25 } else { 0.1 };
    for tick in &scales.y.ticks {
        let at = scales.y(tick.value);
        canvas.line([(frame.left, at), (frame.right, at)], INK, 1.0, opacity(&tick.label));
        canvas.text(
            tick.label.as_deref().unwrap_or_default(),
            (frame.left - 6.0, at),
            Anchor::Right,
            TICK,
        );
    }
    for tick in scales.x.ticks.iter().filter(|_| with_x) {
        let at = scales.x(tick.value);
        canvas.line([(at, frame.top), (at, frame.bottom)], INK, 1.0, opacity(&tick.label));
        canvas.text(
            tick.label.as_deref().unwrap_or_default(),
            (at, frame.bottom + 11.0),
            Anchor::Centre,
            TICK,
        );
    }
}

/// Bands and histograms: below the border and all lines.
fn area(canvas: &mut Canvas<'_>, scales: &Scales, placed: &PlottedSeries<'_>, data: &Data<'_>) {
    let points = &placed.points;
    if placed.series.kind == SeriesKind::Histogram {
        let alone =
            data.series.iter().filter(|placed| placed.series.kind == SeriesKind::Histogram).count()
                < 2;
        for pair in points.windows(2) {
            let (left, right) = (scales.x_within(pair[0].x), scales.x_within(pair[1].x));
            // A hairline between bins, if they are wide enough.
            let right = if right - left > 3.0 { right - 0.7 } else { right };
            let (base, top) = (scales.y_within(scales.y.base()), scales.y_within(pair[0].y));
            canvas.rectangle(
                (left, base),
                (right, top),
                placed.colour,
                if alone { 0.9 } else { 0.55 },
            );
        }
        return;
    }
    let edge = |edge: fn(&Point) -> f64| {
        thinned(
            points
                .iter()
                .map(|point| (scales.x_within(point.x), scales.y_within(edge(point))))
                .collect(),
        )
    };
    let (mut outline, mut back) = (edge(|point| point.high), edge(|point| point.low));
    back.reverse();
    outline.append(&mut back);
    canvas.polygon(outline, placed.colour, 0.25);
}

fn stroke(canvas: &mut Canvas<'_>, scales: &Scales, placed: &PlottedSeries<'_>) {
    let frame = scales.frame;
    let places: Vec<(f64, f64)> =
        placed.points.iter().map(|point| (scales.x(point.x), scales.y(point.y))).collect();
    // If there are very many points, transparency shows where they are dense.
    let (radius, faint) = if places.len() > 1000 { (2.0, 0.5) } else { (3.0, 0.8) };
    let mark = |canvas: &mut Canvas<'_>, &at: &(f64, f64), opacity: f64| {
        if is_within(frame, at) {
            canvas.mark(placed.number, at, radius, placed.colour, opacity);
        }
    };
    match placed.series.kind {
        SeriesKind::Ideal => clipped(&thinned(places), frame)
            .iter()
            .for_each(|piece| canvas.dashed(piece, placed.colour, 1.5, (6.0, 4.0))),
        SeriesKind::Points => scattered(places).iter().for_each(|at| mark(canvas, at, faint)),
        SeriesKind::ErrorBars => {
            for (point, at) in placed.points.iter().zip(&places) {
                let (low, high) = (scales.y_within(point.low), scales.y_within(point.high));
                if (frame.left..=frame.right).contains(&at.0) {
                    canvas.line([(at.0, low), (at.0, high)], placed.colour, 1.5, 1.0);
                    for end in [low, high] {
                        canvas.line(
                            [(at.0 - 4.0, end), (at.0 + 4.0, end)],
                            placed.colour,
                            1.5,
                            1.0,
                        );
                    }
                }
                mark(canvas, at, 1.0);
            }
        }
        SeriesKind::Line => {
            let marked = places.len() <= MARKED;
            let places = thinned(places);
            for piece in clipped(&places, frame) {
                canvas.line(piece, placed.colour, 2.0, 1.0);
            }
            places.iter().filter(|_| marked).for_each(|at| mark(canvas, at, 1.0));
        }
        SeriesKind::Band | SeriesKind::Histogram => {}
    }
}

fn is_within(frame: Frame, (x, y): (f64, f64)) -> bool {
    (frame.left - 0.5..=frame.right + 0.5).contains(&x)
        && (frame.top - 0.5..=frame.bottom + 0.5).contains(&y)
}

/// The parts of a line within the frame.
fn clipped(points: &[(f64, f64)], frame: Frame) -> Vec<Vec<(f64, f64)>> {
    if points.iter().all(|&point| is_within(frame, point)) {
        return vec![points.to_vec()];
    }
    let mut pieces: Vec<Vec<(f64, f64)>> = Vec::new();
    for pair in points.windows(2) {
        let Some((from, to)) = clipped_segment(pair[0], pair[1], frame) else { continue };
        match pieces.last_mut() {
            Some(piece) if piece.last() == Some(&from) => piece.push(to),
            _ => pieces.push(vec![from, to]),
        }
    }
    pieces
}

/// The part of a segment within the frame (Liang and Barsky's algorithm).
fn clipped_segment(
    from: (f64, f64),
    to: (f64, f64),
    frame: Frame,
) -> Option<((f64, f64), (f64, f64))> {
    let (dx, dy) = (to.0 - from.0, to.1 - from.1);
    let (mut enters, mut leaves) = (0.0_f64, 1.0_f64);
    let edges = [
        (-dx, from.0 - frame.left),
        (dx, frame.right - from.0),
        (-dy, from.1 - frame.top),
        (dy, frame.bottom - from.1),
    ];
    for (towards, distance) in edges {
        if towards == 0.0 {
            if distance < 0.0 {
                return None;
            }
        } else if towards < 0.0 {
            enters = enters.max(distance / towards);
        } else {
            leaves = leaves.min(distance / towards);
        }
    }
    // A point within the frame stays bit-identical, so that the next segment connects to it.
    let at = |share: f64| match share {
        0.0 => from,
        1.0 => to,
        _ => (from.0 + share * dx, from.1 + share * dy),
    };
    (enters <= leaves).then(|| (at(enters), at(leaves)))
}

/// One entry per label, shared by all series with that label; the last kind is drawn on top.
fn legend(canvas: &mut Canvas<'_>, frame: Frame, series: &[PlottedSeries<'_>]) -> f64 {
    let mut labels: Vec<&str> = Vec::new();
    for placed in series {
        if !placed.series.label.is_empty() && !labels.contains(&placed.series.label.as_str()) {
            labels.push(&placed.series.label);
        }
    }
    frame::legend(canvas, frame, labels.clone(), |canvas, index, (x, y)| {
        for placed in series.iter().filter(|placed| placed.series.label == labels[index]) {
            let (colour, middle) = (placed.colour, (x + 14.0, y));
            match placed.series.kind {
                SeriesKind::Line => {
                    canvas.line([(x + 2.0, y), (x + 26.0, y)], colour, 2.0, 1.0);
                    if placed.points.len() <= MARKED {
                        canvas.mark(placed.number, middle, 3.0, colour, 1.0);
                    }
                }
                SeriesKind::Ideal => {
                    canvas.dashed(&[(x, y), (x + 26.0, y)], colour, 1.5, (6.0, 4.0))
                }
                SeriesKind::Points => canvas.mark(placed.number, middle, 3.0, colour, 1.0),
                SeriesKind::ErrorBars => {
                    canvas.line([(middle.0, y - 6.0), (middle.0, y + 6.0)], colour, 1.5, 1.0);
                    canvas.mark(placed.number, middle, 3.0, colour, 1.0);
                }
                SeriesKind::Band => {
                    canvas.rectangle((x + 2.0, y - 5.0), (x + 26.0, y + 5.0), colour, 0.25)
                }
                SeriesKind::Histogram => {
                    canvas.rectangle((x + 6.0, y - 5.0), (x + 22.0, y + 5.0), colour, 0.9)
                }
            }
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const FRAME: Frame = Frame { left: 0.0, right: 10.0, top: 0.0, bottom: 10.0 };

    #[test]
    fn lines_are_cut_at_the_frame() {
        assert_eq!(clipped(&[(1.0, 1.0), (2.0, 2.0)], FRAME), [[(1.0, 1.0), (2.0, 2.0)]]);
        assert_eq!(clipped(&[(-10.0, 5.0), (20.0, 5.0)], FRAME), [[(0.0, 5.0), (10.0, 5.0)]]);
        assert_eq!(
            clipped(&[(-10.0, 5.0), (5.0, 5.0), (5.0, 20.0)], FRAME),
            [[(0.0, 5.0), (5.0, 5.0), (5.0, 10.0)]]
        );
        assert!(clipped(&[(-10.0, -5.0), (20.0, -5.0)], FRAME).is_empty());
        // Leaves on the right, comes back from below: two pieces.
        assert_eq!(
            clipped(&[(5.0, 5.0), (15.0, 5.0), (15.0, 20.0), (5.0, 20.0), (5.0, 6.0)], FRAME).len(),
            2
        );
    }
}
