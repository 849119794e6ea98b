//! The layout of a chart: heading, legend, axes, and the data within.

use super::Plot;
use super::axis::{Axis, Extent};
use super::canvas::{self, Anchor, Canvas, Colour, Font, INK};
use super::series::{Kind, Series, thinned};

/// Told apart by people with the usual kinds of colour blindness, and contrasting with white and with near-black (at least 3 each).
const COLOURS: [Colour; 6] = [
    Colour(0x1f, 0x7a, 0xc4),
    Colour(0xd9, 0x5f, 0x02),
    Colour(0x0f, 0x9b, 0x73),
    Colour(0xc2, 0x5f, 0xa0),
    Colour(0xa0, 0x82, 0x0a),
    Colour(0x77, 0x77, 0x77),
];

const TITLE: Font = Font { size: 15.0, bold: true, colour: INK };
const LABEL: Font = Font::of_size(13.0);
const TICK: Font = Font::of_size(12.0);
const NOTE: Font = Font::of_size(11.0);

/// The part of the drawing that holds the data, in pixels.
#[derive(Clone, Copy)]
struct Frame {
    left: f64,
    right: f64,
    top: f64,
    bottom: f64,
}

/// A series without the points that have no place.
struct Placed<'plot> {
    series: &'plot Series,
    colour: Colour,
    points: Vec<(f64, f64)>,
}

pub(super) fn svg(plot: &Plot) -> String {
    let (width, height) = (f64::from(plot.size.0), f64::from(plot.size.1));
    canvas::draw(width, height, |canvas| paint(plot, canvas, width, height))
}

fn paint(plot: &Plot, canvas: &mut Canvas<'_>, width: f64, height: f64) {
    let (placed, left_out) = place(plot);
    let bar_values = plot.bars.iter().flat_map(|bars| bars.values.iter().copied()).filter(|&value| Axis::holds(plot.log_y, value));
    let bar_count = plot.bars.as_ref().map_or(0, |bars| bars.labels.len());

    let xs = placed.iter().flat_map(|placed| placed.points.iter().map(|point| point.0));
    let ys = placed.iter().flat_map(|placed| placed.points.iter().map(|point| point.1));
    let x_extent = Extent::of(xs);
    let y_extent = Extent::of(ys.chain(bar_values));
    let note = note(plot, left_out);

    // From the outside in: what stands around the data takes its room first.
    let mut frame = Frame { left: 8.0, right: width - 16.0, top: 12.0, bottom: height - 8.0 };
    if !plot.title.is_empty() {
        let title = TITLE.shortened(&plot.title, width - 16.0);
        canvas.text(&title, (width / 2.0, frame.top + 8.0), Anchor::Centre, TITLE);
        frame.top += 26.0;
    }
    if !note.is_empty() {
        canvas.text(&NOTE.shortened(&note, width - 16.0), (frame.right, frame.bottom - 5.0), Anchor::Right, NOTE);
        frame.bottom -= 16.0;
    }
    if !plot.x_label.is_empty() {
        frame.bottom -= 20.0;
    }
    frame.bottom -= 20.0;
    if !plot.y_label.is_empty() {
        frame.left += 20.0;
    }
    let zero_share = if plot.bars.is_some() { 1.0 } else { 0.5 };
    let y_ticks = ((frame.bottom - frame.top) / 45.0).max(2.0) as usize;
    let y_axis = y_extent.map(|extent| axis(plot.log_y, extent, zero_share, y_ticks));
    let widest = y_axis.iter().flat_map(|axis| &axis.ticks).filter_map(|tick| tick.label.as_ref()).map(|label| TICK.width(label));
    frame.left += widest.fold(0.0, f64::max) + 8.0;
    frame.top += legend(canvas, &placed, frame);
    let x_ticks = ((frame.right - frame.left) / 70.0).max(2.0) as usize;
    let x_axis = match &plot.bars {
        Some(bars) => Some(Axis::exactly(-0.5, bars.labels.len() as f64 - 0.5, true, 1)),
        None => x_extent.map(|extent| axis(plot.log_x, extent, 0.1, x_ticks)),
    };

    let middle = ((frame.left + frame.right) / 2.0, (frame.top + frame.bottom) / 2.0);
    if !plot.x_label.is_empty() {
        canvas.text(&plot.x_label, (middle.0, frame.bottom + 31.0), Anchor::Centre, LABEL);
    }
    if !plot.y_label.is_empty() {
        canvas.text(&plot.y_label, (16.0, middle.1), Anchor::Upwards, LABEL);
    }
    let (Some(x_axis), Some(y_axis)) = (x_axis, y_axis) else {
        border(canvas, frame);
        canvas.text("no data", middle, Anchor::Centre, LABEL);
        return;
    };

    let x = |value: f64| frame.left + x_axis.place(value) * (frame.right - frame.left);
    let y = |value: f64| frame.bottom - y_axis.place(value) * (frame.bottom - frame.top);
    for tick in &y_axis.ticks {
        let at = y(tick.value);
        canvas.line([(frame.left, at), (frame.right, at)], INK, 1.0, if tick.label.is_some() { 0.25 } else { 0.1 });
        if let Some(label) = &tick.label {
            canvas.text(label, (frame.left - 6.0, at), Anchor::Right, TICK);
        }
    }
    match &plot.bars {
        Some(bars) => {
            let slot = (frame.right - frame.left) / bar_count.max(1) as f64;
            for (index, (label, &value)) in bars.labels.iter().zip(&bars.values).enumerate() {
                let centre = x(index as f64);
                canvas.text(&TICK.shortened(label, slot - 4.0), (centre, frame.bottom + 11.0), Anchor::Centre, TICK);
                if Axis::holds(plot.log_y, value) {
                    let half = (slot * 0.35).min(40.0);
                    canvas.rectangle((centre - half, y(y_axis.base())), (centre + half, y(value)), COLOURS[0], 1.0);
                }
            }
        }
        None => {
            for tick in &x_axis.ticks {
                let at = x(tick.value);
                canvas.line([(at, frame.top), (at, frame.bottom)], INK, 1.0, if tick.label.is_some() { 0.25 } else { 0.1 });
                if let Some(label) = &tick.label {
                    canvas.text(label, (at, frame.bottom + 11.0), Anchor::Centre, TICK);
                }
            }
        }
    }
    border(canvas, frame);
    for Placed { series, colour, points } in &placed {
        let points: Vec<(f64, f64)> = thinned(points.iter().map(|point| (x(point.0), y(point.1))).collect());
        match series.kind {
            Kind::Ideal => canvas.dashed(&points, *colour, 1.5, (6.0, 4.0)),
            Kind::Points => points.iter().for_each(|&point| canvas.disc(point, 3.0, *colour, 0.8)),
            Kind::Line => {
                canvas.line(points.iter().copied(), *colour, 2.0, 1.0);
                // Few points are measurements, many a curve.
                if points.len() <= 50 {
                    points.iter().for_each(|&point| canvas.disc(point, 3.0, *colour, 1.0));
                }
            }
        }
    }
}

fn axis(log: bool, extent: Extent, zero_share: f64, ticks: usize) -> Axis {
    if log { Axis::logarithmic(extent, ticks) } else { Axis::linear(extent, zero_share, ticks) }
}

/// The points with a place; and how many have none for being no finite number, or for being zero or less on a logarithmic axis.
fn place(plot: &Plot) -> (Vec<Placed<'_>>, (usize, usize)) {
    let (mut not_finite, mut not_positive) = (0, 0);
    let mut placed = Vec::new();
    let mut colours = COLOURS.into_iter().cycle();
    for series in &plot.series {
        let mut points = Vec::with_capacity(series.xs.len());
        for (&x, &y) in series.xs.iter().zip(&series.ys) {
            match () {
                () if !x.is_finite() || !y.is_finite() => not_finite += 1,
                () if !Axis::holds(plot.log_x, x) || !Axis::holds(plot.log_y, y) => not_positive += 1,
                () => points.push((x, y)),
            }
        }
        let colour = if series.kind == Kind::Ideal { INK } else { colours.next().unwrap_or(INK) };
        placed.push(Placed { series, colour, points });
    }
    for &value in plot.bars.iter().flat_map(|bars| &bars.values) {
        match () {
            () if !value.is_finite() => not_finite += 1,
            () if !Axis::holds(plot.log_y, value) => not_positive += 1,
            () => {}
        }
    }
    (placed, (not_finite, not_positive))
}

fn note(plot: &Plot, (not_finite, not_positive): (usize, usize)) -> String {
    let mut notes = Vec::new();
    let values = |count: usize| if count == 1 { "value".to_string() } else { "values".to_string() };
    if not_finite > 0 {
        notes.push(format!("{not_finite} {} left out: NaN or infinite", values(not_finite)));
    }
    if not_positive > 0 {
        let axes = if plot.log_x && plot.log_y { "logarithmic axes" } else { "a logarithmic axis" };
        notes.push(format!("{not_positive} {} left out: zero or less, on {axes}", values(not_positive)));
    }
    notes.join("; ")
}

fn border(canvas: &mut Canvas<'_>, frame: Frame) {
    canvas.line([(frame.left, frame.top), (frame.left, frame.bottom), (frame.right, frame.bottom)], INK, 1.0, 1.0);
}

/// The names of the series in rows above the data, and the height they take.
fn legend(canvas: &mut Canvas<'_>, placed: &[Placed<'_>], frame: Frame) -> f64 {
    const ROW: f64 = 18.0;
    const MARK: f64 = 24.0;
    let (mut x, mut y) = (frame.left, frame.top + 6.0);
    let mut any = false;
    for Placed { series, colour, .. } in placed.iter().filter(|placed| !placed.series.label.is_empty()) {
        let label = TICK.shortened(&series.label, frame.right - frame.left - MARK);
        let wide = MARK + 6.0 + TICK.width(&label);
        if any && x + wide > frame.right {
            (x, y) = (frame.left, y + ROW);
        }
        any = true;
        match series.kind {
            Kind::Line => canvas.line([(x, y), (x + MARK, y)], *colour, 2.0, 1.0),
            Kind::Ideal => canvas.dashed(&[(x, y), (x + MARK, y)], *colour, 1.5, (6.0, 4.0)),
            Kind::Points => canvas.disc((x + MARK / 2.0, y), 3.0, *colour, 1.0),
        }
        canvas.text(&label, (x + MARK + 6.0, y), Anchor::Left, TICK);
        x += wide + 18.0;
    }
    if any { y - frame.top + ROW - 4.0 } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plot::{bar, line, scatter};

    /// Parses, and gives all texts.
    fn texts(plot: &Plot) -> Vec<String> {
        let svg = svg(plot);
        let document = roxmltree::Document::parse(&svg).unwrap_or_else(|error| panic!("{error}: {svg}"));
        document
            .descendants()
            .filter(|node| node.has_tag_name("text"))
            .filter_map(|node| node.text())
            .map(|text| text.trim().into())
            .collect()
    }

    fn has(plot: &Plot, text: &str) -> bool {
        texts(plot).iter().any(|found| found == text)
    }

    #[test]
    fn nothing_is_a_chart_too() {
        assert!(has(&Plot::new(), "no data"));
        assert!(has(&line([0.0; 0], [0.0; 0]), "no data"));
        assert!(has(&bar([""; 0], [0.0; 0]), "no data"));
        assert!(has(&line([1.0], [f64::NAN]), "no data"));
    }

    #[test]
    fn labels_may_be_anything() {
        let odd = "<&\"'>\n\u{0}";
        let chart = Plot::new().line(odd, [1, 2], [3, 4]).title(odd).x_label(odd).y_label(odd);
        assert_eq!(texts(&chart).iter().filter(|text| text.starts_with("<&\"'>")).count(), 4);
        assert!(has(&bar(["<b>"], [1]), "<b>"));
    }

    #[test]
    fn what_is_left_out_is_counted() {
        let chart = scatter([1.0, 2.0, f64::INFINITY], [f64::NAN, 1.0, 1.0]);
        assert!(has(&chart, "2 values left out: NaN or infinite"));
        let chart = line([1.0, 2.0, 3.0], [0.0, 1.0, -1.0]).log_y();
        assert!(has(&chart, "2 values left out: zero or less, on a logarithmic axis"));
    }

    #[test]
    fn extreme_numbers_stay_within_the_drawing() {
        for ys in [[f64::MIN, f64::MAX], [0.0, 5e-324], [1e300, 1e-300], [7.0, 7.0], [-1.0, -1.0 - f64::EPSILON]] {
            for chart in [line([0, 1], ys), scatter(ys, [0, 1]), bar(["a", "b"], ys), line([1, 2], ys).log_y(), scatter(ys, [1, 2]).log_x()]
            {
                let text = svg(&chart);
                assert!(!text.contains("NaN") && !text.contains("21474"), "{ys:?}: {text}");
                texts(&chart);
            }
        }
    }

    #[test]
    fn long_series_are_thinned() {
        let size = svg(&line(0..1_000_000, (0..1_000_000).map(|x| (x as f64).sin()))).len();
        assert!(size < 100_000, "{size}");
    }
}
