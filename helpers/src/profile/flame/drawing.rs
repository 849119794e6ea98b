//! The flame graph as a drawing without scripts: a box per call on top of its caller, with names
//! also as tooltips.

use super::tree::{FlameGraph, Node};
use crate::display::{Bundle, Rich};
use crate::format::escape_html;
use crate::profile::{TABLE, remark};
use std::fmt::{self, Write};

/// Rows of the table.
const ROWS: usize = 12;

const WIDTH: f64 = 960.0;
const HEIGHT: f64 = 17.0;
/// Narrower boxes are not drawn.
const NARROWEST: f64 = 0.6;

impl FlameGraph {
    /// Called by the kernel for the last expression of a cell.
    pub fn evcxr_display(&self) {
        self.bundle().evcxr_display()
    }

    /// Shows it now, like [`display`](crate::display::display).
    pub fn show(&self) {
        crate::display::display(self);
    }
}

impl fmt::Display for FlameGraph {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}", self.caption())?;
        if self.samples() > 0 {
            write!(formatter, "\n% self  % total  Function")?;
        }
        for hot in self.hottest().iter().take(ROWS) {
            write!(
                formatter,
                "\n{:6.1}  {:7.1}  {}",
                self.percent(hot.own),
                self.percent(hot.total),
                hot.name
            )?;
        }
        Ok(())
    }
}

impl Rich for FlameGraph {
    fn bundle(&self) -> Bundle {
        Bundle::plain(self.to_string()).with("text/html", page(self))
    }
}

fn page(graph: &FlameGraph) -> String {
    let mut page = String::new();
    if graph.samples() > 0 {
        svg(&mut page, graph);
    }
    page += &remark(&graph.caption());
    if graph.samples() > 0 {
        table(&mut page, graph);
    }
    page
}

fn svg(page: &mut String, graph: &FlameGraph) {
    let levels = depth(&graph.root, WIDTH / graph.samples() as f64).max(1) as f64;
    let height = levels * HEIGHT;
    let _ = write!(
        page,
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\" \
         style=\"width:100%;max-width:{WIDTH}px\" \
         font-family=\"monospace\" font-size=\"11\" role=\"img\">"
    );
    boxes(page, graph, &graph.root, 0.0, height - HEIGHT);
    page.push_str("</svg>");
}

/// The number of levels that are wide enough to be drawn.
fn depth(node: &Node, scale: f64) -> usize {
    let children = node.children.values().filter(|child| child.count as f64 * scale >= NARROWEST);
    children.map(|child| 1 + depth(child, scale)).max().unwrap_or(0)
}

fn boxes(page: &mut String, graph: &FlameGraph, node: &Node, mut x: f64, y: f64) {
    let scale = WIDTH / graph.samples() as f64;
    for (name, child) in &node.children {
        let width = child.count as f64 * scale;
        if width >= NARROWEST {
            let title =
                format!("{name}: {:.1} % ({} samples)", graph.percent(child.count), child.count);
            let _ = write!(
                page,
                "<g><title>{}</title><rect x=\"{x:.1}\" y=\"{y:.1}\" width=\"{:.1}\" \
                 height=\"{:.1}\" rx=\"1\" fill=\"{}\"/>",
                escape_html(&title),
                (width - 0.5).max(0.3),
                HEIGHT - 1.0,
                colour(name)
            );
            // A character of this font is 6.7 wide.
            let fits = ((width - 6.0) / 6.7).max(0.0) as usize;
            if fits >= 3 {
                let text = shortened(name, fits);
                let _ = write!(
                    page,
                    "<text x=\"{:.1}\" y=\"{:.1}\" fill=\"#222\">{}</text>",
                    x + 3.0,
                    y + 12.0,
                    escape_html(&text)
                );
            }
            page.push_str("</g>");
            boxes(page, graph, child, x, y - HEIGHT);
        }
        x += width;
    }
}

/// The end of a path says more than its beginning.
fn shortened(name: &str, fits: usize) -> String {
    let length = name.chars().count();
    if length <= fits {
        return name.to_owned();
    }
    let last = name
        .rsplit("::")
        .next()
        .filter(|last| last.chars().count() < fits && !last.contains(['{', '>']));
    match last {
        Some(last) => last.to_owned(),
        None => name.chars().take(fits - 1).chain(['…']).collect(),
    }
}

/// Warm and light, so that dark letters are legible on any page background. Equal names have equal
/// colours; the learner's own functions are redder than libraries.
fn colour(name: &str) -> String {
    let hash =
        name.bytes().fold(0u32, |hash, byte| hash.wrapping_mul(31).wrapping_add(u32::from(byte)));
    let is_library = ["core::", "alloc::", "std::", "rayon", "[", "<core", "<alloc", "<std"]
        .iter()
        .any(|start| name.starts_with(start));
    let hue = if is_library { 45 + hash % 15 } else { 12 + hash % 22 };
    format!("hsl({hue},85%,{}%)", 62 + hash / 64 % 10)
}

fn table(page: &mut String, graph: &FlameGraph) {
    const CELL: &str = "padding:0 .8em;white-space:pre;border:none";
    let _ = write!(page, "{TABLE}<thead><tr>");
    for (title, align) in [("% self", "right"), ("% total", "right"), ("Function", "left")] {
        let _ = write!(page, "<th style=\"text-align:{align};{CELL}\">{title}</th>");
    }
    page.push_str("</tr></thead><tbody>");
    for hot in graph.hottest().iter().take(ROWS) {
        let _ = write!(
            page,
            "<tr style=\"background:transparent\">\
             <td style=\"text-align:right;{CELL}\">{:.1}</td>\
             <td style=\"text-align:right;{CELL}\">{:.1}</td>\
             <td style=\"text-align:left;{CELL}\">{}</td></tr>",
            graph.percent(hot.own),
            graph.percent(hot.total),
            escape_html(&hot.name)
        );
    }
    page.push_str("</tbody></table>");
}

#[cfg(test)]
mod tests {
    use super::super::tree::tests::graph;
    use super::*;

    #[test]
    fn names_cannot_be_taken_for_markup() {
        let html = graph(&[(&["<Grid<T> as Step>::step"], 80)]).bundle();
        let html = html.get("text/html").unwrap();
        assert!(
            html.contains("&lt;Grid&lt;T&gt; as Step&gt;::step") && !html.contains("<Grid"),
            "{html}"
        );
    }
}
