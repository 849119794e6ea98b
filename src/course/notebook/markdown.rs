//! Headings, lists and link targets in Markdown cells.

use regex::Regex;
use std::sync::LazyLock;

/// A heading, outside of code blocks.
#[derive(Debug, PartialEq, Eq)]
pub struct Heading {
    /// 1 for `#`.
    pub level: usize,
    pub text: String,
}

/// Returns the headings of a text, in order.
pub fn headings(source: &str) -> Vec<Heading> {
    lines(source).filter_map(heading).collect()
}

fn heading(line: &str) -> Option<Heading> {
    let level = line.chars().take_while(|letter| *letter == '#').count();
    let text = line[level..].strip_prefix(' ')?;
    (1..=6).contains(&level).then(|| Heading { level, text: text.trim().to_string() })
}

/// Returns the lines outside of fenced code blocks.
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

/// Returns the items of all lists in a text, each as one line.
pub fn bullets(source: &str) -> Vec<String> {
    let mut items: Vec<String> = Vec::new();
    let mut open = false;
    for line in lines(source) {
        if let Some(item) = line.strip_prefix("- ").or(line.strip_prefix("* ")) {
            items.push(item.trim().to_string());
            open = true;
        } else if line.trim().is_empty() || !line.starts_with(' ') {
            open = false;
        } else if let (true, Some(last)) = (open, items.last_mut()) {
            last.push(' ');
            last.push_str(line.trim());
        }
    }
    items
}

/// Returns the targets of links and images, in Markdown and HTML, as written.
pub fn targets(source: &str) -> Vec<String> {
    static INLINE: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(r"\]\(\s*(?:<([^>]*)>|((?:[^()\s]|\([^()\s]*\))+))").expect("a constant")
    });
    static REFERENCE: LazyLock<Regex> =
        LazyLock::new(|| Regex::new(r"^ {0,3}\[[^\]]+\]:\s*<?([^\s>]+)").expect("a constant"));
    static HTML: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(r#"(?i)<(?:img|a|source|video)\b[^>]*?\b(?:src|href)\s*=\s*["']([^"']+)["']"#)
            .expect("a constant")
    });
    static CODE: LazyLock<Regex> =
        LazyLock::new(|| Regex::new(r"``[^`].*?``|`[^`]*`").expect("a constant"));
    let mut found = Vec::new();
    // HTML tags may span several lines, links may not.
    let text: String =
        lines(source).map(|line| CODE.replace_all(line, "``").into_owned() + "\n").collect();
    for line in text.lines() {
        let inline = INLINE.captures_iter(line).filter_map(|link| link.get(1).or(link.get(2)));
        found.extend(inline.map(|target| target.as_str().to_string()));
        found.extend(REFERENCE.captures(line).map(|link| link[1].to_string()));
    }
    found.extend(HTML.captures_iter(&text).map(|link| link[1].to_string()));
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_go_over_several_lines() {
        assert_eq!(
            bullets("Text\n\n- one;\n- two\n  lines.\n\n  not this\n* three"),
            ["one;", "two lines.", "three"]
        );
    }

    #[test]
    fn finds_links_and_pictures() {
        let text = "[a](b.ipynb) ![p](<my pic.png> \"t\") [![i](i.svg)](#One-(10-minutes))\n[r]: \
            ref.md\n`x[i](y)` <img\n src='z.png'>\n\
                    ```\n[no](no)\n```\n<a href=\"https://x\">";
        assert_eq!(
            targets(text),
            ["b.ipynb", "my pic.png", "i.svg", "#One-(10-minutes)", "ref.md", "z.png", "https://x"]
        );
    }

    #[test]
    fn finds_headings_but_not_in_code() {
        let found = headings("# One\n```rust\n# not one\n```\ntext\n## Two \n#three");
        assert_eq!(
            found.iter().map(|heading| (heading.level, heading.text.as_str())).collect::<Vec<_>>(),
            [(1, "One"), (2, "Two")]
        );
    }
}
