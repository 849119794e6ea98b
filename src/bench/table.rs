//! Aligned tables for the terminal: the first column is left-aligned, numbers are right-aligned.

/// Rows of text below a heading.
pub struct Table {
    rows: Vec<Vec<String>>,
}

impl Table {
    pub fn new(heading: &[&str]) -> Table {
        Table { rows: vec![heading.iter().map(ToString::to_string).collect()] }
    }

    pub fn row(&mut self, cells: Vec<String>) {
        self.rows.push(cells);
    }
}

impl std::fmt::Display for Table {
    fn fmt(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
        let columns = self.rows.iter().map(Vec::len).max().unwrap_or(0);
        let width = |column: usize| {
            // A row with a single cell is a remark and does not affect the widths.
            let rows = self.rows.iter().filter(|row| row.len() > 1);
            rows.filter_map(|row| row.get(column))
                .map(|cell| cell.chars().count())
                .max()
                .unwrap_or(0)
        };
        let widths: Vec<usize> = (0..columns).map(width).collect();
        for row in &self.rows {
            let mut line = String::new();
            for (column, (cell, width)) in row.iter().zip(&widths).enumerate() {
                match column {
                    0 => line += &format!("{cell:<width$}"),
                    _ => line += &format!("  {cell:>width$}"),
                }
            }
            writeln!(f, "{}", line.trim_end())?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_aligned_by_characters() {
        let mut table = Table::new(&["cell", "median"]);
        table.row(vec!["let".into(), "850 µs".into()]);
        table.row(vec!["expression".into(), "1.67 s".into()]);
        table.row(vec!["Vec<f64>".into(), "12 ms".into()]);
        table.row(vec!["a remark that is longer than its column".into()]);
        let expected = "cell        median\nlet         850 µs\nexpression  1.67 s\nVec<f64>     \
            12 ms\na remark that is longer than its column\n";
        assert_eq!(table.to_string(), expected);
    }
}
