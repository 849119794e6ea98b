//! Reading a cell as Rust: is it finished, does it end with an expression?

use ra_ap_syntax::{AstNode, Edition, SourceFile, SyntaxKind, ast};

/// Answer to the question of a console whether to execute what was typed.
#[derive(Debug, PartialEq, Eq)]
pub enum Completeness {
    Complete,
    /// More must follow; the next line should begin with this much space.
    Incomplete {
        indent: String,
    },
    Invalid,
}

/// Brackets within brackets that are read; a parser that recurses deeper would overflow its stack,
/// and end the kernel.
const DEEPEST: usize = 300;

/// Whether the brackets of the cell, those in texts and comments included, are nested too deeply to
/// be read.
pub fn is_too_deep(code: &str) -> bool {
    let mut depth = 0usize;
    code.bytes().any(|byte| {
        match byte {
            b'(' | b'[' | b'{' => depth += 1,
            b')' | b']' | b'}' => depth = depth.saturating_sub(1),
            _ => {}
        }
        depth > DEEPEST
    })
}

const BEFORE: &str = "fn cell() {\n";
const AFTER: &str = "\n}\n";

/// The cell without the lines that are for the engine, `:dep …` and `!ls`, as the body of a
/// function.
fn as_function(code: &str) -> String {
    let body: Vec<&str> =
        code.lines()
            .map(|line| {
                if line.starts_with('!') || line.trim_start().starts_with(':') { "" } else { line }
            })
            .collect();
    format!("{BEFORE}{}{AFTER}", body.join("\n"))
}

pub fn completeness(code: &str) -> Completeness {
    if is_too_deep(code) {
        return Completeness::Invalid;
    }
    let text = as_function(code);
    let parsed = SourceFile::parse(&text, Edition::Edition2024);
    if parsed.errors().is_empty() {
        return Completeness::Complete;
    }
    let depth = open_delimiters(code);
    if depth < 0 {
        return Completeness::Invalid;
    }
    // Where the text simply stops, the parser complains at its end, or at the brace that stands for
    // its end.
    let end = text.trim_end_matches(AFTER).trim_end().len();
    let first =
        parsed.errors().iter().map(|error| usize::from(error.range().start())).min().unwrap_or(0);
    if depth > 0 || first >= end {
        return Completeness::Incomplete { indent: "    ".repeat(depth.max(0) as usize) };
    }
    Completeness::Invalid
}

/// How many brackets are open at the end; an unfinished text or comment counts as one.
fn open_delimiters(code: &str) -> i64 {
    let text: String = as_function(code);
    let body = &text[BEFORE.len()..text.len() - AFTER.len()];
    let parsed = SourceFile::parse(body, Edition::Edition2024);
    let mut depth = 0;
    for token in
        parsed.syntax_node().descendants_with_tokens().filter_map(|element| element.into_token())
    {
        match token.kind() {
            SyntaxKind::L_PAREN | SyntaxKind::L_BRACK | SyntaxKind::L_CURLY => depth += 1,
            SyntaxKind::R_PAREN | SyntaxKind::R_BRACK | SyntaxKind::R_CURLY => depth -= 1,
            SyntaxKind::STRING if token.text().len() == 1 || !token.text().ends_with('"') => {
                depth += 1
            }
            SyntaxKind::COMMENT
                if token.text().starts_with("/*") && !token.text().ends_with("*/") =>
            {
                depth += 1
            }
            _ => {}
        }
        if depth < 0 {
            return depth;
        }
    }
    depth
}

fn statements(code: &str) -> Option<ast::StmtList> {
    let parsed = SourceFile::parse(&as_function(code), Edition::Edition2024);
    let function = parsed.syntax_node().descendants().find_map(ast::Fn::cast)?;
    function.syntax().children().find_map(ast::BlockExpr::cast)?.stmt_list()
}

/// Whether the last thing in the cell is an expression without a semicolon, whose value the engine
/// shows. Loops have none.
pub fn ends_with_expression(code: &str) -> bool {
    let last = statements(code).and_then(|list| list.tail_expr());
    last.is_some_and(|expression| {
        !matches!(expression, ast::Expr::ForExpr(_) | ast::Expr::WhileExpr(_))
    })
}

/// The line, from 1, of a `let` that names no variable. The engine would leave the statement out
/// without a word.
pub fn let_without_pattern(code: &str) -> Option<usize> {
    let list = statements(code)?;
    let lets =
        list.statements().filter_map(|statement| ast::LetStmt::cast(statement.syntax().clone()));
    let offset = lets
        .filter(|statement| statement.pat().is_none())
        .map(|statement| statement.syntax().text_range().start())
        .min()?;
    // The line of the function's head takes the place of line 0.
    Some(as_function(code)[..offset.into()].matches('\n').count())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn complete_and_incomplete() {
        for complete in [
            "1 + 1",
            "let x = 5;",
            "fn f() {}\nf()",
            ":dep rayon",
            "!ls",
            "",
            "// only a comment",
            "struct A;",
            "let s = \"{\";",
        ] {
            assert_eq!(completeness(complete), Completeness::Complete, "{complete:?}");
        }
        for incomplete in [
            "fn f() {",
            "let v = vec![1,",
            "1 +",
            "let x =",
            "if x {\n    y();",
            "let s = \"abc",
            "/* more",
            "for i in 0..3",
        ] {
            assert!(
                matches!(completeness(incomplete), Completeness::Incomplete { .. }),
                "{incomplete:?}"
            );
        }
        for invalid in [")", "let 5x = ;; }", "fn f() }"] {
            assert_eq!(completeness(invalid), Completeness::Invalid, "{invalid:?}");
        }
        assert_eq!(
            completeness("fn f() {\n    if x {"),
            Completeness::Incomplete { indent: "        ".into() }
        );
    }

    #[test]
    fn depth() {
        assert!(!is_too_deep(&"(".repeat(DEEPEST)) && is_too_deep(&"[".repeat(DEEPEST + 1)));
        assert!(!is_too_deep(&"f(x);".repeat(DEEPEST + 1)));
        assert_eq!(completeness(&"{".repeat(100_000)), Completeness::Invalid);
    }

    #[test]
    fn unnamed_variables() {
        assert_eq!(let_without_pattern("let a = 1;\n\nlet = 5;"), Some(3));
        assert_eq!(let_without_pattern("let = 5"), Some(1));
        assert_eq!(let_without_pattern("let _ = 5;\nlet (a, b) = c;"), None);
    }

    #[test]
    fn last_expressions() {
        for code in
            ["1 + 1", "let x = 1;\nx", ":dep a\nx", "{ 5 }", "f(|x| { x; })", "x // comment"]
        {
            assert!(ends_with_expression(code), "{code:?}");
        }
        for code in [
            "let x = 1;",
            "f();",
            "fn f() {}",
            ":vars",
            "",
            "use a::b;",
            "for x in y {}",
            "while x {}",
        ] {
            assert!(!ends_with_expression(code), "{code:?}");
        }
    }
}
