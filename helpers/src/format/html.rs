//! Text inside HTML.

/// Escapes the characters that have a meaning in HTML, between tags and in attributes.
pub(crate) fn escape_html(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '&' => escaped.push_str("&amp;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            other => escaped.push(other),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    #[test]
    fn what_means_something_is_escaped() {
        assert_eq!(
            super::escape_html("<a href=\"x\">'&'</a> π"),
            "&lt;a href=&quot;x&quot;&gt;&#39;&amp;&#39;&lt;/a&gt; π"
        );
        assert_eq!(
            super::escape_html("if a<b && \"c\">d"),
            "if a&lt;b &amp;&amp; &quot;c&quot;&gt;d"
        );
    }
}
