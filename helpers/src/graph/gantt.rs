//! The Gantt chart of a schedule.

use super::Schedule;
use crate::display::{Bundle, Rich, Table};
use crate::plot::{self, Bar, Plot};

const CRITICAL: &str = "critical path";
const OTHER: &str = "other tasks";

impl Schedule {
    /// The Gantt chart: a row for each worker and, below, for each resource; a bar for each task,
    /// from start to end. A task that a worker does on a resource is in both rows.
    ///
    /// # Examples
    ///
    /// ```
    /// use parcourse::prelude::*;
    /// let soup = Graph::new().task("chop", 2).task("boil", 3);
    /// let soup = soup.task("cook", 4).after(["chop", "boil"]);
    /// let plan = soup.plan(["Alice", "Bob"]);
    /// plan.gantt().title("Pea soup").show();
    /// ```
    pub fn gantt(&self) -> Plot {
        // Rows are in order of first appearance; a bar of length zero, hidden by the axis, adds the
        // row of an idle worker.
        let mut bars: Vec<Bar> =
            self.rows.iter().map(|row| Bar::new(row, "", 0.0, 0.0).group(OTHER)).collect();
        for entry in &self.entries {
            let kind = if self.critical_path().contains(&entry.task) { CRITICAL } else { OTHER };
            let rows = std::iter::once(&entry.worker)
                .chain(entry.resources.iter().filter(|resource| **resource != entry.worker));
            bars.extend(
                rows.map(|row| Bar::new(row, &entry.task, entry.start, entry.end).group(kind)),
            );
        }
        plot::gantt(&bars).x_label(format!("time ({})", self.unit()))
    }

    /// The tasks as a table: task, worker, start, end; times in units, rounded to hundredths.
    pub fn to_table(&self) -> Table {
        let column = |of: fn(&super::Entry) -> &String| {
            self.entries.iter().map(of).cloned().collect::<Vec<_>>()
        };
        let hundredths = |time: f64| (100.0 * time).round() / 100.0;
        Table::new()
            .column("task", column(|entry| &entry.task))
            .column("worker", column(|entry| &entry.worker))
            .column("start", self.entries.iter().map(|entry| hundredths(entry.start)))
            .column("end", self.entries.iter().map(|entry| hundredths(entry.end)))
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

impl Rich for Schedule {
    fn bundle(&self) -> Bundle {
        self.gantt().bundle().with("text/plain", self.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::super::Graph;
    use super::*;

    #[test]
    fn chart_has_a_row_for_everybody_and_the_text_has_the_numbers() {
        let graph = Graph::new()
            .resource("stove", 1)
            .task("fry", 3)
            .uses("stove")
            .task("eat", 1)
            .after(["fry"]);
        let bundle = graph.plan(["Alice", "Bob"]).bundle();
        let svg = bundle.get("image/svg+xml").unwrap();
        for text in ["Alice", "Bob", "stove", "fry", "eat", "time (s)"] {
            assert!(svg.contains(text), "{text}");
        }
        assert!(bundle.get("text/plain").unwrap().contains("makespan 4.0 s"));
    }
}
