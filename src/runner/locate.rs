//! Finds the line of a cell that an error is about.

use regex::Regex;
use std::sync::LazyLock;

/// Returns the line of `source`, counted from 1, that `report` points to. `count` is the cell's
/// execution count, by which tracebacks name cells. `engine_source` is the program that the stock
/// engine generated from the cell, whose lines its panics name.
pub fn line(
    source: &str,
    report: &str,
    count: Option<i32>,
    engine_source: Option<&str>,
) -> Option<usize> {
    let traced = count.and_then(|count| traced(source, report, count));
    traced
        .or_else(|| quoted(source, report))
        .or_else(|| named(source, report))
        .or_else(|| generated(source, report, engine_source?))
}

/// The line of this cell in a traceback of our kernel, `cell [3], line 2`. The traceback may pass
/// through functions of other cells.
fn traced(source: &str, report: &str, count: i32) -> Option<usize> {
    static FRAME: LazyLock<Regex> =
        LazyLock::new(|| Regex::new(r"\bcell \[(\d+)\], line (\d+)").expect("a constant"));
    let frames = FRAME.captures_iter(report).filter_map(|captures| {
        Some((captures[1].parse::<i32>().ok()?, captures[2].parse::<usize>().ok()?))
    });
    let here = frames
        .into_iter()
        .find(|(cell, line)| *cell == count && (1..=source.lines().count()).contains(line));
    here.map(|(_, line)| line)
}

/// A line that the report quotes with its number, as compilers do: ` 2 │ let b = a / 0;`.
fn quoted(source: &str, report: &str) -> Option<usize> {
    static QUOTED: LazyLock<Regex> =
        LazyLock::new(|| Regex::new(r"(?m)^[ >→-]*(\d+) [│┆|] ?(.*)$").expect("a constant"));
    let lines: Vec<&str> = source.lines().collect();
    let quotes = QUOTED.captures_iter(report).filter_map(|captures| {
        Some((captures[1].parse::<usize>().ok()?, captures.get(2)?.as_str()))
    });
    // Arrows may precede the text of a quoted line.
    let is_that_line = |(number, text): &(usize, &str)| {
        let line = number.checked_sub(1).and_then(|index| lines.get(index));
        line.is_some_and(|line| {
            !line.trim().is_empty() && text.trim_end().ends_with(line.trim_end())
        })
    };
    quotes.into_iter().find(is_that_line).map(|(number, _)| number)
}

/// A line that the report names: `command_3:2:5` (stock), `cell 3, line 2`, `Cell In[3], line 2`,
/// `In [3]:2:5`, `cell_3:2:5`.
fn named(source: &str, report: &str) -> Option<usize> {
    static CELL: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(r"(?i)(?:\bcommand_\d+|\bcell(?:[ _-]?(?:in ?)?\[?\d+\]?)?|\bin ?\[\d+\])(?:\.rs)?(?::|,? line |, ?)(\d+)")
            .expect("a constant")
    });
    let numbers =
        CELL.captures_iter(report).filter_map(|captures| captures[1].parse::<usize>().ok());
    numbers.into_iter().find(|number| (1..=source.lines().count()).contains(number))
}

/// Looks up the line that a panic names in the generated program, then finds the same text in the
/// cell.
fn generated(source: &str, report: &str, engine_source: &str) -> Option<usize> {
    static PLACE: LazyLock<Regex> =
        LazyLock::new(|| Regex::new(r"\bsrc/lib\.rs:(\d+):\d+").expect("a constant"));
    let place = PLACE.captures(report)?[1].parse::<usize>().ok()?;
    let text = engine_source.lines().nth(place.checked_sub(1)?)?.trim();
    let mut same = source.lines().enumerate().filter(|(_, line)| line.trim() == text);
    let (number, _) = same.next()?;
    // If two lines are equal, no answer is better than a wrong one.
    (!text.is_empty() && same.next().is_none()).then_some(number + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SOURCE: &str = "let a = 1;\nlet b = a / 0;\nb";

    #[test]
    fn reads_the_ways_kernels_name_a_line() {
        for report in [
            "[command_12:2:9]",
            "error in cell 4, line 2",
            "Cell In[4], line 2",
            "  ╭─[ cell_4:2:9 ]",
            "--> In [4]:2:9",
            "at cell:2:9",
        ] {
            assert_eq!(line(SOURCE, report, None, None), Some(2), "{report}");
        }
        for report in ["command_12:9:9", "no place", "src/lib.rs:2:9"] {
            assert_eq!(line(SOURCE, report, None, None), None, "{report}");
        }
    }

    #[test]
    fn follows_a_traceback_to_this_cell() {
        let report = "cell [4], line 2\n    1 | let a = 1;\n--> 2 | let b = a / 0;\ncell [1], \
            line 3, in divide\n--> 3 | b\nPanic: no";
        assert_eq!(line(SOURCE, report, Some(4), None), Some(2));
        assert_eq!(line(SOURCE, report, Some(1), None), Some(3));
    }

    #[test]
    fn trusts_a_quoted_line_more_than_a_named_one() {
        // The stock kernel's headings are sometimes wrong.
        let report = "[E0277] Error: cannot divide\n   ╭─[ command_3:1:1 ]\n   │\n 2 │ let b = a \
            / 0;\n   │         ┬\n";
        assert_eq!(line(SOURCE, report, None, None), Some(2));
        assert_eq!(line(SOURCE, " 2 │ something else", None, None), None);
    }

    #[test]
    fn finds_the_line_through_the_generated_program() {
        let engine = "fn run() {\nlet a = 1;\n let b = a / 0;\nb\n}";
        assert_eq!(line(SOURCE, "panicked at src/lib.rs:3:9:", None, Some(engine)), Some(2));
        assert_eq!(
            line("x;\nx;", "panicked at src/lib.rs:1:9:", None, Some("x;")),
            None,
            "ambiguous"
        );
    }
}
