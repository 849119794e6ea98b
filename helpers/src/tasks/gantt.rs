//! The Gantt chart of a task stream.

use super::TaskStream;
use super::stream::name_stem;
use crate::display::{Bundle, Rich};
use crate::plot::{self, Bar, Plot};
use std::collections::HashMap;
use std::time::Duration;

/// As many colours as people can distinguish; the kinds that took least share the last one.
const MAX_KINDS: usize = 7;
const OTHERS: &str = "others";

/// About half a pixel, as a share of the time axis.
const INVISIBLE: f64 = 1.0 / 1200.0;

impl TaskStream {
    /// The Gantt chart: a row for each worker, a bar for each task, white where a worker was idle.
    /// Each kind of task (a name without the numbers at its end) has its own colour.
    ///
    /// Neighbours of one kind that are too short to be seen merge into one bar, as do gaps:
    /// thousands of tasks make a small drawing.
    ///
    /// # Examples
    ///
    /// ```
    /// use parcourse::prelude::*;
    /// let (_, stream) =
    ///     tasks::record(|| tasks::task("think", || sleep(Duration::from_millis(2))));
    /// stream.gantt().title("What I did today").show();
    /// ```
    pub fn gantt(&self) -> Plot {
        let kinds = self.kinds();
        // Rows are in order of first appearance; a bar of length zero, hidden by the axis, adds the
        // row of an idle worker.
        let first_kind = self.entries().first().map_or("", |entry| name_stem(&entry.task));
        let first_kind = kinds.get(first_kind).copied().unwrap_or_default();
        let mut bars: Vec<Bar> = self
            .workers()
            .iter()
            .map(|worker| Bar::new(&worker.name, "", 0.0, 0.0).group(first_kind))
            .collect();
        let invisible = self.makespan().mul_f64(INVISIBLE);
        // The index of the last bar of each worker.
        let mut last: HashMap<&str, usize> = HashMap::new();
        for entry in self.entries() {
            let group = kinds[name_stem(&entry.task)];
            let number = last.get(entry.worker.as_str()).copied();
            let before = number.map(|number| &mut bars[number]).filter(|bar| bar.group == group);
            if let Some(bar) = before.filter(|bar| hides(bar, entry.start, entry.end, invisible)) {
                bar.end = bar.end.max(entry.end.as_secs_f64());
                bar.label = String::new();
                continue;
            }
            last.insert(&entry.worker, bars.len());
            bars.push(Bar::new(&entry.worker, &entry.task, entry.start, entry.end).group(group));
        }
        plot::gantt(&bars)
    }

    /// The kinds of tasks and the names of their colours: the kinds that took longest keep their
    /// own names.
    fn kinds(&self) -> HashMap<&str, &str> {
        let mut times: HashMap<&str, Duration> = HashMap::new();
        for entry in self.entries() {
            *times.entry(name_stem(&entry.task)).or_default() += entry.duration();
        }
        let mut kinds: Vec<(&str, Duration)> = times.into_iter().collect();
        kinds.sort_by_key(|(kind, time)| (std::cmp::Reverse(*time), *kind));
        let named = if kinds.len() <= MAX_KINDS { MAX_KINDS } else { MAX_KINDS - 1 };
        kinds
            .into_iter()
            .enumerate()
            .map(|(rank, (kind, _))| (kind, if rank < named { kind } else { OTHERS }))
            .collect()
    }

    /// Called by the kernel for the last expression of a cell.
    pub fn evcxr_display(&self) {
        self.bundle().evcxr_display();
    }

    /// Shows it now, like [`display`](crate::display::display).
    pub fn show(&self) {
        crate::display::display(self);
    }
}

/// Whether a task cannot be distinguished from the bar before it: both the task and the gap between
/// them are short.
fn hides(bar: &Bar, start: Duration, end: Duration, invisible: Duration) -> bool {
    let gap = start.as_secs_f64() - bar.end;
    end - start <= 2 * invisible && gap <= invisible.as_secs_f64()
}

impl Rich for TaskStream {
    fn bundle(&self) -> Bundle {
        self.gantt().title(self.summary()).bundle().with("text/plain", self.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::super::stream::tests::stream;
    use super::*;

    #[test]
    fn chart_has_a_row_for_everybody_and_the_figures() {
        let bundle =
            stream(&[("rayon 0", &[("row 1", 0, 8)]), ("rayon 1", &[("sum 1", 0, 4)])]).bundle();
        let svg = bundle.get("image/svg+xml").unwrap();
        for text in ["rayon 0", "rayon 1", "row 1", "sum", "time (ms)", "efficiency 0.75"] {
            assert!(svg.contains(text), "{text}: {svg}");
        }
        assert!(bundle.get("text/plain").unwrap().contains("load balance 0.75"));
    }

    #[test]
    fn more_kinds_than_colours_share_one() {
        let names: Vec<String> =
            (0..10_u8).map(|number| char::from(b'a' + number).to_string()).collect();
        let tasks: Vec<(&str, u32, u32)> = names
            .iter()
            .zip((0..).step_by(2))
            .map(|(name, at)| (name.as_str(), at, at + 1))
            .collect();
        let stream = stream(&[("main", &tasks)]);
        let mut shown: Vec<&str> = stream.kinds().into_values().collect();
        shown.sort();
        shown.dedup();
        assert_eq!(shown, ["a", "b", "c", "d", "e", "f", "others"]);
    }

    #[test]
    fn very_many_tasks_are_a_small_drawing() {
        let tasks: Vec<(&str, u32, u32)> = (0..100_000)
            .map(|at| (if at % 2 == 0 { "row 1" } else { "row 2" }, at, at + 1))
            .collect();
        let svg = stream(&[("main", &tasks)]).gantt().to_svg();
        let size = svg.bundle().get("image/svg+xml").unwrap().len();
        assert!(size < 100_000, "{size}");
    }

    #[test]
    fn nothing_is_a_chart_too() {
        assert!(stream(&[]).bundle().get("image/svg+xml").unwrap().contains("no data"));
    }
}
