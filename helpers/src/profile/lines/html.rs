//! The report as a table in HTML: colours that work on light and dark pages, no scripts.

use super::report::{FunctionReport, HEADER, NOTHING, Report};
use crate::format::escape_html;
use crate::profile::page::{TABLE, remark};
use std::fmt::Write;

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
