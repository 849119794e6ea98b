//! What is compiled on this machine: evaluates `cfg(…)`.

use ra_ap_syntax::ast::{self, AstNode, CfgPredicate};
use ra_ap_syntax::{SyntaxKind, SyntaxNode};
use std::collections::HashSet;

/// The options that are set, as `rustc --print cfg` prints them: `unix`, `target_os="linux"`.
#[derive(Debug, Clone, Default)]
pub struct Cfg(HashSet<String>);

impl Cfg {
    /// Reads the lines of `rustc --print cfg`.
    pub fn parse(lines: &str) -> Cfg {
        Cfg(lines.lines().map(|line| line.trim().to_owned()).collect())
    }

    /// The same options, plus these features of a package.
    pub fn with_features<'a>(&self, features: impl IntoIterator<Item = &'a str>) -> Cfg {
        let named = features.into_iter().map(|feature| format!("feature=\"{feature}\""));
        Cfg(self.0.iter().cloned().chain(named).collect())
    }

    /// Whether the predicate holds. `None` if it has an unknown form.
    pub fn holds(&self, predicate: &CfgPredicate) -> Option<bool> {
        match predicate {
            CfgPredicate::CfgAtom(atom) => {
                let text: String = tokens(atom.syntax());
                Some(match text.as_str() {
                    "true" => true,
                    "false" => false,
                    _ => self.0.contains(&text),
                })
            }
            CfgPredicate::CfgComposite(composite) => {
                let inner: Option<Vec<bool>> =
                    composite.cfg_predicates().map(|inner| self.holds(&inner)).collect();
                let inner = inner?;
                match composite.keyword()?.text() {
                    "all" => Some(inner.iter().all(|holds| *holds)),
                    "any" => Some(inner.iter().any(|holds| *holds)),
                    "not" => Some(!*inner.first()?),
                    _ => None,
                }
            }
        }
    }

    /// Like [`holds`](Cfg::holds), for the text between the parentheses of `cfg(…)`.
    pub fn holds_text(&self, predicate: &str) -> Option<bool> {
        let source = format!("#[cfg({predicate})] struct S;");
        let file = ast::SourceFile::parse(&source, ra_ap_syntax::Edition::CURRENT).tree();
        let found = file.syntax().descendants().find_map(CfgPredicate::cast)?;
        self.holds(&found)
    }
}

/// The text of a node without spaces and comments.
fn tokens(node: &SyntaxNode) -> String {
    let tokens = node.descendants_with_tokens().filter_map(|element| element.into_token());
    let kept = tokens.filter(|t| !matches!(t.kind(), SyntaxKind::WHITESPACE | SyntaxKind::COMMENT));
    kept.map(|token| token.text().to_owned()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn predicates_are_evaluated() {
        let cfg = Cfg::parse("unix\ntarget_os=\"linux\"\n").with_features(["std"]);
        for (text, expected) in [
            ("unix", Some(true)),
            ("windows", Some(false)),
            ("target_os = \"linux\"", Some(true)),
            ("not(test)", Some(true)),
            ("all(unix, any(feature = \"std\", feature = \"alloc\"))", Some(true)),
            ("all(unix, not(feature = \"std\"))", Some(false)),
            ("true", Some(true)),
            ("any()", Some(false)),
        ] {
            assert_eq!(cfg.holds_text(text), expected, "{text}");
        }
    }
}
