//! One value to show, in several formats.

use std::borrow::Cow;

/// One value in several MIME types; the front end picks the richest one it can show.
///
/// # Examples
///
/// ```
/// use parcourse::prelude::*;
/// let bundle = Bundle::plain("area = πr²").with("text/latex", "$A = \\pi r^2$");
/// assert_eq!(bundle.get("text/plain"), Some("area = πr²"));
/// display(&bundle);
/// ```
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Bundle {
    parts: Vec<(Cow<'static, str>, String)>,
}

impl Bundle {
    /// A bundle with plain text only (`text/plain`).
    pub fn plain(text: impl Into<String>) -> Bundle {
        Bundle { parts: vec![("text/plain".into(), text.into())] }
    }

    /// Adds a format, or replaces the content of this MIME type.
    ///
    /// # Panics
    ///
    /// Panics if the MIME type is not valid (`type/subtype`, no spaces).
    #[track_caller]
    pub fn with(
        mut self,
        mime_type: impl Into<Cow<'static, str>>,
        content: impl Into<String>,
    ) -> Bundle {
        let (mime_type, content) = (mime_type.into(), content.into());
        let is_mime_type = mime_type.contains('/')
            && !mime_type.contains(|c: char| c.is_whitespace() || c.is_control());
        assert!(is_mime_type, "`{mime_type}` is not a MIME type: it should look like `text/html`");
        match self.parts.iter_mut().find(|(existing, _)| *existing == mime_type) {
            Some((_, existing)) => *existing = content,
            None => self.parts.push((mime_type, content)),
        }
        self
    }

    /// The content of a MIME type, if the bundle has it.
    pub fn get(&self, mime_type: &str) -> Option<&str> {
        self.parts().find(|(name, _)| *name == mime_type).map(|(_, content)| content)
    }

    /// The MIME types and their contents.
    pub fn parts(&self) -> impl Iterator<Item = (&str, &str)> {
        self.parts.iter().map(|(mime_type, content)| (&**mime_type, content.as_str()))
    }
}

/// A type that can be shown as more than text.
///
/// # Examples
///
/// A type of your own. With a method `evcxr_display` it is also shown when it is the last
/// expression of a cell:
///
/// ```
/// use parcourse::prelude::*;
/// struct Celsius(f64);
/// impl Rich for Celsius {
///     fn bundle(&self) -> Bundle {
///         Bundle::plain(format!("{} °C", self.0))
///             .with("text/html", format!("<b>{}</b> °C", self.0))
///     }
/// }
/// impl Celsius {
///     pub fn evcxr_display(&self) {
///         self.bundle().evcxr_display()
///     }
/// }
/// display(Celsius(21.5));
/// ```
pub trait Rich {
    /// All formats of this value. `text/plain` should be among them.
    fn bundle(&self) -> Bundle;
}

impl Rich for Bundle {
    fn bundle(&self) -> Bundle {
        self.clone()
    }
}

impl<T: Rich + ?Sized> Rich for &T {
    fn bundle(&self) -> Bundle {
        (**self).bundle()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn later_content_of_a_type_replaces_the_earlier() {
        let bundle = Bundle::plain("a").with("text/html", "<i>a</i>").with("text/plain", "b");
        assert_eq!(
            bundle.parts().collect::<Vec<_>>(),
            [("text/plain", "b"), ("text/html", "<i>a</i>")]
        );
        assert_eq!(bundle.get("image/png"), None);
    }

    #[test]
    #[should_panic(expected = "`text html` is not a MIME type")]
    fn mime_types_are_checked() {
        let _ = Bundle::plain("a").with("text html", "");
    }
}
