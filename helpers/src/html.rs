//! What tables in HTML need.

/// Text as HTML shows it literally.
pub(crate) fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    #[test]
    fn nothing_is_markup() {
        assert_eq!(super::escape("<b> \"&amp;\""), "&lt;b&gt; &quot;&amp;amp;&quot;");
    }
}
