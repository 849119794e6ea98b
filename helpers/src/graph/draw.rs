//! The drawing of a graph: boxes for tasks, arrows for dependencies, the critical path in orange.

use super::describe::short;
use super::layout::{Bend, layout};
use super::{Graph, dispatch};
use crate::display::Svg;
use crate::format::escape_html;
use std::fmt::Write;

const MARGIN: f64 = 14.0;

// No background: everything outside of the boxes is visible on light and dark pages.
const ORANGE: &str = "#d9600a";
const GREY: &str = "#808890";
const BLUE: &str = "#4c78a8";

impl Graph {
    /// Draws the graph from left to right. Boxes show the name, duration and resources of tasks;
    /// dashed ones are unattended. The critical path is orange.
    ///
    /// A drawing of up to some hundred tasks is legible, and takes milliseconds to make.
    ///
    /// # Panics
    ///
    /// Panics if the graph does not pass [`check`](Graph::check).
    ///
    /// # Examples
    ///
    /// ```
    /// use parcourse::prelude::*;
    /// Graph::new().task("wash", 5).task("chop", 15).after(["wash"]).visualize().show();
    /// ```
    #[track_caller]
    pub fn visualize(&self) -> Svg {
        Svg::new(self.drawing())
    }

    #[track_caller]
    pub(super) fn drawing(&self) -> String {
        let links = self.links();
        let durations = self.durations();
        // Without times every path is a guess, so none is highlighted.
        let path =
            if self.is_timed() { dispatch::critical(&links, &durations) } else { Vec::new() };
        let is_critical = |task: usize| path.contains(&task);
        let labels: Vec<(String, String)> = (0..self.len()).map(|task| self.label(task)).collect();
        // Sans-serif letters are about half as wide as high.
        let width = |(name, note): &(String, String)| {
            f64::max(7.1 * name.chars().count() as f64, 6.0 * note.chars().count() as f64) + 22.0
        };
        let height = |note: &str| if note.is_empty() { 28.0 } else { 42.0 };
        let sizes: Vec<(f64, f64)> =
            labels.iter().map(|label| (width(label).max(36.0), height(&label.1))).collect();
        let layout = layout(&links, &sizes);
        let mut shapes = String::new();
        // Critical arrows last, on top of the others.
        for critical in [false, true] {
            for (from, to, bends) in &layout.arrows {
                let on_path = path.windows(2).any(|pair| pair == [*from, *to]);
                if on_path == critical {
                    let start = (layout.boxes[*from].0 + sizes[*from].0, layout.boxes[*from].1);
                    arrow(&mut shapes, start, bends, layout.boxes[*to], on_path);
                }
            }
        }
        for (task, ((name, note), (left, middle))) in labels.iter().zip(&layout.boxes).enumerate() {
            let (width, height) = sizes[task];
            let (fill, stroke, thickness) =
                if is_critical(task) { ("#fdeedd", ORANGE, 2.0) } else { ("#eef3f9", BLUE, 1.2) };
            let dashes =
                if self.tasks[task].unattended { r#" stroke-dasharray="5 3""# } else { "" };
            let (x, top) = (left + width / 2.0, middle - height / 2.0);
            let _ = write!(
                shapes,
                r#"<rect x="{left:.1}" y="{top:.1}" width="{width:.1}" height="{height:.1}" rx="6" fill="{fill}" stroke="{stroke}" stroke-width="{thickness}"{dashes}/>"#
            );
            let baseline = if note.is_empty() { middle + 4.5 } else { middle - 3.0 };
            let _ = write!(
                shapes,
                r##"<text x="{x:.1}" y="{baseline:.1}" font-size="13" fill="#1b1f24">{}</text>"##,
                escape_html(name)
            );
            if !note.is_empty() {
                let baseline = middle + 13.0;
                let _ = write!(
                    shapes,
                    r##"<text x="{x:.1}" y="{baseline:.1}" font-size="11" fill="#4a525c">{}</text>"##,
                    escape_html(note)
                );
            }
        }
        let caption = if path.is_empty() {
            String::new()
        } else {
            format!(
                "critical path: {span} {unit} of {work} {unit} work",
                span = short(self.span()),
                work = short(self.work()),
                unit = self.unit()
            )
        };
        let (caption_height, caption_width) = if caption.is_empty() {
            (0.0, 0.0)
        } else {
            (26.0, 6.6 * caption.chars().count() as f64)
        };
        let (width, height) = (
            layout.width.max(caption_width) + 2.0 * MARGIN,
            layout.height + caption_height + 2.0 * MARGIN,
        );
        let mut svg = format!(
            r##"<svg xmlns="http://www.w3.org/2000/svg" width="{width:.0}" height="{height:.0}" viewBox="0 0 {width:.1} {height:.1}" font-family="sans-serif" text-anchor="middle">"##
        );
        let _ = write!(svg, r#"<g transform="translate({MARGIN} {MARGIN})">{shapes}</g>"#);
        if !caption.is_empty() {
            let y = height - MARGIN;
            let _ = write!(
                svg,
                r#"<text x="{MARGIN}" y="{y:.1}" font-size="12" text-anchor="start" fill="{ORANGE}">{caption}</text>"#
            );
        }
        svg + "</svg>"
    }

    /// The two lines in a task's box.
    fn label(&self, task: usize) -> (String, String) {
        let notes: Vec<String> =
            self.length(task).into_iter().chain(self.tasks[task].uses.iter().cloned()).collect();
        (self.tasks[task].name.clone(), notes.join(" · "))
    }
}

/// An arrow that leaves and enters horizontally, and is level where it passes other boxes.
fn arrow(
    shapes: &mut String,
    start: (f64, f64),
    bends: &[Bend],
    end: (f64, f64),
    is_critical: bool,
) {
    let tip = end.0 - 1.0;
    let mut path = format!("M{:.1} {:.1}", start.0, start.1);
    let mut last = start;
    for &(left, right, y) in bends.iter().chain([&(tip - 6.0, tip - 6.0, end.1)]) {
        let middle = (last.0 + left) / 2.0;
        let _ = write!(path, "C{middle:.1} {:.1} {middle:.1} {y:.1} {left:.1} {y:.1}", last.1);
        if right > left {
            let _ = write!(path, "H{right:.1}");
        }
        last = (right, y);
    }
    let (colour, thickness) = if is_critical { (ORANGE, 2.2) } else { (GREY, 1.3) };
    // A triangle instead of a marker: markers are referenced by ids, which are not unique among all
    // drawings of a page.
    let (base, top, bottom) = (tip - 8.0, end.1 - 4.0, end.1 + 4.0);
    let _ = write!(
        shapes,
        r#"<path d="{path}" fill="none" stroke="{colour}" stroke-width="{thickness}"/><path d="M{tip:.1} {:.1}L{base:.1} {top:.1}V{bottom:.1}Z" fill="{colour}"/>"#,
        end.1
    );
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::display::Rich;

    #[test]
    fn names_are_escaped_and_the_critical_path_is_orange() {
        let graph =
            Graph::new().task("a < b & c", 2).task("d", 1).task("end", 1).after(["a < b & c", "d"]);
        let svg = graph.drawing();
        assert!(svg.contains(">a &lt; b &amp; c</text>"), "{svg}");
        assert_eq!(svg.matches("<rect").count(), 3);
        // Two boxes, one arrow in two pieces, the caption.
        assert_eq!(svg.matches(ORANGE).count(), 2 + 2 + 1);
        assert!(svg.contains("critical path: 3 s of 4 s work"));
    }

    #[test]
    fn graphs_that_cannot_be_drawn_are_shown_as_text() {
        let cycle = Graph::new().task("a", 1).after(["a"]);
        assert_eq!(cycle.bundle().get("image/svg+xml"), None);
        assert!(cycle.bundle().get("text/plain").unwrap().starts_with("a  1 s  after a"));
        assert!(Graph::new().drawing().ends_with("</svg>"));
    }
}
