//! The JSON this crate writes: quoted strings, and a check whether a given text is JSON.
//!
//! Fifty lines instead of a dependency: every dependency of this crate has to be compiled again
//! whenever kernel or compiler change.

/// A text as a JSON string, with quotes. The result contains no line breaks.
pub(crate) fn quote(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('"');
    for character in text.chars() {
        match character {
            '"' => quoted.push_str("\\\""),
            '\\' => quoted.push_str("\\\\"),
            '\n' => quoted.push_str("\\n"),
            '\r' => quoted.push_str("\\r"),
            '\t' => quoted.push_str("\\t"),
            // JSON allows no ASCII control characters in strings. DEL, the C1 controls (one of them
            // a line break) and JavaScript's two line separators are legal, but they could break a
            // line-based protocol.
            '\0'..='\u{1f}' | '\u{7f}'..='\u{9f}' | '\u{2028}' | '\u{2029}' => {
                quoted.push_str(&format!("\\u{:04x}", character as u32))
            }
            _ => quoted.push(character),
        }
    }
    quoted.push('"');
    quoted
}

/// Whether the text is one JSON value (RFC 8259), nested at most 128 deep.
pub(crate) fn is_valid(text: &str) -> bool {
    let mut reader = Reader { rest: text.as_bytes() };
    reader.value(128).is_some() && {
        reader.space();
        reader.rest.is_empty()
    }
}

/// Parses JSON without keeping anything; `None` means an error.
struct Reader<'text> {
    rest: &'text [u8],
}

impl Reader<'_> {
    fn space(&mut self) {
        self.take_while(|byte| matches!(byte, b' ' | b'\t' | b'\n' | b'\r'));
    }

    fn take_while(&mut self, accept: impl Fn(u8) -> bool) -> usize {
        let length = self.rest.iter().position(|&byte| !accept(byte)).unwrap_or(self.rest.len());
        self.rest = &self.rest[length..];
        length
    }

    fn take(&mut self, expected: &[u8]) -> Option<()> {
        self.rest = self.rest.strip_prefix(expected)?;
        Some(())
    }

    fn next_is(&self, byte: u8) -> bool {
        self.rest.first() == Some(&byte)
    }

    fn value(&mut self, depth: usize) -> Option<()> {
        self.space();
        match *self.rest.first()? {
            b'{' => self.sequence(depth.checked_sub(1)?, b'}', true),
            b'[' => self.sequence(depth.checked_sub(1)?, b']', false),
            b'"' => self.string(),
            b't' => self.take(b"true"),
            b'f' => self.take(b"false"),
            b'n' => self.take(b"null"),
            _ => self.number(),
        }
    }

    /// An array, or an object if `named`.
    fn sequence(&mut self, depth: usize, end: u8, named: bool) -> Option<()> {
        self.rest = &self.rest[1..];
        self.space();
        if self.next_is(end) {
            return self.take(&[end]);
        }
        loop {
            if named {
                self.space();
                self.string()?;
                self.space();
                self.take(b":")?;
            }
            self.value(depth)?;
            self.space();
            if self.next_is(end) {
                return self.take(&[end]);
            }
            self.take(b",")?;
        }
    }

    fn string(&mut self) -> Option<()> {
        self.take(b"\"")?;
        loop {
            self.take_while(|byte| byte >= 0x20 && byte != b'"' && byte != b'\\');
            if self.take(b"\"").is_some() {
                return Some(());
            }
            self.take(b"\\")?;
            let (&escape, rest) = self.rest.split_first()?;
            self.rest = rest;
            match escape {
                b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't' => {}
                b'u' => {
                    self.rest.get(..4)?.iter().all(u8::is_ascii_hexdigit).then_some(())?;
                    self.rest = &self.rest[4..];
                }
                _ => return None,
            }
        }
    }

    fn digits(&mut self) -> Option<()> {
        (self.take_while(|byte| byte.is_ascii_digit()) > 0).then_some(())
    }

    fn number(&mut self) -> Option<()> {
        let _ = self.take(b"-");
        if self.take(b"0").is_none() {
            self.digits()?;
        }
        if self.take(b".").is_some() {
            self.digits()?;
        }
        if self.take(b"e").or_else(|| self.take(b"E")).is_some() {
            let _ = self.take(b"+").or_else(|| self.take(b"-"));
            self.digits()?;
        }
        Some(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strings_are_escaped() {
        assert_eq!(quote(""), r#""""#);
        assert_eq!(quote(r#"say "hi" \ bye"#), r#""say \"hi\" \\ bye""#);
        assert_eq!(quote("a\nb\r\tc"), r#""a\nb\r\tc""#);
        assert_eq!(quote("\0\u{1b}[31m\u{7f}"), r#""\u0000\u001b[31m\u007f""#);
        assert_eq!(quote("π ≈ 3 🦀"), "\"π ≈ 3 🦀\"");
        assert_eq!(quote("\u{2028}\u{2029}"), r#""\u2028\u2029""#);
    }

    #[test]
    fn what_is_quoted_is_valid_and_on_one_line() {
        let every = (0..0x3000).filter_map(char::from_u32).collect::<String>();
        let quoted = quote(&every);
        assert!(is_valid(&quoted));
        assert!(!quoted.chars().any(char::is_control));
    }

    #[test]
    fn json_is_accepted() {
        for text in [
            "null",
            " true ",
            "false",
            "0",
            "-0.5e+3",
            "1E9",
            r#""x""#,
            "[]",
            "[1, [2], {}]",
            r#"{"a": [1], "b" : "\u00e9\n"}"#,
        ] {
            assert!(is_valid(text), "{text}");
        }
    }

    #[test]
    fn anything_else_is_refused() {
        let refused = [
            "",
            " ",
            "nul",
            "01",
            "1.",
            ".5",
            "+1",
            "1e",
            "-",
            "[1,]",
            "[1",
            "]",
            "{a: 1}",
            r#"{"a"}"#,
            r#"{"a":1,}"#,
            r#"{1:2}"#,
            "'x'",
            "\"a\nb\"",
            r#""\x""#,
            r#""\u12g4""#,
            r#""open"#,
            "1 2",
            "NaN",
            "{\"a\":1}}",
        ];
        for text in refused {
            assert!(!is_valid(text), "{text}");
        }
    }

    /// Without a limit, deep nesting would overflow the stack.
    #[test]
    fn depth_is_limited() {
        let nested = |depth: usize| "[".repeat(depth) + &"]".repeat(depth);
        assert!(is_valid(&nested(128)));
        assert!(!is_valid(&nested(129)));
        assert!(!is_valid(&"[".repeat(1_000_000)));
    }
}
