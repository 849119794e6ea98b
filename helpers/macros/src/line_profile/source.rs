//! The source text of a function, and the position of syntax in it.

use proc_macro2::{Delimiter, Group, Span, TokenStream, TokenTree};
use quote::ToTokens;
use syn::{Error, ItemFn, Result};

/// A function's position in its file, and its text.
pub struct Source {
    /// The file's line on which the function starts: its visibility or its `fn`, not the attributes
    /// above.
    first: usize,
    lines: Vec<String>,
}

impl Source {
    /// Reads the text from the spans. Stable Rust does not join spans, but the braces of the body
    /// are one token that includes everything between them, even comments. The part before the body
    /// is assembled token by token.
    pub fn of(function: &ItemFn) -> Result<Source> {
        let unknown = || {
            let reason = "`#[line_profile]` shows the text of a function, and this one has no text \
                          of its own: a macro wrote it";
            Error::new_spanned(&function.sig, reason)
        };
        let header = tokens(
            function.vis.to_token_stream().into_iter().chain(function.sig.to_token_stream()),
        );
        let first = line(*header.first().ok_or_else(unknown)?);
        let body = function.block.brace_token.span;
        let mut canvas = Canvas::new(first);
        for span in header {
            // A name that comes from the macro's call site.
            if line(span) > line(body.open()) {
                return Err(unknown());
            }
            canvas.put(span).ok_or_else(unknown)?;
        }
        canvas.put(body.join()).ok_or_else(unknown)?;
        Ok(Source { first, lines: canvas.lines })
    }

    /// The line of a piece of syntax, 1 being the function's first; `None` if it is outside of the
    /// function.
    pub fn line(&self, span: Span) -> Option<u32> {
        let number = (line(span) + 1).checked_sub(self.first)?;
        (1..=self.lines.len()).contains(&number).then_some(number as u32)
    }

    /// The lines, without the indentation of the first one.
    pub fn text(&self) -> String {
        let indentation = |line: &String| line.len() - line.trim_start_matches(' ').len();
        let first = self.lines.first().map_or(0, indentation);
        let lines: Vec<&str> =
            self.lines.iter().map(|line| line[indentation(line).min(first)..].trim_end()).collect();
        lines.join("\n")
    }
}

/// Lines that are filled from left to right.
struct Canvas {
    first: usize,
    lines: Vec<String>,
}

impl Canvas {
    fn new(first: usize) -> Canvas {
        Canvas { first, lines: vec![String::new()] }
    }

    /// Puts the text of a span at its position in the file. `None` if it has no text or is
    /// elsewhere.
    fn put(&mut self, span: Span) -> Option<()> {
        let text = span.source_text()?;
        let row = line(span).checked_sub(self.first)?;
        // Both halves of `->` and of `'a` have the span of the whole, which is already there.
        let is_there = |line: &String| line.chars().count() >= span.unwrap().column();
        if row + 1 < self.lines.len() || self.lines.get(row).is_some_and(is_there) {
            return Some(());
        }
        self.lines.resize(row + 1, String::new());
        let mut pieces = text.split('\n');
        let current = &mut self.lines[row];
        // Columns count from 1.
        let gap = (span.unwrap().column() - 1).saturating_sub(current.chars().count());
        current.extend(std::iter::repeat_n(' ', gap));
        current.push_str(pieces.next()?);
        self.lines.extend(pieces.map(String::from));
        Some(())
    }
}

/// The spans of all tokens, delimiters as tokens of their own.
fn tokens(stream: impl Iterator<Item = TokenTree>) -> Vec<Span> {
    fn add(token: TokenTree, spans: &mut Vec<Span>) {
        match token {
            TokenTree::Group(group) => add_group(&group, spans),
            // `'a` comes as a punctuation and a name; both have the span of the whole.
            token => spans.push(token.span()),
        }
    }
    fn add_group(group: &Group, spans: &mut Vec<Span>) {
        let visible = group.delimiter() != Delimiter::None;
        if visible {
            spans.push(group.span_open());
        }
        let content: TokenStream = group.stream();
        content.into_iter().for_each(|token| add(token, spans));
        if visible {
            spans.push(group.span_close());
        }
    }
    let mut spans = Vec::new();
    stream.for_each(|token| add(token, &mut spans));
    spans
}

/// The line in the file.
fn line(span: Span) -> usize {
    span.unwrap().line()
}
