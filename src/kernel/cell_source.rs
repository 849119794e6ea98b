//! The source of a cell, parsed once: which commands for the engine it contains, whether it is
//! complete, and whether it ends with an expression.

use ra_ap_syntax::{AstNode, Edition, Parse, SourceFile, SyntaxKind, ast};

/// The answer to a console that asks whether to execute what was typed.
#[derive(Debug, PartialEq, Eq)]
pub enum Completeness {
    Complete,
    /// More must follow; the next line should begin with this indent.
    Incomplete {
        indent: String,
    },
    Invalid,
}

/// The deepest nesting of brackets that we parse. The parser recurses, so deeper nesting could
/// overflow its stack and end the kernel.
const MAX_DEPTH: usize = 300;

const BEFORE: &str = "fn cell() {\n";
const AFTER: &str = "\n}\n";

/// A cell's source.
pub struct CellSource<'a> {
    code: &'a str,
    commands: Vec<Command<'a>>,
    /// The cell without its commands and `!` lines, as the body of a function.
    function: String,
    /// `None` if the brackets are nested too deeply.
    parsed: Option<Parse<SourceFile>>,
}

/// A line for the engine, such as `:dep rayon`.
pub struct Command<'a> {
    /// The whole line, trimmed.
    pub line: &'a str,
    /// The first word, with the colon.
    pub name: &'a str,
    pub argument: &'a str,
    /// Whether only commands, comments and blank lines come before it.
    is_leading: bool,
}

impl<'a> CellSource<'a> {
    pub fn parse(code: &'a str) -> CellSource<'a> {
        let mut commands = Vec::new();
        let mut is_leading = true;
        let mut body: Vec<&str> = Vec::new();
        for line in code.lines() {
            let text = line.trim();
            let is_command = text.starts_with(':');
            let is_shell = line.starts_with('!');
            if is_command && !is_shell {
                let (name, argument) = text.split_once(char::is_whitespace).unwrap_or((text, ""));
                commands.push(Command { line: text, name, argument: argument.trim(), is_leading });
            }
            is_leading &= is_command || is_shell || text.is_empty() || line.starts_with("//");
            body.push(if is_command || is_shell { "" } else { line });
        }
        let function = format!("{BEFORE}{}{AFTER}", body.join("\n"));
        let parsed =
            (!is_too_deep(code)).then(|| SourceFile::parse(&function, Edition::Edition2024));
        CellSource { code, commands, function, parsed }
    }

    pub fn code(&self) -> &'a str {
        self.code
    }

    /// The lines for the engine.
    pub fn commands(&self) -> &[Command<'a>] {
        &self.commands
    }

    /// The `:dep` commands that the engine executes before any code.
    pub fn dependencies(&self) -> impl Iterator<Item = &Command<'a>> {
        self.commands.iter().filter(|command| {
            command.is_leading && command.name == ":dep" && !command.argument.is_empty()
        })
    }

    /// Whether the cell asks for a crate.
    pub fn names_crate(&self) -> bool {
        self.commands.iter().any(|command| command.name == ":dep")
            || self.code.lines().any(|line| line.trim_start().starts_with("extern crate"))
    }

    /// Whether the cell makes the engine forget its settings.
    pub fn clears_engine(&self) -> bool {
        self.commands.iter().any(|command| command.name == ":clear")
    }

    /// Whether one of these words occurs in the cell, comments and strings included.
    pub fn contains_word(&self, words: &[&str]) -> bool {
        self.code
            .split(|character: char| !(character.is_alphanumeric() || character == '_'))
            .any(|word| words.contains(&word))
    }

    /// Whether the brackets, those in strings and comments included, are nested too deeply.
    pub fn is_too_deep(&self) -> bool {
        self.parsed.is_none()
    }

    pub fn completeness(&self) -> Completeness {
        let Some(parsed) = &self.parsed else { return Completeness::Invalid };
        if parsed.errors().is_empty() {
            return Completeness::Complete;
        }
        let depth = self.open_delimiters();
        if depth < 0 {
            return Completeness::Invalid;
        }
        // If the text simply stops, the parser reports its end, or the brace that we added there.
        let end = self.function.trim_end_matches(AFTER).trim_end().len();
        let errors = parsed.errors();
        let first = errors.iter().map(|error| usize::from(error.range().start())).min();
        if depth > 0 || first.unwrap_or(0) >= end {
            return Completeness::Incomplete { indent: "    ".repeat(depth.max(0) as usize) };
        }
        Completeness::Invalid
    }

    /// The number of brackets that are open at the end; an unfinished string or comment counts as
    /// one.
    fn open_delimiters(&self) -> i64 {
        let body = &self.function[BEFORE.len()..self.function.len() - AFTER.len()];
        let parsed = SourceFile::parse(body, Edition::Edition2024);
        let mut depth = 0;
        for token in parsed
            .syntax_node()
            .descendants_with_tokens()
            .filter_map(|element| element.into_token())
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

    fn statements(&self) -> Option<ast::StmtList> {
        let function = self.parsed.as_ref()?.syntax_node().descendants().find_map(ast::Fn::cast)?;
        function.syntax().children().find_map(ast::BlockExpr::cast)?.stmt_list()
    }

    /// Whether the cell ends with an expression without a semicolon, whose value the engine shows.
    /// Loops have no value.
    pub fn ends_with_expression(&self) -> bool {
        let last = self.statements().and_then(|list| list.tail_expr());
        last.is_some_and(|expression| {
            !matches!(expression, ast::Expr::ForExpr(_) | ast::Expr::WhileExpr(_))
        })
    }

    /// The line, from 1, of a `let` without a pattern. The engine would drop the statement
    /// silently.
    pub fn let_without_pattern(&self) -> Option<usize> {
        let list = self.statements()?;
        let lets = list
            .statements()
            .filter_map(|statement| ast::LetStmt::cast(statement.syntax().clone()));
        let offset = lets
            .filter(|statement| statement.pat().is_none())
            .map(|statement| statement.syntax().text_range().start())
            .min()?;
        // The function's head is line 0.
        Some(self.function[..offset.into()].matches('\n').count())
    }
}

fn is_too_deep(code: &str) -> bool {
    let mut depth = 0usize;
    code.bytes().any(|byte| {
        match byte {
            b'(' | b'[' | b'{' => depth += 1,
            b')' | b']' | b'}' => depth = depth.saturating_sub(1),
            _ => {}
        }
        depth > MAX_DEPTH
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn completeness(code: &str) -> Completeness {
        CellSource::parse(code).completeness()
    }

    fn ends_with_expression(code: &str) -> bool {
        CellSource::parse(code).ends_with_expression()
    }

    fn let_without_pattern(code: &str) -> Option<usize> {
        CellSource::parse(code).let_without_pattern()
    }

    #[test]
    fn commands_are_found() {
        let source = CellSource::parse(
            "// first\n:dep  regex = \"1\"\n\n!ls\n  :opt 3\n:dep\nuse x;\n:dep late",
        );
        let names: Vec<_> = source.commands().iter().map(|command| command.name).collect();
        assert_eq!(names, [":dep", ":opt", ":dep", ":dep"]);
        let dependencies: Vec<_> = source.dependencies().map(|command| command.line).collect();
        assert_eq!(dependencies, [":dep  regex = \"1\""]);
        assert!(source.names_crate() && !source.clears_engine());
        assert!(CellSource::parse("extern crate rayon;").names_crate());
        assert!(CellSource::parse("f();\n :clear").clears_engine());
        assert!(!CellSource::parse("let clear = 1;").clears_engine());
    }

    #[test]
    fn words_are_whole() {
        for code in ["use std::arch::x86_64::*;", "use std::{arch, thread};"] {
            assert!(CellSource::parse(code).contains_word(&["simd", "arch"]), "{code}");
        }
        for code in ["let search = 1;", "#[cfg(target_arch = \"x86_64\")]\nfn f() {}"] {
            assert!(!CellSource::parse(code).contains_word(&["simd", "arch"]), "{code}");
        }
    }

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
        assert!(!is_too_deep(&"(".repeat(MAX_DEPTH)) && is_too_deep(&"[".repeat(MAX_DEPTH + 1)));
        assert!(!is_too_deep(&"f(x);".repeat(MAX_DEPTH + 1)));
        assert_eq!(completeness(&"{".repeat(100_000)), Completeness::Invalid);
    }

    #[test]
    fn patterns_are_missed() {
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
