//! Lines, shapes and text on plotters' SVG backend, measured in pixels.
//!
//! plotters uses whole pixels, which turns flat curves into steps. Here each pixel has ten units,
//! and the finished drawing gets its true size.

use crate::output::base64;
use plotters::backend::{DrawingBackend, SVGBackend};
use plotters::style::text_anchor::{HPos, Pos, VPos};
use plotters::style::{
    FontFamily, FontStyle, FontTransform, RGBAColor, RGBColor, ShapeStyle, TextStyle,
};
use std::fmt::Write;

/// Units of the drawing per pixel.
const FINE: f64 = 10.0;

/// Text, axes and grid: a grey with the same contrast, 4.35, on white and on JupyterLab's dark
/// background. No colour has more on both.
///
/// A fixed colour because JupyterLab shows SVG as `<img>`, which sees neither its theme nor
/// `currentColor`.
pub(super) const INK: Colour = Colour(0x79, 0x79, 0x79);

/// Red, green and blue.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Colour(pub(super) u8, pub(super) u8, pub(super) u8);

impl Colour {
    pub(super) const BLACK: Colour = Colour(0, 0, 0);
    pub(super) const WHITE: Colour = Colour(255, 255, 255);

    /// Relative luminance (WCAG 2): 0 for black, 1 for white.
    pub(super) fn luminance(self) -> f64 {
        let linear = |byte: u8| {
            let value = f64::from(byte) / 255.0;
            if value <= 0.04045 { value / 12.92 } else { ((value + 0.055) / 1.055).powf(2.4) }
        };
        0.2126 * linear(self.0) + 0.7152 * linear(self.1) + 0.0722 * linear(self.2)
    }

    /// Contrast with another colour (WCAG 2), from 1 to 21.
    pub(super) fn contrast(self, other: Colour) -> f64 {
        let (a, b) = (self.luminance() + 0.05, other.luminance() + 0.05);
        if a > b { a / b } else { b / a }
    }

    /// Black or white, whichever is easier to read on this.
    pub(super) fn text_on(self) -> Colour {
        if self.contrast(Colour::WHITE) >= 4.0 { Colour::WHITE } else { Colour::BLACK }
    }

    fn style(self, opacity: f64, width: f64) -> ShapeStyle {
        let RGBColor(red, green, blue) = RGBColor(self.0, self.1, self.2);
        ShapeStyle {
            color: RGBAColor(red, green, blue, opacity),
            filled: true,
            stroke_width: (width * FINE).round() as u32,
        }
    }
}

/// Which point of a text the position refers to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Anchor {
    Left,
    Centre,
    Right,
    /// Centred, read from bottom to top.
    Upwards,
}

/// How a text is drawn.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(super) struct Font {
    pub(super) size: f64,
    pub(super) bold: bool,
    pub(super) colour: Colour,
}

impl Font {
    pub(super) const fn of_size(size: f64) -> Font {
        Font { size, bold: false, colour: INK }
    }

    /// The approximate width of the text, in pixels. The reader's font is unknown; this assumes a
    /// wide one.
    pub(super) fn width(&self, text: &str) -> f64 {
        let em: f64 = text.chars().map(em).sum();
        em * self.size * if self.bold { 1.08 } else { 1.0 }
    }

    /// The text, or its beginning and an ellipsis, that fits into `room` pixels.
    pub(super) fn shortened(&self, text: &str, room: f64) -> String {
        if self.width(text) <= room {
            return text.to_string();
        }
        let mut short = text.to_string();
        while short.pop().is_some() {
            let with_ellipsis = format!("{}…", short.trim_end());
            if self.width(&with_ellipsis) <= room {
                return with_ellipsis;
            }
        }
        String::new()
    }
}

/// Width of a character in a sans-serif font, relative to the font's size.
fn em(character: char) -> f64 {
    match character {
        'i' | 'j' | 'l' | '.' | ',' | ':' | ';' | '\'' | '|' | '!' => 0.3,
        ' ' | 'f' | 't' | 'r' | 'I' | '(' | ')' | '[' | ']' | '/' | '-' | '·' => 0.38,
        '⁰'..='⁹' | '¹' | '²' | '³' | '⁻' => 0.4,
        'm' | 'w' | 'M' | 'W' | '%' | '@' | '…' | '—' => 0.95,
        'A'..='Z' | '&' => 0.7,
        // East Asian scripts and emojis are square.
        '\u{1100}'..='\u{115f}'
        | '\u{2e80}'..='\u{a4cf}'
        | '\u{ac00}'..='\u{d7a3}'
        | '\u{f900}'..='\u{faff}'
        | '\u{fe30}'..='\u{fe4f}'
        | '\u{ff00}'..='\u{ff60}' => 1.0,
        '\u{1f300}'..='\u{1faff}' => 1.1,
        _ => 0.6,
    }
}

/// Draws into `svg`; the drawing is complete when this is dropped.
pub(super) struct Canvas<'svg> {
    backend: SVGBackend<'svg>,
    pictures: String,
}

/// A drawing of this size in pixels, on a transparent background.
pub(super) fn draw(width: f64, height: f64, paint: impl FnOnce(&mut Canvas<'_>)) -> String {
    let mut svg = String::new();
    let size = ((width * FINE).round() as u32, (height * FINE).round() as u32);
    let mut canvas =
        Canvas { backend: SVGBackend::with_string(&mut svg, size), pictures: String::new() };
    paint(&mut canvas);
    let pictures = std::mem::take(&mut canvas.pictures);
    drop(canvas);
    let body = svg.split_once('>').map_or("", |(_, body)| body);
    // A wide drawing shrinks with its column instead of being cut off.
    let head = r#"<svg xmlns="http://www.w3.org/2000/svg" style="max-width:100%;height:auto""#;
    format!(
        "{head} width=\"{width}\" height=\"{height}\" viewBox=\"0 0 {} {}\">\n{pictures}{}",
        size.0,
        size.1,
        body.trim_start()
    )
}

/// Errors of the backend are errors of writing to its target, a string; they cannot happen.
impl Canvas<'_> {
    /// A polyline.
    pub(super) fn line(
        &mut self,
        points: impl IntoIterator<Item = (f64, f64)>,
        colour: Colour,
        width: f64,
        opacity: f64,
    ) {
        let _ = self.backend.draw_path(points.into_iter().map(fine), &colour.style(opacity, width));
    }

    /// A polyline of dashes and gaps of these lengths.
    pub(super) fn dashed(
        &mut self,
        points: &[(f64, f64)],
        colour: Colour,
        width: f64,
        (dash, gap): (f64, f64),
    ) {
        for piece in dashes(points, dash, gap) {
            self.line(piece, colour, width, 1.0);
        }
    }

    pub(super) fn polygon(
        &mut self,
        points: impl IntoIterator<Item = (f64, f64)>,
        colour: Colour,
        opacity: f64,
    ) {
        let _ =
            self.backend.fill_polygon(points.into_iter().map(fine), &colour.style(opacity, 0.0));
    }

    /// A filled rectangle between two opposite corners.
    pub(super) fn rectangle(
        &mut self,
        (x0, y0): (f64, f64),
        (x1, y1): (f64, f64),
        colour: Colour,
        opacity: f64,
    ) {
        let (upper_left, lower_right) =
            (fine((x0.min(x1), y0.min(y1))), fine((x0.max(x1), y0.max(y1))));
        let _ = self.backend.draw_rect(upper_left, lower_right, &colour.style(opacity, 0.0), true);
    }

    /// A PNG stretched between two corners, below everything else; its pixels stay square.
    ///
    /// Written by hand: plotters' own images would pull in the `image` crate.
    pub(super) fn picture(&mut self, from: (f64, f64), to: (f64, f64), png: &[u8]) {
        let ((x0, y0), (x1, y1)) = (fine(from), fine(to));
        let _ = writeln!(
            self.pictures,
            r#"<image x="{x0}" y="{y0}" width="{}" height="{}" preserveAspectRatio="none" style="image-rendering:pixelated" href="data:image/png;base64,{}"/>"#,
            x1 - x0,
            y1 - y0,
            base64::encode(png)
        );
    }

    /// A small marker at a point; each series has its own shape.
    pub(super) fn mark(
        &mut self,
        shape: usize,
        (x, y): (f64, f64),
        radius: f64,
        colour: Colour,
        opacity: f64,
    ) {
        // Of about equal area.
        let corners: &[(f64, f64)] = match shape % 4 {
            0 => return self.disc((x, y), radius, colour, opacity),
            1 => &[(-0.89, -0.89), (0.89, -0.89), (0.89, 0.89), (-0.89, 0.89)],
            2 => &[(0.0, -1.5), (1.3, 0.8), (-1.3, 0.8)],
            _ => &[(0.0, -1.3), (1.3, 0.0), (0.0, 1.3), (-1.3, 0.0)],
        };
        self.polygon(
            corners.iter().map(|corner| (x + radius * corner.0, y + radius * corner.1)),
            colour,
            opacity,
        );
    }

    pub(super) fn disc(&mut self, centre: (f64, f64), radius: f64, colour: Colour, opacity: f64) {
        let _ = self.backend.draw_circle(
            fine(centre),
            (radius * FINE).round() as u32,
            &colour.style(opacity, 0.0),
            true,
        );
    }

    /// One line of text, vertically centred on the position.
    pub(super) fn text(&mut self, text: &str, position: (f64, f64), anchor: Anchor, font: Font) {
        let horizontal = match anchor {
            Anchor::Left => HPos::Left,
            Anchor::Centre | Anchor::Upwards => HPos::Center,
            Anchor::Right => HPos::Right,
        };
        let style = if font.bold { FontStyle::Bold } else { FontStyle::Normal };
        // The backend divides sizes by 1.24 before it writes them.
        let mut desc =
            plotters::style::FontDesc::new(FontFamily::SansSerif, font.size * FINE * 1.24, style);
        if anchor == Anchor::Upwards {
            desc = desc.transform(FontTransform::Rotate270);
        }
        let colour = RGBColor(font.colour.0, font.colour.1, font.colour.2);
        let style = TextStyle::from(desc).pos(Pos::new(horizontal, VPos::Center)).color(&colour);
        // Control characters are not allowed in XML, however they are escaped.
        let text: String = text
            .chars()
            .map(|character| if character.is_control() { ' ' } else { character })
            .collect();
        let _ = self.backend.draw_text(&text, &style, fine(position));
    }
}

fn fine((x, y): (f64, f64)) -> (i32, i32) {
    // `as` saturates values that are far outside.
    ((x * FINE).round() as i32, (y * FINE).round() as i32)
}

/// The pieces of a dashed line.
fn dashes(points: &[(f64, f64)], dash: f64, gap: f64) -> Vec<Vec<(f64, f64)>> {
    let mut pieces = Vec::new();
    let mut piece = Vec::from_iter(points.first().copied());
    let (mut drawing, mut left) = (true, dash);
    for pair in points.windows(2) {
        let (mut from, to) = (pair[0], pair[1]);
        loop {
            let length = (to.0 - from.0).hypot(to.1 - from.1);
            if length <= left {
                left -= length;
                if drawing {
                    piece.push(to);
                }
                break;
            }
            let share = left / length;
            from = (from.0 + share * (to.0 - from.0), from.1 + share * (to.1 - from.1));
            if drawing {
                piece.push(from);
                pieces.push(std::mem::take(&mut piece));
            } else {
                piece = vec![from];
            }
            drawing = !drawing;
            left = if drawing { dash } else { gap };
        }
    }
    if piece.len() > 1 {
        pieces.push(piece);
    }
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn drawing_knows_its_size_in_pixels() {
        let svg = draw(64.0, 40.0, |canvas| canvas.disc((1.5, 2.0), 1.0, INK, 1.0));
        let document = roxmltree::Document::parse(&svg).unwrap();
        let root = document.root_element();
        assert_eq!(
            (root.attribute("width"), root.attribute("viewBox")),
            (Some("64"), Some("0 0 640 400"))
        );
        assert_eq!(root.first_element_child().unwrap().attribute("cx"), Some("15"));
    }

    #[test]
    fn ink_is_legible_on_light_and_dark() {
        assert!(INK.contrast(Colour::WHITE) > 4.3 && INK.contrast(Colour(0x11, 0x11, 0x11)) > 4.3);
        assert!((Colour::WHITE.contrast(Colour::BLACK) - 21.0).abs() < 1e-9);
    }

    #[test]
    fn text_may_be_anything() {
        let svg = draw(64.0, 40.0, |canvas| {
            canvas.text("<&\"'>\u{1b}[1m\0", (0.0, 0.0), Anchor::Left, Font::of_size(12.0))
        });
        let document = roxmltree::Document::parse(&svg).unwrap();
        assert_eq!(
            document.root_element().first_element_child().unwrap().text().map(str::trim),
            Some("<&\"'> [1m")
        );
    }

    #[test]
    fn dashes_go_around_corners() {
        let pieces = dashes(&[(0.0, 0.0), (5.0, 0.0), (5.0, 5.0)], 3.0, 1.0);
        assert_eq!(
            pieces,
            [
                vec![(0.0, 0.0), (3.0, 0.0)],
                vec![(4.0, 0.0), (5.0, 0.0), (5.0, 2.0)],
                vec![(5.0, 3.0), (5.0, 5.0)]
            ]
        );
        assert!(dashes(&[], 3.0, 1.0).is_empty());
        assert!(dashes(&[(1.0, 1.0)], 3.0, 1.0).is_empty());
    }

    #[test]
    fn long_text_is_shortened() {
        let font = Font::of_size(10.0);
        assert_eq!(font.shortened("chop", 100.0), "chop");
        assert_eq!(font.shortened("aaaaaaaaaaaaaaaaaaaa", 40.0), "aaaaa…");
        assert_eq!(font.shortened("chop", 3.0), "");
    }
}
