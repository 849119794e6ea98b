//! Solutions in a cell's source: the lines between `// BEGIN SOLUTION` and `// END SOLUTION`.
//!
//! Markers and stubs match nbgrader's ClearSolutions with this course's configuration, so nbgrader
//! makes the same cells. Markers that nbgrader would misinterpret (inside a line of code, an END
//! without a BEGIN) are errors here.

use anyhow::{Result, bail, ensure};

/// Begins a solution, on its own line.
pub const BEGIN: &str = "// BEGIN SOLUTION";
/// Ends a solution, on its own line.
pub const END: &str = "// END SOLUTION";
/// Replaces each solution in the learner's edition, indented like its begin marker. The semicolon
/// makes it fit anywhere, because a diverging block has every type.
pub const STUB: [&str; 2] = ["// YOUR CODE HERE", "todo!(\"your code here\");"];

/// Whether a text has anything that looks like a marker, even if misspelt.
pub fn has_mark(source: &str) -> bool {
    source.lines().any(|line| looks_like(line, "BEGIN") || looks_like(line, "END"))
}

/// Returns the source with solutions replaced by stubs, and their number. Errors name the line,
/// counted from 1.
pub fn cleared(source: &str) -> Result<(String, usize)> {
    let mut lines: Vec<String> = Vec::new();
    let (mut opened, mut count) = (None, 0);
    for (number, line) in source.split('\n').enumerate().map(|(index, line)| (index + 1, line)) {
        let mark = line.trim();
        if mark == BEGIN {
            if let Some(first) = opened {
                bail!(
                    "line {number}: `{BEGIN}` inside the solution that begins on line {first}: \
                    solutions cannot be nested, put `{END}` before it"
                );
            }
            let indent = &line[..line.len() - line.trim_start().len()];
            lines.extend(STUB.iter().map(|stub| format!("{indent}{stub}")));
            (opened, count) = (Some(number), count + 1);
        } else if mark == END {
            ensure!(opened.take().is_some(), "line {number}: `{END}` without `{BEGIN}` before it");
        } else if looks_like(line, "BEGIN") || looks_like(line, "END") {
            bail!(
                "line {number}: `{mark}` is not a solution marker: write `{BEGIN}` or `{END}` on \
                its own line"
            );
        } else if opened.is_none() {
            lines.push(line.to_string());
        }
    }
    if let Some(first) = opened {
        bail!("line {first}: `{BEGIN}` without `{END}` after it");
    }
    Ok((lines.join("\n"), count))
}

/// Whether a line contains `WORD SOLUTION`: nbgrader accepts it anywhere in a line, and authors
/// misspell the rest.
fn looks_like(line: &str, word: &str) -> bool {
    let line = line.to_uppercase();
    ["", " ", "_", "-"].iter().any(|between| line.contains(&format!("{word}{between}SOLUTION")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stub(source: &str) -> String {
        cleared(source).unwrap().0
    }

    fn error(source: &str) -> String {
        cleared(source).unwrap_err().to_string()
    }

    #[test]
    fn each_region_becomes_an_indented_stub() {
        let source = "fn f() -> i32 {\n    // BEGIN SOLUTION\n    1\n    // END SOLUTION\n}\n// \
            BEGIN SOLUTION\nfn g() {}\n// END SOLUTION";
        let expected = "fn f() -> i32 {\n    // YOUR CODE HERE\n    todo!(\"your code \
            here\");\n}\n// YOUR CODE HERE\ntodo!(\"your code here\");";
        assert_eq!(cleared(source).unwrap(), (expected.to_string(), 2));
        assert_eq!(
            stub("\t// BEGIN SOLUTION\n\t// END SOLUTION"),
            "\t// YOUR CODE HERE\n\ttodo!(\"your code here\");"
        );
        assert_eq!(cleared("let a = 1;\n").unwrap(), ("let a = 1;\n".to_string(), 0));
    }

    #[test]
    fn marks_that_do_not_match_are_named() {
        assert_eq!(
            error("a\n// BEGIN SOLUTION\nb"),
            "line 2: `// BEGIN SOLUTION` without `// END SOLUTION` after it"
        );
        assert_eq!(
            error("a\n// END SOLUTION"),
            "line 2: `// END SOLUTION` without `// BEGIN SOLUTION` before it"
        );
        let nested = "// BEGIN SOLUTION\n// BEGIN SOLUTION\n// END SOLUTION";
        assert!(
            error(nested).starts_with(
                "line 2: `// BEGIN SOLUTION` inside the solution that begins on line 1"
            ),
            "{}",
            error(nested)
        );
    }

    #[test]
    fn what_only_resembles_a_mark_is_refused() {
        for line in [
            "let a = 1; // BEGIN SOLUTION",
            "//BEGIN SOLUTION",
            "# BEGIN SOLUTION",
            "// begin solution",
            "// BEGIN_SOLUTION",
            "/// END SOLUTIONS",
        ] {
            assert!(
                error(line).contains("line 1") && error(line).contains("is not a solution marker"),
                "{line}"
            );
            assert!(has_mark(line), "{line}");
        }
        assert!(!has_mark("the solution begins here"));
    }
}
