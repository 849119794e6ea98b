//! Charts of a [`Table`]'s columns.

use super::Plot;
use crate::display::Table;

impl Table {
    /// A chart of one column over another: a line over numbers, bars over text. The column names
    /// label the axes.
    ///
    /// # Panics
    ///
    /// Panics if there is no such column.
    #[track_caller]
    pub fn plot(&self, x: &str, y: &str) -> Plot {
        let (xs, ys) = (self.find(x), self.find(y));
        let plot = Plot::new()
            .x_label(&xs.name)
            .y_label(&ys.name)
            .in_seconds(xs.is_durations(), ys.is_durations());
        if xs.is_numeric() {
            plot.line("", xs.numbers(), ys.numbers())
        } else {
            plot.bars(xs.texts(), ys.numbers())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn charts_take_names_and_values() {
        let table = Table::new()
            .column("host", ["b", "a", "c"])
            .column("x", [0.5, 1.25, 10.0])
            .column("time", [1, 2, 3].map(std::time::Duration::from_secs));
        assert_eq!(
            table.plot("x", "time"),
            Plot::new()
                .line("", [0.5, 1.25, 10.0], [1, 2, 3])
                .x_label("x")
                .y_label("time")
                .in_seconds(false, true)
        );
        assert_eq!(
            table.plot("host", "x"),
            Plot::new().bars(["b", "a", "c"], [0.5, 1.25, 10.0]).x_label("host").y_label("x")
        );
    }
}
