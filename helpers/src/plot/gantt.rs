//! Gantt charts: who did what, and when.

use super::canvas::{Anchor, Canvas, Colour, Font, INK};
use super::frame::{Frame, TICK};
use super::number::Number;
use super::{Plot, axis::Axis, palette};
use std::collections::{HashMap, HashSet};

/// One task in a [Gantt chart](fn@gantt): who did it, what it was, when it started and ended.
///
/// # Examples
///
/// ```
/// use parcourse::plot::Bar;
/// let task = Bar::new("Alice", "chop onions", 0.0, 2.5).group("chop");
/// assert_eq!((task.row.as_str(), task.label.as_str()), ("Alice", "chop onions"));
/// assert_eq!((task.start, task.end, task.group.as_str()), (0.0, 2.5, "chop"));
/// ```
#[derive(Clone, PartialEq, Default, Debug)]
pub struct Bar {
    /// The row it is drawn in: the worker. Rows are in order of first appearance.
    pub row: String,
    /// What is written inside the bar, if it fits.
    pub label: String,
    /// When it started, in seconds.
    pub start: f64,
    /// When it ended, in seconds.
    pub end: f64,
    /// The kind of task. Bars of one kind share a colour, and the legend names it. Bars without a
    /// kind are coloured by label if there are few labels.
    pub group: String,
}

impl Bar {
    /// A task without a kind. Times are durations, or numbers in seconds.
    pub fn new(
        row: impl Into<String>,
        label: impl Into<String>,
        start: impl Number,
        end: impl Number,
    ) -> Bar {
        Bar {
            row: row.into(),
            label: label.into(),
            start: start.to_f64(),
            end: end.to_f64(),
            group: String::new(),
        }
    }

    /// Sets the kind of task.
    pub fn group(mut self, group: impl Into<String>) -> Bar {
        self.group = group.into();
        self
    }
}

/// A Gantt chart: one row per worker, one bar per task, coloured by the kind of task; time runs to
/// the right, gaps are idle time.
///
/// The chart is as high as its rows need, unless [`size`](Plot::size) is set. The axis is in
/// seconds, or in the unit that fits; with an [`x_label`](Plot::x_label) the numbers stay as they
/// are.
///
/// # Examples
///
/// ```
/// use parcourse::prelude::*;
/// use parcourse::plot::Bar;
/// let tasks = [
///     Bar::new("Alice", "chop", 0.0, 2.0),
///     Bar::new("Bob", "boil water", 0.0, 1.5),
///     Bar::new("Bob", "cook", 2.0, 5.0),
/// ];
/// plot::gantt(&tasks).title("Pea soup").show();
/// ```
pub fn gantt<'tasks>(tasks: impl IntoIterator<Item = &'tasks Bar>) -> Plot {
    let mut plot = Plot::new();
    plot.x_label.seconds = true;
    plot.x_label.text = "time".into();
    plot.gantt = Some(tasks.into_iter().cloned().collect());
    plot
}

/// Above this number of bars, those that cannot be told apart from the one before are left out.
const MAX_BARS: usize = 5000;

/// Distinct values in order of first appearance.
fn distinct<'text>(texts: impl Iterator<Item = &'text str>) -> Vec<&'text str> {
    let mut seen = HashSet::new();
    texts.filter(|text| seen.insert(*text)).collect()
}

/// The kinds of tasks, for colours and legend.
fn kinds(tasks: &[Bar]) -> Vec<&str> {
    let kinds = distinct(tasks.iter().map(kind));
    // Repeated colours would mean nothing; then only explicit kinds count.
    if kinds.len() <= palette::SERIES.len() {
        kinds
    } else {
        distinct(tasks.iter().map(|task| task.group.as_str()))
    }
}

fn kind(task: &Bar) -> &str {
    if task.group.is_empty() { &task.label } else { &task.group }
}

pub(super) fn rows(tasks: &[Bar]) -> usize {
    distinct(tasks.iter().map(|task| task.row.as_str())).len()
}

/// Draws the tasks into the rest of the frame; times are multiplied by `scale`.
pub(super) fn paint(canvas: &mut Canvas<'_>, mut frame: Frame, tasks: &[Bar], scale: f64) -> Frame {
    let rows = distinct(tasks.iter().map(|task| task.row.as_str()));
    let kinds = kinds(tasks);
    let given = tasks.iter().any(|task| !task.group.is_empty());
    let numbers: HashMap<&str, usize> =
        kinds.iter().enumerate().map(|(number, kind)| (*kind, number)).collect();
    let colour = |task: &Bar| {
        palette::series(
            *numbers.get(kind(task)).or_else(|| numbers.get(task.group.as_str())).unwrap_or(&0),
        )
    };
    let widest =
        rows.iter().map(|row| TICK.width(row)).fold(0.0, f64::max).min(0.3 * frame.width());
    frame.left += widest + 10.0;
    if given && kinds.len() > 1 {
        let entries: Vec<(&str, Colour)> = kinds
            .iter()
            .enumerate()
            .filter(|(_, kind)| !kind.is_empty())
            .map(|(index, kind)| (*kind, palette::series(index)))
            .collect();
        frame.top += legend(canvas, frame, &entries);
    }
    let finite = || tasks.iter().filter(|task| task.start.is_finite() && task.end.is_finite());
    let end = finite().map(|task| task.start.max(task.end) * scale).fold(f64::MIN, f64::max);
    let start = finite().map(|task| task.start.min(task.end) * scale).fold(f64::MAX, f64::min);
    if start > end {
        frame.border(canvas);
        canvas.text("no data", frame.middle(), Anchor::Centre, TICK);
        return frame;
    }
    // Time starts at zero, unless the first task comes long after.
    let start = if (0.0..=0.3 * end).contains(&start) { 0.0 } else { start };
    let end = if end - start > 1e-300 { end } else { start + 1.0 };
    let axis = Axis::exactly(start, end + 0.01 * (end - start), false, frame.x_ticks());
    let x = |time: f64| frame.left + axis.position(time * scale) * frame.width();
    for tick in &axis.ticks {
        let at = frame.left + axis.position(tick.value) * frame.width();
        canvas.line([(at, frame.top), (at, frame.bottom)], INK, 1.0, 0.25);
        canvas.text(
            tick.label.as_deref().unwrap_or_default(),
            (at, frame.bottom + 11.0),
            Anchor::Centre,
            TICK,
        );
    }
    let height = frame.height() / rows.len() as f64;
    let gap = (0.12 * height).min(4.0);
    for (index, row) in rows.iter().enumerate() {
        let top = frame.top + height * index as f64;
        if height >= 9.0 || index % (10.0 / height).ceil() as usize == 0 {
            canvas.text(
                &TICK.shortened(row, widest),
                (frame.left - 8.0, top + height / 2.0),
                Anchor::Right,
                TICK,
            );
        }
        if index > 0 && height >= 4.0 {
            canvas.line([(frame.left, top), (frame.right, top)], INK, 1.0, 0.15);
        }
        let mut drawn_until = f64::MIN;
        for task in finite().filter(|task| task.row == *row) {
            let (from, to) = (x(task.start.min(task.end)), x(task.start.max(task.end)));
            if tasks.len() > MAX_BARS && to < drawn_until + 0.5 && from >= drawn_until - 0.5 {
                continue;
            }
            drawn_until = to;
            let colour = colour(task);
            // A hairline between neighbours; and every task is wide enough to be seen.
            let right = if to - from > 3.0 { to - 0.7 } else { to.max(from + 0.8) };
            canvas.rectangle((from, top + gap), (right, top + height - gap), colour, 1.0);
            let font = Font {
                size: 12.0_f64.min(height - 2.0 * gap - 2.0),
                bold: false,
                colour: colour.text_on(),
            };
            if font.size >= 7.0
                && !task.label.is_empty()
                && font.width(&task.label) + 4.0 <= right - from
            {
                canvas.text(
                    &task.label,
                    ((from + right) / 2.0, top + height / 2.0),
                    Anchor::Centre,
                    font,
                );
            }
        }
    }
    frame.border(canvas);
    frame
}

fn legend(canvas: &mut Canvas<'_>, frame: Frame, kinds: &[(&str, Colour)]) -> f64 {
    super::frame::legend(
        canvas,
        frame,
        kinds.iter().map(|(kind, _)| *kind),
        |canvas, index, (x, y)| {
            canvas.rectangle((x + 6.0, y - 5.0), (x + 22.0, y + 5.0), kinds[index].1, 1.0);
        },
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(plot: &Plot) -> Vec<String> {
        super::super::draw::tests::texts(plot)
    }

    #[test]
    fn workers_have_rows_and_tasks_have_labels() {
        let tasks = [
            Bar::new("Alice", "chop", 0.0, 2.0),
            Bar::new("Bob", "a very long name for a short task", 0.0, 0.5),
        ];
        let texts = texts(&gantt(&tasks));
        for text in ["Alice", "Bob", "chop", "time (s)"] {
            assert!(texts.iter().any(|found| found == text), "{text}: {texts:?}");
        }
        assert!(!texts.iter().any(|text| text.starts_with("a very")));
    }

    #[test]
    fn time_has_the_unit_that_fits() {
        let tasks =
            [Bar::new("0", "a", std::time::Duration::ZERO, std::time::Duration::from_millis(3))];
        assert!(texts(&gantt(&tasks)).contains(&"time (ms)".to_string()));
        assert!(texts(&gantt(&tasks).x_label("minutes")).contains(&"minutes".to_string()));
    }

    #[test]
    fn kinds_have_a_legend() {
        let tasks = [
            Bar::new("0", "1", 0, 1).group("read"),
            Bar::new("1", "2", 0, 1).group("sum"),
            Bar::new("0", "3", 1, 2).group("sum"),
        ];
        assert_eq!(kinds(&tasks), ["read", "sum"]);
        let texts = texts(&gantt(&tasks));
        assert_eq!(texts.iter().filter(|text| *text == "sum").count(), 1);
    }

    #[test]
    fn odd_tasks_do_no_harm() {
        assert!(texts(&gantt(&[])).contains(&"no data".to_string()));
        for (start, end) in
            [(0.0, 0.0), (f64::NAN, 1.0), (2.0, 1.0), (-1e300, 1e300), (5.0, f64::INFINITY)]
        {
            let chart = gantt(&[Bar::new("<", "&", start, end), Bar::new("", "", 0, 1)]);
            assert!(texts(&chart).contains(&"<".to_string()));
            assert!(!super::super::draw::svg(&chart).contains("\"NaN"));
        }
    }

    #[test]
    fn very_many_tasks_are_thinned() {
        let tasks: Vec<Bar> = (0..100_000)
            .map(|task| Bar::new((task % 4).to_string(), "t", task / 4, task / 4 + 1))
            .collect();
        let svg = super::super::draw::svg(&gantt(&tasks));
        assert!(svg.len() < 2_000_000, "{}", svg.len());
    }
}
