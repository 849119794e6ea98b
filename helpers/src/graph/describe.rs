//! Graphs and schedules as text.

use super::{Graph, Schedule, Work};
use crate::display::{Bundle, Rich};
use crate::format::{counted, without_zeros};
use std::fmt;

/// A number of units with at most one decimal: `60`, `0.5`, `12.3`.
pub(super) fn short(units: f64) -> String {
    let text = if units != 0.0 && units.abs() < 0.95 {
        format!("{units:.2}")
    } else {
        format!("{units:.1}")
    };
    without_zeros(&text).to_string()
}

impl Graph {
    /// What is known about how long a task takes.
    pub(super) fn length(&self, task: usize) -> Option<String> {
        let work = &self.tasks[task].work;
        (!matches!(work, Work::Call(_)))
            .then(|| format!("{} {}", short(work.units(&self.clock)), self.unit()))
    }

    /// Whether the times of all tasks are known.
    pub(super) fn is_timed(&self) -> bool {
        self.tasks.iter().all(|task| !matches!(task.work, Work::Call(_)))
    }
}

/// Columns padded to the width of their longest cell, two spaces apart; marked columns are
/// right-aligned.
fn aligned(
    formatter: &mut fmt::Formatter<'_>,
    rows: &[Vec<String>],
    right: &[bool],
) -> fmt::Result {
    let width =
        |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..right.len()).map(width).collect();
    for row in rows {
        let mut line = String::new();
        for ((cell, &width), &right) in row.iter().zip(&widths).zip(right) {
            line += &if right { format!("{cell:>width$}  ") } else { format!("{cell:<width$}  ") };
        }
        writeln!(formatter, "{}", line.trim_end())?;
    }
    Ok(())
}

/// One line per task: name, time, what it waits for, what it uses.
impl fmt::Display for Graph {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let row = |(index, task): (usize, &super::Task)| {
            let mut notes = Vec::new();
            if !task.after.is_empty() {
                notes.push(format!("after {}", task.after.join(", ")));
            }
            if !task.uses.is_empty() {
                notes.push(format!("uses {}", task.uses.join(", ")));
            }
            if task.unattended {
                notes.push("unattended".to_string());
            }
            vec![task.name.clone(), self.length(index).unwrap_or_default(), notes.join("; ")]
        };
        let rows: Vec<Vec<String>> = self.tasks.iter().enumerate().map(row).collect();
        aligned(formatter, &rows, &[false, true, false])?;
        formatter.write_str(&counted(self.len(), "task"))
    }
}

impl fmt::Debug for Graph {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, formatter)
    }
}

/// One line per task, then the totals.
impl fmt::Display for Schedule {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let unit = self.unit();
        let heading = ["task", "worker", "start", "end"].map(str::to_string).to_vec();
        let row = |entry: &super::Entry| {
            vec![
                entry.task.clone(),
                entry.worker.clone(),
                format!("{:.1}", entry.start),
                format!("{:.1} {unit}", entry.end),
            ]
        };
        // The unit after the last column must not shift its heading.
        let mut rows = vec![heading];
        rows[0][3] += &" ".repeat(unit.chars().count() + 1);
        rows.extend(self.entries.iter().map(row));
        aligned(formatter, &rows, &[false, false, true, true])?;
        writeln!(
            formatter,
            "makespan {:.1} {unit}, work {:.1} {unit}, speed-up {:.2} of at most {:.2}",
            self.makespan(),
            self.work(),
            self.speed_up(),
            self.parallelism()
        )?;
        write!(
            formatter,
            "critical path {:.1} {unit}: {}",
            self.span(),
            self.critical_path().join(" → ")
        )
    }
}

impl fmt::Debug for Schedule {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, formatter)
    }
}

impl Rich for Graph {
    fn bundle(&self) -> Bundle {
        let bundle = Bundle::plain(self.to_string());
        // An invalid graph cannot be laid out, but should still be shown.
        if self.check().is_err() { bundle } else { bundle.with("image/svg+xml", self.drawing()) }
    }
}

impl Graph {
    /// Called by the kernel for the last expression of a cell.
    pub fn evcxr_display(&self) {
        self.bundle().evcxr_display();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_short() {
        let numbers = [
            (0.0, "0"),
            (60.0, "60"),
            (0.5, "0.5"),
            (0.25, "0.25"),
            (0.999, "1"),
            (12.34, "12.3"),
            (1440.0, "1440"),
        ];
        for (number, text) in numbers {
            assert_eq!(short(number), text);
        }
    }

    #[test]
    fn graph_and_plan_as_text() {
        let graph = Graph::new()
            .clock("min", std::time::Duration::from_millis(1))
            .resource("stove", 1)
            .task("chop", 15);
        let graph = graph
            .task("cook", 20)
            .after(["chop"])
            .uses("stove")
            .unattended()
            .task("eat", || ())
            .after(["cook"]);
        let expected = "chop  15 min\ncook  20 min  after chop; uses stove; unattended\n\
                        eat           after cook\n3 tasks";
        assert_eq!(graph.to_string(), expected);
        let expected = "\
task  worker  start   end
chop  Alice     0.0  15.0 min
cook  stove    15.0  35.0 min
eat   Alice    35.0  36.0 min
makespan 36.0 min, work 36.0 min, speed-up 1.00 of at most 1.00
critical path 36.0 min: chop → cook → eat";
        assert_eq!(graph.plan(["Alice"]).to_string(), expected);
    }
}
