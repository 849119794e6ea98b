//! A table of named columns.

use super::cell::{Cell, Content, Row};
use crate::format::{common_decimals, escape_html};
use crate::output::{Bundle, Rich, protocol};
use std::cmp::Ordering;
use std::fmt;

/// Named columns of equal length, shown as a table: a small data frame.
///
/// Numbers are right-aligned with four significant figures; durations have three and a unit; text
/// is left-aligned. As text, the columns are aligned with spaces. If there are more than 60 rows,
/// only the first and last ones are shown.
///
/// # Examples
///
/// ```
/// use parcourse::prelude::*;
/// let table = Table::new()
///     .column("threads", [1, 2, 4])
///     .column("time", [810, 420, 230].map(Duration::from_millis))
///     .column("speed-up", [1.0, 1.9286, 3.52]);
/// assert_eq!(table.to_string(), "\
/// threads    time  speed-up
///       1  810 ms     1.000
///       2  420 ms     1.929
///       4  230 ms     3.520");
/// assert_eq!(table.values("time"), [0.81, 0.42, 0.23]);
/// table.plot("threads", "speed-up").show();
/// ```
#[derive(Clone, PartialEq, Default)]
pub struct Table {
    columns: Vec<Column>,
}

/// Longer tables are abbreviated.
const MAX_ROWS: usize = 60;

#[derive(Clone, PartialEq)]
pub(crate) struct Column {
    pub(crate) name: String,
    cells: Vec<Content>,
}

impl Column {
    /// Whether the column holds only numbers and gaps.
    pub(crate) fn is_numeric(&self) -> bool {
        self.cells.iter().all(|cell| !matches!(cell, Content::Text(_)))
    }

    pub(crate) fn is_durations(&self) -> bool {
        self.cells.iter().any(|cell| matches!(cell, Content::Duration(_)))
    }

    pub(crate) fn numbers(&self) -> impl Iterator<Item = f64> {
        self.cells.iter().map(|cell| cell.number().unwrap_or(f64::NAN))
    }

    pub(crate) fn texts(&self) -> Vec<String> {
        let decimals = common_decimals(self.cells.iter().filter_map(|cell| match cell {
            Content::Number(number) => Some(*number),
            _ => None,
        }));
        self.cells.iter().map(|cell| cell.text(decimals)).collect()
    }
}

impl Table {
    /// A table without columns.
    pub fn new() -> Table {
        Table::default()
    }

    /// Adds a column on the right, or replaces the column of this name.
    ///
    /// # Panics
    ///
    /// Panics if the column is not as long as the others.
    #[track_caller]
    pub fn column(self, name: impl Into<String>, values: impl IntoIterator<Item: Cell>) -> Table {
        self.with_column(name.into(), values.into_iter().map(Cell::into_content).collect())
    }

    /// A table with column names and no rows yet; fill it with [`row`](Table::row).
    ///
    /// # Examples
    ///
    /// ```
    /// use parcourse::prelude::*;
    /// let mut table = Table::with_names(["function", "time", "calls"]);
    /// for calls in [10, 1000] {
    ///     table = table.row(("sin", Duration::from_nanos(12 * calls), calls));
    /// }
    /// assert_eq!(table.to_string(), "\
    /// function     time  calls
    /// sin        120 ns     10
    /// sin       12.0 µs   1000");
    /// ```
    ///
    /// # Panics
    ///
    /// Panics if two names are equal.
    #[track_caller]
    pub fn with_names<N: Into<String>>(names: impl IntoIterator<Item = N>) -> Table {
        let mut table = Table::new();
        for name in names {
            let name = name.into();
            assert!(!table.names().any(|known| known == name), "two columns are named `{name}`");
            table.columns.push(Column { name, cells: Vec::new() });
        }
        table
    }

    /// Adds a row at the bottom: a tuple with one value per column, or an array.
    ///
    /// # Panics
    ///
    /// Panics if the number of values differs from the number of columns.
    #[track_caller]
    pub fn row(self, values: impl Row) -> Table {
        self.with_row(values.into_contents())
    }

    /// Sorts the rows by a column, ascending: numbers by value, then text alphabetically, then
    /// empty cells. The sort is stable.
    ///
    /// # Panics
    ///
    /// Panics if there is no such column.
    #[track_caller]
    pub fn sort_by(self, name: &str) -> Table {
        self.sorted(name, false)
    }

    /// Like [`sort_by`](Table::sort_by), but largest first. Empty cells come last here, too.
    ///
    /// # Panics
    ///
    /// Panics if there is no such column.
    #[track_caller]
    pub fn sort_by_descending(self, name: &str) -> Table {
        self.sorted(name, true)
    }

    /// The numbers of a column: durations in seconds, NaN for anything that is not a number.
    ///
    /// # Panics
    ///
    /// Panics if there is no such column.
    #[track_caller]
    pub fn values(&self, name: &str) -> Vec<f64> {
        self.find(name).numbers().collect()
    }

    /// The column names, from left to right.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.columns.iter().map(|column| column.name.as_str())
    }

    /// The number of rows.
    pub fn len(&self) -> usize {
        self.columns.first().map_or(0, |column| column.cells.len())
    }

    /// Whether there are no rows.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Called by the kernel for the last expression of a cell.
    pub fn evcxr_display(&self) {
        protocol::send_result(&self.bundle());
    }

    /// Shows it now, like [`display`](super::display).
    pub fn show(&self) {
        super::display(self);
    }

    #[track_caller]
    fn with_column(mut self, name: String, cells: Vec<Content>) -> Table {
        let others = self
            .columns
            .iter()
            .filter(|column| column.name != name)
            .map(|column| column.cells.len())
            .next();
        if let Some(rows) = others {
            assert!(
                cells.len() == rows,
                "column `{name}` has {} values, the table has {rows} rows",
                cells.len()
            );
        }
        match self.columns.iter_mut().find(|column| column.name == name) {
            Some(column) => column.cells = cells,
            None => self.columns.push(Column { name, cells }),
        }
        self
    }

    #[track_caller]
    fn with_row(mut self, cells: Vec<Content>) -> Table {
        let columns = self.columns.len();
        assert!(
            cells.len() == columns,
            "the row has {} values, the table has {columns} columns",
            cells.len()
        );
        for (column, cell) in self.columns.iter_mut().zip(cells) {
            column.cells.push(cell);
        }
        self
    }

    /// The rows shown, in two ranges; rows between them are left out.
    fn shown(&self) -> [std::ops::Range<usize>; 2] {
        let rows = self.len();
        if rows <= MAX_ROWS {
            [0..rows, rows..rows]
        } else {
            [0..MAX_ROWS / 2, rows - MAX_ROWS / 2..rows]
        }
    }

    #[track_caller]
    pub(crate) fn find(&self, name: &str) -> &Column {
        match self.columns.iter().find(|column| column.name == name) {
            Some(column) => column,
            None => {
                let names: Vec<String> = self.names().map(|name| format!("`{name}`")).collect();
                panic!(
                    "there is no column `{name}`; the table has {}",
                    if names.is_empty() { "none".into() } else { names.join(", ") }
                );
            }
        }
    }

    #[track_caller]
    fn sorted(mut self, name: &str, descending: bool) -> Table {
        let keys = &self.find(name).cells;
        let mut order: Vec<usize> = (0..keys.len()).collect();
        order.sort_by(|&a, &b| compare(&keys[a], &keys[b], descending));
        for column in &mut self.columns {
            column.cells = order.iter().map(|&row| column.cells[row].clone()).collect();
        }
        self
    }

    fn html(&self) -> String {
        // No styles except alignment: JupyterLab's style sheet does the rest, light and dark.
        let mut html = String::from("<table>\n<thead><tr>");
        for column in &self.columns {
            html += &format!(
                "<th style=\"text-align:{}\">{}</th>",
                align(column),
                escape_html(&column.name)
            );
        }
        html += "</tr></thead>\n<tbody>\n";
        let texts: Vec<Vec<String>> = self.columns.iter().map(Column::texts).collect();
        let [first, last] = self.shown();
        for row in first.clone().chain(last.clone()) {
            if row == last.start && !last.is_empty() {
                html += &format!(
                    "<tr><td colspan=\"{}\" style=\"text-align:center\">{}</td></tr>\n",
                    self.columns.len(),
                    left_out(&first, &last)
                );
            }
            html += "<tr>";
            for (column, texts) in self.columns.iter().zip(&texts) {
                html += &format!(
                    "<td style=\"text-align:{}\">{}</td>",
                    align(column),
                    escape_html(&texts[row])
                );
            }
            html += "</tr>\n";
        }
        html + "</tbody>\n</table>"
    }
}

fn left_out(first: &std::ops::Range<usize>, last: &std::ops::Range<usize>) -> String {
    format!("… {} rows more …", last.start - first.end)
}

fn align(column: &Column) -> &'static str {
    if column.is_numeric() { "right" } else { "left" }
}

fn compare(a: &Content, b: &Content, descending: bool) -> Ordering {
    let turned = |order: Ordering| if descending { order.reverse() } else { order };
    match (a, b) {
        (Content::Missing, Content::Missing) => Ordering::Equal,
        (Content::Missing, _) => Ordering::Greater,
        (_, Content::Missing) => Ordering::Less,
        (Content::Text(a), Content::Text(b)) => turned(a.cmp(b)),
        (Content::Whole(a), Content::Whole(b)) => turned(a.cmp(b)),
        _ => match (a.number(), b.number()) {
            (Some(a), Some(b)) => turned(a.total_cmp(&b)),
            (a, b) => turned(b.is_some().cmp(&a.is_some())),
        },
    }
}

/// Columns aligned with spaces, names on top; no line break after the last row.
impl fmt::Display for Table {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [first, last] = self.shown();
        let mut lines = vec![String::new(); first.len() + last.len() + 1];
        for (index, column) in self.columns.iter().enumerate() {
            let texts = column.texts();
            let shown = first.clone().chain(last.clone()).map(|row| &texts[row]);
            // A text with several lines would break the table.
            let texts: Vec<String> = [&column.name]
                .into_iter()
                .chain(shown)
                .map(|text| text.replace(char::is_control, " "))
                .collect();
            let width = texts.iter().map(|text| text.chars().count()).max().unwrap_or(0);
            let gap = if index == 0 { "" } else { "  " };
            for (line, text) in lines.iter_mut().zip(&texts) {
                *line += &if column.is_numeric() {
                    format!("{gap}{text:>width$}")
                } else {
                    format!("{gap}{text:<width$}")
                };
            }
        }
        if !last.is_empty() {
            lines.insert(first.len() + 1, left_out(&first, &last));
        }
        let lines: Vec<&str> = lines.iter().map(|line| line.trim_end()).collect();
        formatter.write_str(&lines.join("\n"))
    }
}

impl fmt::Debug for Table {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, formatter)
    }
}

impl Rich for Table {
    fn bundle(&self) -> Bundle {
        Bundle::plain(self.to_string()).with("text/html", self.html())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table() -> Table {
        Table::new()
            .column("host", ["b", "a", "c"])
            .column("n", [Some(3), None, Some(10)])
            .column("x", [0.5, 1.25, 10.0])
    }

    #[test]
    fn text_is_aligned() {
        assert_eq!(
            table().to_string(),
            "host   n      x\nb      3   0.50\na          1.25\nc     10  10.00"
        );
        assert_eq!(Table::new().to_string(), "");
        assert_eq!(Table::new().column("n", [0; 0]).to_string(), "n");
    }

    #[test]
    fn rows_are_sorted() {
        assert_eq!(table().sort_by("host").values("x"), [1.25, 0.5, 10.0]);
        assert_eq!(table().sort_by("n").values("x"), [0.5, 10.0, 1.25]);
        assert_eq!(table().sort_by_descending("n").values("x"), [10.0, 0.5, 1.25]);
    }

    #[test]
    fn long_tables_are_shown_in_part() {
        let table = |rows: i32| Table::new().column("n", 1..=rows);
        assert_eq!(table(60).to_string().lines().count(), 61);
        let long = table(1000);
        let text = long.to_string();
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(
            (lines.len(), lines[30], lines[31], lines[32]),
            (62, "  30", "… 940 rows more …", " 971")
        );
        let html = long.html();
        assert_eq!(html.matches("<tr>").count(), 62);
        assert!(html.contains("… 940 rows more …"));
        assert_eq!(long.values("n").len(), 1000);
    }

    #[test]
    fn rows_are_added() {
        let table = Table::with_names(["a", "b"]).row(("x", 1)).row(("y", 2.5));
        assert_eq!(table.to_string(), "a    b\nx    1\ny  2.5");
        assert_eq!(Table::with_names(["a", "b"]).row([1, 2]).values("b"), [2.0]);
    }

    #[test]
    #[should_panic(expected = "the row has 1 values, the table has 2 columns")]
    fn rows_have_a_value_per_column() {
        let _ = Table::with_names(["a", "b"]).row((1,));
    }

    #[test]
    fn html_is_escaped() {
        let html = Table::new().column("<b>", ["a & \"b\""]).html();
        assert!(html.contains("&lt;b&gt;") && html.contains("a &amp; &quot;b&quot;"), "{html}");
        roxmltree::Document::parse(&html).unwrap();
    }

    #[test]
    fn columns_of_a_known_name_are_replaced() {
        let table = table().column("n", [1, 2, 3]);
        assert_eq!(table.names().collect::<Vec<_>>(), ["host", "n", "x"]);
        assert_eq!(table.values("n"), [1.0, 2.0, 3.0]);
    }

    #[test]
    #[should_panic(expected = "there is no column `time`; the table has `host`, `n`, `x`")]
    fn unknown_columns_are_named() {
        table().values("time");
    }

    #[test]
    #[should_panic(expected = "column `y` has 2 values, the table has 3 rows")]
    fn lengths_are_compared() {
        table().column("y", [1, 2]);
    }
}
