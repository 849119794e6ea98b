//! What the tools read in a text cell: its headings.

/// A heading, outside of code blocks.
#[derive(Debug, PartialEq, Eq)]
pub struct Heading {
    /// 1 for `#`.
    pub level: usize,
    pub text: String,
}

/// The headings of a text, in order.
pub fn headings(source: &str) -> Vec<Heading> {
    lines(source).filter_map(heading).collect()
}

fn heading(line: &str) -> Option<Heading> {
    let level = line.chars().take_while(|letter| *letter == '#').count();
    let text = line[level..].strip_prefix(' ')?;
    (1..=6).contains(&level).then(|| Heading { level, text: text.trim().to_string() })
}

/// The lines outside of fenced code blocks.
pub fn lines(source: &str) -> impl Iterator<Item = &str> {
    let mut fence: Option<&str> = None;
    source.lines().filter(move |line| {
        let start = line.trim_start();
        let mark = ["```", "~~~"].into_iter().find(|mark| start.starts_with(mark));
        match (fence, mark) {
            (None, Some(mark)) => fence = Some(mark),
            (Some(open), Some(mark)) if open == mark => fence = None,
            (None, None) => return true,
            _ => {}
        }
        false
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_headings_but_not_in_code() {
        let found = headings("# One\n```rust\n# not one\n```\ntext\n## Two \n#three");
        assert_eq!(found.iter().map(|heading| (heading.level, heading.text.as_str())).collect::<Vec<_>>(), [(1, "One"), (2, "Two")]);
    }
}
