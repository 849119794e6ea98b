//! What kind of task it is, by its name.

/// The name without the numbers at its end: `row` for `row 3`, `tile` for `tile (3, 4)`, `items`
/// for `items[7]`.
pub(super) fn kind(name: &str) -> &str {
    let is_number =
        |c: char| c.is_ascii_digit() || c.is_whitespace() || "()[]{},.:;-_#/×".contains(c);
    let stem = name.trim_end_matches(is_number);
    if name[stem.len()..].contains(|c: char| c.is_ascii_digit()) {
        if stem.is_empty() { "task" } else { stem }
    } else {
        name
    }
}

#[cfg(test)]
mod tests {
    use super::kind;

    #[test]
    fn numbers_at_the_end_do_not_matter() {
        let names = [
            ("row 3", "row"),
            ("tile (3, 4)", "tile"),
            ("items[7]", "items"),
            ("pool-12", "pool"),
            ("stage 2 row 7", "stage 2 row"),
            ("chop onions", "chop onions"),
            ("done.", "done."),
            ("17", "task"),
            ("", ""),
            ("π 4", "π"),
        ];
        for (name, expected) in names {
            assert_eq!(kind(name), expected, "{name}");
        }
    }
}
