//! The kinds of rich output: HTML, SVG, Markdown and JSON as text, and PNG images.

use crate::output::{Bundle, Rich, base64, json, protocol};
use std::fmt;

/// What all kinds share: a cell shows them as its last expression, or at any time with `show`.
macro_rules! kind {
    ($name:ident) => {
        impl $name {
            /// Called by the kernel for the last expression of a cell.
            pub fn evcxr_display(&self) {
                protocol::send_result(&self.bundle());
            }

            /// Shows it now, like [`display`](crate::display::display).
            pub fn show(&self) {
                super::display(self);
            }
        }
    };
}

/// A text type whose constructor checks nothing.
macro_rules! text_kind {
    ($(#[$documentation:meta])* $name:ident, $mime_type:literal, $fallback:expr) => {
        $(#[$documentation])*
        #[derive(Clone, PartialEq, Eq, Debug)]
        pub struct $name(String);

        impl $name {
            /// Takes the text as it is.
            pub fn new(text: impl Into<String>) -> $name {
                $name(text.into())
            }
        }

        impl Rich for $name {
            fn bundle(&self) -> Bundle {
                let fallback: fn(&str) -> String = $fallback;
                Bundle::plain(fallback(&self.0)).with($mime_type, self.0.as_str())
            }
        }

        kind!($name);
    };
}

text_kind! {
    /// HTML. Scripts run only if the notebook is trusted. Escape text that comes from elsewhere.
    ///
    /// # Examples
    ///
    /// ```
    /// use parcourse::prelude::*;
    /// Html::new("<b>bold</b> and <i>slanted</i>").show();
    /// ```
    Html, "text/html", |html| format!("[HTML, {} bytes]", html.len())
}

text_kind! {
    /// An SVG drawing: sharp at every size, slow with tens of thousands of points.
    ///
    /// # Examples
    ///
    /// ```
    /// use parcourse::prelude::*;
    /// let drawing = r#"<svg xmlns="http://www.w3.org/2000/svg" width="40" height="40">
    ///     <circle cx="20" cy="20" r="15"/></svg>"#;
    /// Svg::new(drawing).show();
    /// ```
    Svg, "image/svg+xml", |svg| format!("[SVG drawing, {} bytes]", svg.len())
}

text_kind! {
    /// Markdown, with formulas if the front end renders them.
    ///
    /// # Examples
    ///
    /// ```
    /// use parcourse::prelude::*;
    /// Markdown::new("*Amdahl*: $S(n) = 1 / (1 - p + p / n)$").show();
    /// ```
    Markdown, "text/markdown", |markdown| markdown.to_string()
}

/// JSON, which JupyterLab shows as a collapsible tree.
///
/// # Examples
///
/// ```
/// use parcourse::prelude::*;
/// Json::new(r#"{"threads": [1, 2, 4], "host": "laptop"}"#).show();
/// ```
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Json(String);

impl Json {
    /// Takes text that is already JSON.
    ///
    /// # Panics
    ///
    /// Panics if the text is not one valid JSON value: it would break the message that carries it.
    #[track_caller]
    pub fn new(text: impl Into<String>) -> Json {
        let text = text.into();
        assert!(json::is_valid(&text), "not valid JSON: {text}");
        Json(text)
    }
}

impl Rich for Json {
    fn bundle(&self) -> Bundle {
        Bundle::plain(self.0.as_str()).with("application/json", self.0.as_str())
    }
}

kind!(Json);

/// An image in PNG format.
///
/// # Examples
///
/// ```no_run
/// use parcourse::prelude::*;
/// Png::new(std::fs::read("fractal.png")?).show();
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct Png(Vec<u8>);

impl Png {
    /// Takes the bytes of a PNG file.
    ///
    /// # Panics
    ///
    /// Panics if the bytes do not start with the PNG signature.
    #[track_caller]
    pub fn new(bytes: impl Into<Vec<u8>>) -> Png {
        let bytes = bytes.into();
        assert!(
            bytes.starts_with(b"\x89PNG\r\n\x1a\n"),
            "not a PNG file: the signature is missing"
        );
        Png(bytes)
    }

    /// The bytes of the file.
    pub fn bytes(&self) -> &[u8] {
        &self.0
    }

    /// Width and height in pixels, from the file's header; `None` if the file is truncated.
    pub fn size(&self) -> Option<(u32, u32)> {
        let number = |at: usize| Some(u32::from_be_bytes(self.0.get(at..at + 4)?.try_into().ok()?));
        Some((number(16)?, number(20)?))
    }
}

impl fmt::Debug for Png {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.size() {
            Some((width, height)) => {
                write!(formatter, "[PNG picture, {width}×{height} pixels, {} bytes]", self.0.len())
            }
            None => write!(formatter, "[PNG picture, {} bytes]", self.0.len()),
        }
    }
}

impl Rich for Png {
    fn bundle(&self) -> Bundle {
        Bundle::plain(format!("{self:?}")).with("image/png", base64::encode(&self.0))
    }
}

kind!(Png);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_has_its_type_and_a_text() {
        let bundles = [
            (Html::new("<b>x</b>").bundle(), "text/html", "[HTML, 8 bytes]"),
            (Svg::new("<svg/>").bundle(), "image/svg+xml", "[SVG drawing, 6 bytes]"),
            (Markdown::new("*x*").bundle(), "text/markdown", "*x*"),
            (Json::new("[1]").bundle(), "application/json", "[1]"),
        ];
        for (bundle, mime_type, text) in bundles {
            assert!(bundle.get(mime_type).is_some(), "{mime_type}");
            assert_eq!(bundle.get("text/plain"), Some(text));
        }
    }

    #[test]
    fn png_knows_its_size_and_travels_as_base64() {
        let mut bytes = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR".to_vec();
        assert_eq!(format!("{:?}", Png::new(bytes.clone())), "[PNG picture, 16 bytes]");
        bytes.extend([0, 0, 2, 0, 0, 0, 1, 0]);
        let png = Png::new(bytes);
        assert_eq!(png.size(), Some((512, 256)));
        assert_eq!(png.bundle().get("text/plain"), Some("[PNG picture, 512×256 pixels, 24 bytes]"));
        assert_eq!(png.bundle().get("image/png"), Some("iVBORw0KGgoAAAANSUhEUgAAAgAAAAEA"));
    }

    #[test]
    #[should_panic(expected = "not a PNG file")]
    fn other_bytes_are_no_png() {
        Png::new(b"GIF89a".to_vec());
    }

    #[test]
    #[should_panic(expected = "not valid JSON: {'a': 1}")]
    fn python_is_not_json() {
        Json::new("{'a': 1}");
    }
}
