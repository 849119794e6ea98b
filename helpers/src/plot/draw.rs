//! The layout of a chart: first everything around the data gets its space, then the data are drawn
//! into the rest.

use super::canvas::{self, Anchor, Canvas, Font, INK};
use super::data::Data;
use super::frame::{Frame, NOTE};
use super::{Plot, bars, gantt, image, lines};

const TITLE: Font = Font { size: 15.0, bold: true, colour: INK };
const LABEL: Font = Font::of_size(13.0);

pub(super) fn svg(plot: &Plot) -> String {
    let (width, height) = plot.pixels();
    let (width, height) = (f64::from(width), f64::from(height));
    canvas::draw(width, height, |canvas| paint(plot, canvas, width, height))
}

fn paint(plot: &Plot, canvas: &mut Canvas<'_>, width: f64, height: f64) {
    let data = Data::of(plot);
    let mut frame = Frame { left: 8.0, right: width - 16.0, top: 12.0, bottom: height - 8.0 };
    if !plot.title.is_empty() {
        let title = TITLE.shortened(&plot.title, width - 16.0);
        canvas.text(&title, (width / 2.0, frame.top + 8.0), Anchor::Centre, TITLE);
        frame.top += 26.0;
    }
    if !data.note.is_empty() {
        canvas.text(
            &NOTE.shortened(&data.note, width - 16.0),
            (frame.right, frame.bottom - 4.0),
            Anchor::Right,
            NOTE,
        );
        frame.bottom -= 16.0;
    }
    let horizontal = bars::are_horizontal(plot);
    let (x_label, y_label) =
        if horizontal { (&data.y_label, &data.x_label) } else { (&data.x_label, &data.y_label) };
    // The numbers on the horizontal axis always have their row.
    frame.bottom -= if x_label.is_empty() { 20.0 } else { 40.0 };
    frame.left += if y_label.is_empty() { 0.0 } else { 20.0 };

    let inner = if let Some(tasks) = &plot.gantt {
        gantt::paint(canvas, frame, tasks, data.x_scale)
    } else if let Some(picture) = &plot.image {
        image::paint(canvas, frame, picture, plot)
    } else if horizontal {
        bars::paint_horizontally(canvas, frame, plot, &data)
    } else {
        lines::paint(canvas, frame, plot, &data)
    };
    let middle = inner.middle();
    if !x_label.is_empty() {
        canvas.text(
            &LABEL.shortened(x_label, width - 16.0),
            (middle.0, inner.bottom + 31.0),
            Anchor::Centre,
            LABEL,
        );
    }
    if !y_label.is_empty() {
        canvas.text(
            &LABEL.shortened(y_label, height - 16.0),
            (16.0, middle.1),
            Anchor::Upwards,
            LABEL,
        );
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::plot::{bar, histogram, image, line, scatter};

    /// Parses the drawing and returns all texts.
    pub(in crate::plot) fn texts(plot: &Plot) -> Vec<String> {
        let svg = svg(plot);
        let document =
            roxmltree::Document::parse(&svg).unwrap_or_else(|error| panic!("{error}: {svg}"));
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
        let nothing = [
            Plot::new(),
            line([0.0; 0], [0.0; 0]),
            bar([""; 0], [0.0; 0]),
            line([1.0], [f64::NAN]),
            histogram([0.0; 0]),
            image(3, [0.0; 0]),
            image(1, [f64::NAN]),
            Plot::new().band("", [0; 0], [0; 0], [0; 0]),
        ];
        for chart in nothing {
            assert!(has(&chart, "no data"), "{chart:?}");
        }
    }

    #[test]
    fn labels_may_be_anything() {
        let odd = "<&\"'>\n\u{0}";
        let chart = Plot::new().line(odd, [1, 2], [3, 4]).title(odd).x_label(odd).y_label(odd);
        assert_eq!(texts(&chart).iter().filter(|text| text.starts_with("<&\"'>")).count(), 4);
        assert!(has(&bar(["<b>"], [1]), "<b>"));
    }

    #[test]
    fn a_curve_through_counts_has_whole_ticks_if_asked() {
        let curve = line([1.0, 1.5, 2.0], [10.0, 20.0, 30.0]);
        assert!(texts(&curve).iter().any(|text| text.contains('.')));
        assert!(!texts(&curve.whole_x()).iter().any(|text| text.contains('.')));
    }

    #[test]
    fn what_is_left_out_is_counted() {
        let chart = scatter([1.0, 2.0, f64::INFINITY], [f64::NAN, 1.0, 1.0]);
        assert!(has(&chart, "2 values left out: NaN or infinite"));
        let chart = line([1.0, 2.0, 3.0], [0.0, 1.0, -1.0]).log_y();
        assert!(has(&chart, "2 values left out: zero or less, on a logarithmic axis"));
        assert!(has(&histogram([1.0, f64::NAN, 3.0]), "1 value left out: NaN or infinite"));
        assert!(has(&image(2, [1.0, f64::NAN, 3.0, 4.0]), "1 value left out: NaN or infinite"));
        assert!(has(
            &Plot::new().error_bars("", [1, 2], [1.0, 2.0], [0.1, f64::NAN]),
            "1 value left out: NaN or infinite"
        ));
    }

    #[test]
    fn extreme_numbers_stay_within_the_drawing() {
        for ys in [
            [f64::MIN, f64::MAX],
            [0.0, 5e-324],
            [1e300, 1e-300],
            [7.0, 7.0],
            [-1.0, -1.0 - f64::EPSILON],
        ] {
            let charts = [
                line([0, 1], ys),
                scatter(ys, [0, 1]),
                bar(["a", "b"], ys),
                line([1, 2], ys).log_y(),
                scatter(ys, [1, 2]).log_x(),
                histogram(ys),
                image(1, ys),
                Plot::new().band("", [0, 1], ys, [0, 1]).error_bars("", [0, 1], ys, ys),
            ];
            for chart in charts {
                let text = svg(&chart);
                assert!(
                    !text.contains("\"NaN") && !text.contains("inf\"") && !text.contains("21474"),
                    "{ys:?}: {text}"
                );
                texts(&chart);
            }
        }
    }

    #[test]
    fn long_series_are_thinned() {
        let xs = || (0..1_000_000).map(f64::from);
        let lines = svg(&line(xs(), xs().map(f64::sin))).len();
        assert!(lines < 100_000, "{lines}");
        let points = scatter(xs().map(f64::sin), xs().map(|x| (x * 1.7).cos()));
        assert!(svg(&points).len() < 1_000_000);
        assert!(has(&points, "at most 5000 of 1000000 points drawn"), "{:?}", texts(&points));
    }

    #[test]
    fn small_drawings_are_drawings() {
        for (width, height) in [(160, 120), (200, 120), (4000, 120)] {
            texts(
                &line(0..9, 0..9)
                    .title("a title too long for a small chart")
                    .x_label("x")
                    .y_label("a long label")
                    .size(width, height),
            );
        }
    }

    #[test]
    fn durations_have_the_unit_that_fits() {
        let times = [3, 5].map(std::time::Duration::from_micros);
        assert!(has(&line([1, 2], times), "time (µs)"));
        assert!(has(&line([1, 2], times), "4"));
        assert!(has(&line([1, 2], times).y_label("seconds"), "seconds"));
        assert!(has(&bar(["a", "b"], times), "3.00 µs"));
    }

    #[test]
    fn ranges_cut_lines() {
        let chart = line([0.0, 10.0], [0.0, 10.0]).x_range(2.0, 8.0).y_range(0.0, 5.0);
        assert!(has(&chart, "8") && !has(&chart, "10"));
    }
}
