//! The text of a function as it was written, and where in it a piece of syntax stands.

use proc_macro2::{Delimiter, Group, Span, TokenStream, TokenTree};
use quote::ToTokens;
use syn::{Error, ItemFn, Result};

/// Where a function stands in its file, and what stands there.
pub struct Source {
    /// The file's line on which the function begins: its visibility or its `fn`, not the attributes
    /// above.
    first: usize,
    lines: Vec<String>,
}

impl Source {
    /// Reads the text from the spans. Stable Rust does not join spans, but the braces of the body
    /// are one token with all that is between them, comments too. What stands before the body is
    /// put together token by token.
    pub fn of(function: &ItemFn) -> Result<Source> {
        let unknown = || {
            let reason = "`#[line_profile]` shows the text of a function, and this one has none of its own: a macro wrote it";
            Error::new_spanned(&function.sig, reason)
        };
        let header = tokens(
            function.vis.to_token_stream().into_iter().chain(function.sig.to_token_stream()),
        );
        let first = line(*header.first().ok_or_else(unknown)?);
        let body = function.block.brace_token.span;
        let mut canvas = Canvas::new(first);
        for span in header {
            // A name that comes from where the macro is used.
            if line(span) > line(body.open()) {
                return Err(unknown());
            }
            canvas.put(span).ok_or_else(unknown)?;
        }
        canvas.put(body.join()).ok_or_else(unknown)?;
        Ok(Source { first, lines: canvas.lines })
    }

    /// The line of a piece of syntax, 1 being the function's first; `None` if it stands outside of
    /// it.
    pub fn line(&self, span: Span) -> Option<u32> {
        let number = (line(span) + 1).checked_sub(self.first)?;
        (1..=self.lines.len()).contains(&number).then_some(number as u32)
    }

    /// The lines, moved to the left as far as the first one is indented.
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

    /// Puts the text of a span where it stands in the file. `None` when it has no text or stands
    /// elsewhere.
    fn put(&mut self, span: Span) -> Option<()> {
        let text = span.source_text()?;
        let row = line(span).checked_sub(self.first)?;
        // Both halves of `->` and of `'a` have the span of the whole, which is there already.
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
            // `'a` comes as a punctuation and a name, and both have the span of the whole.
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
