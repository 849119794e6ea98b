//! The result of `profile::report()`: numbers, text, a table.

use super::registry::with_entries;
use super::{clock, counters};
use crate::display::{Bundle, Rich};
use crate::format::{FineDuration, counted, escape_html};
use crate::profile::{TABLE, remark};
use std::fmt::{self, Write};
use std::time::Duration;

/// What the functions with `#[line_profile]` have done since the start or the last
/// [`reset`](crate::profile::reset).
///
/// A notebook shows it as a table with the source; elsewhere it is text. Use the fields to compute.
#[derive(Clone, PartialEq, Debug)]
pub struct Report {
    /// The functions that were called, sorted by time, longest first.
    pub functions: Vec<FunctionReport>,
    /// The cost of one line event on this machine, measured for this report.
    pub overhead_per_event: Duration,
}

/// One function of a [`Report`].
#[derive(Clone, PartialEq, Debug)]
pub struct FunctionReport {
    /// Its path without the crate: `step`, `Grid::step`.
    pub name: String,
    /// How often it was called, including recursive calls.
    pub calls: u64,
    /// Time spent in it, including the functions it called: the sum over its lines, and over
    /// threads.
    pub total: Duration,
    /// Number of clock readings; each costs [`Report::overhead_per_event`].
    pub events: u64,
    /// All its lines, including comments and empty lines. The first is that of its `fn`, number 1.
    pub lines: Vec<Line>,
}

/// One line of a [`FunctionReport`].
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Line {
    /// Counted from the function's first line, which is 1.
    pub number: u32,
    /// As written, without the common indentation.
    pub text: String,
    /// How often it ran; `None` if no statement starts on it.
    pub hits: Option<u64>,
    /// Time spent on it, including the functions it called, summed over threads.
    pub time: Duration,
}

/// The lines of all functions with `#[line_profile]` that were called: hits and times.
///
/// A notebook shows it as a table if it is the last expression of a cell. Takes some milliseconds
/// because it measures the profiler's own cost. Running calls count up to their current line,
/// without the time spent on it.
///
/// # Examples
///
/// ```
/// use parcourse::prelude::*;
/// #[line_profile]
/// fn square(x: f64) -> f64 {
///     x * x
/// }
/// (0..100).for_each(|i| assert!(square(i as f64) >= 0.0));
/// let report = profile::report();
/// let line = report.function("square").unwrap().line(2).unwrap();
/// assert_eq!(line.hits, Some(100));
/// println!("{} at {:?} each", line.text, line.per_hit());
/// ```
pub fn report() -> Report {
    let tick = {
        clock::start();
        clock::tick()
    };
    let duration = |ticks: u64| Duration::from_nanos((ticks as f64 * tick).round() as u64);
    let mut functions = with_entries(|entry| {
        let totals = entry.totals();
        let lines: Vec<Line> = (1u32..)
            .zip(entry.text.lines().zip(&totals.lines))
            .map(|(number, (text, &(hits, ticks)))| {
                let hits = entry.lines.contains(&number).then_some(hits);
                Line { number, text: text.to_owned(), hits, time: duration(ticks) }
            })
            .collect();
        let total = lines.iter().map(|line| line.time).sum();
        FunctionReport {
            name: entry.path.clone(),
            calls: totals.calls,
            total,
            events: totals.events(),
            lines,
        }
    });
    functions.retain(|function| function.calls > 0 || function.events > 0);
    functions.sort_by_key(|function| std::cmp::Reverse(function.total));
    let overhead_per_event =
        Duration::from_nanos((counters::ticks_per_event() * tick).round() as u64);
    Report { functions, overhead_per_event }
}

impl Report {
    /// The function of that name: its path, or the last part of it if no other function has the
    /// same.
    pub fn function(&self, name: &str) -> Option<&FunctionReport> {
        let ends = |function: &&FunctionReport| {
            function.name.strip_suffix(name).is_some_and(|rest| rest.ends_with("::"))
        };
        self.functions.iter().find(|function| function.name == name).or_else(|| {
            let mut candidates = self.functions.iter().filter(ends);
            candidates.next().filter(|_| candidates.next().is_none())
        })
    }

    /// Called by the kernel for the last expression of a cell.
    pub fn evcxr_display(&self) {
        self.bundle().evcxr_display()
    }

    /// Shows it now, like [`display`](crate::display::display).
    pub fn show(&self) {
        crate::display::display(self);
    }

    /// The sentence about the profiler's own cost.
    pub(super) fn overhead(&self) -> String {
        let events: u64 = self.functions.iter().map(|function| function.events).sum();
        let all = Duration::from_nanos(
            (self.overhead_per_event.as_nanos() as u64).saturating_mul(events),
        );
        format!(
            "Profiler overhead: about {} per line event, {}: about {} of the times above. \
             A line with {} per hit may take far less.",
            FineDuration(self.overhead_per_event),
            counted(events as usize, "event"),
            FineDuration(all),
            FineDuration(self.overhead_per_event),
        )
    }
}

impl FunctionReport {
    /// The line of that number, 1 being the function's first; `None` beyond the last.
    pub fn line(&self, number: u32) -> Option<&Line> {
        self.lines.get((number as usize).checked_sub(1)?)
    }

    /// The percentage of the function's time that was spent on this line.
    pub fn percent(&self, line: &Line) -> f64 {
        if self.total.is_zero() {
            0.0
        } else {
            100.0 * line.time.as_secs_f64() / self.total.as_secs_f64()
        }
    }

    /// Name, calls and total.
    pub(super) fn heading(&self) -> (&str, String) {
        (
            &self.name,
            format!("{}, total {}", counted(self.calls as usize, "call"), FineDuration(self.total)),
        )
    }
}

impl Line {
    /// The average time of one hit; `None` without hits.
    pub fn per_hit(&self) -> Option<Duration> {
        let hits = self.hits.filter(|hits| *hits > 0)?;
        Some(Duration::from_nanos((self.time.as_nanos() as f64 / hits as f64).round() as u64))
    }

    /// Hits, time, time per hit and percentage as text; empty if there is nothing to show.
    pub(super) fn cells(&self, function: &FunctionReport) -> [String; 4] {
        let Some(hits) = self.hits else { return Default::default() };
        let per_hit = self.per_hit();
        let time = |duration: Option<Duration>| {
            duration.map(|duration| FineDuration(duration).to_string()).unwrap_or_default()
        };
        let percent = per_hit.map(|_| format!("{:.1}", function.percent(self))).unwrap_or_default();
        [hits.to_string(), time(per_hit.map(|_| self.time)), time(per_hit), percent]
    }
}

/// The text of an empty report.
pub(super) const NOTHING: &str = "No function with #[line_profile] was called.";

pub(super) const HEADER: [&str; 6] = ["Line", "Hits", "Time", "Per hit", "% time", "Source"];

impl fmt::Display for Report {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.functions.is_empty() {
            return formatter.write_str(NOTHING);
        }
        for function in &self.functions {
            writeln!(formatter, "{function}")?;
        }
        formatter.write_str(&self.overhead())
    }
}

impl fmt::Display for FunctionReport {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (name, rest) = self.heading();
        write!(formatter, "{name}: {rest}")?;
        let header = HEADER.map(String::from);
        let rows: Vec<[String; 6]> = std::iter::once(header)
            .chain(self.lines.iter().map(|line| {
                let [hits, time, per_hit, percent] = line.cells(self);
                [line.number.to_string(), hits, time, per_hit, percent, line.text.clone()]
            }))
            .collect();
        let width =
            |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
        let widths: Vec<usize> = (0..5).map(width).collect();
        for row in &rows {
            let cells = row.iter().zip(&widths).map(|(cell, &width)| format!("{cell:>width$}"));
            let line = format!("{}  {}", cells.collect::<Vec<_>>().join("  "), row[5]);
            write!(formatter, "\n{}", line.trim_end())?;
        }
        Ok(())
    }
}

impl Rich for Report {
    fn bundle(&self) -> Bundle {
        Bundle::plain(self.to_string()).with("text/html", page(self))
    }
}

/// The whole report.
pub fn page(report: &Report) -> String {
    if report.functions.is_empty() {
        return format!("<p>{}</p>", escape_html(NOTHING));
    }
    let mut page = String::new();
    for function in &report.functions {
        table(&mut page, function);
    }
    page += &remark(&report.overhead());
    page
}

fn table(page: &mut String, function: &FunctionReport) {
    const CELL: &str = "text-align:right;padding:0 .8em;white-space:pre;border:none";
    const SOURCE: &str = "text-align:left;padding:0 .8em;white-space:pre;border:none";
    let (name, rest) = function.heading();
    let _ = write!(
        page,
        "<p style=\"margin:.6em 0 .3em\"><code><b>{}</b></code>: {}</p>",
        escape_html(name),
        escape_html(&rest)
    );
    let _ = write!(page, "{TABLE}<thead><tr>");
    for (column, title) in HEADER.iter().enumerate() {
        let _ =
            write!(page, "<th style=\"{}\">{title}</th>", if column == 5 { SOURCE } else { CELL });
    }
    page.push_str("</tr></thead><tbody>");
    for line in &function.lines {
        // Transparent, so that the page's own background and text colour stay readable: 0 % shows
        // nothing, 100 % a clear orange.
        let heat = function.percent(line) / 100.0;
        let colour = if heat >= 0.005 {
            format!("rgba(240,120,20,{:.2})", 0.08 + 0.52 * heat)
        } else {
            "transparent".to_owned()
        };
        // A line that could have run, but did not, is pale.
        let pale = if line.hits == Some(0) { ";opacity:.55" } else { "" };
        let _ = write!(
            page,
            "<tr style=\"background:{colour}{pale}\"><td style=\"{CELL};opacity:.6\">{}</td>",
            line.number
        );
        for cell in line.cells(function) {
            let _ = write!(page, "<td style=\"{CELL}\">{cell}</td>");
        }
        let _ = write!(page, "<td style=\"{SOURCE}\">{}</td></tr>", escape_html(&line.text));
    }
    page.push_str("</tbody></table>");
}
