//! Strips the definitions and calls of macros.
//!
//! rust-analyzer expands macros to find the items that they generate; the number types get the same
//! methods a dozen times. So definitions are stripped like other code: without function bodies,
//! ignored attributes, and documentation after the first paragraph.

use super::cfg::Cfg;
use ra_ap_syntax::Edition;
use ra_ap_syntax::ast::{self, AstNode, HasName};
use ra_ap_syntax::{NodeOrToken, SyntaxElement, SyntaxKind, SyntaxNode};

/// The text between the parentheses.
pub fn inner(tree: &ast::TokenTree) -> String {
    let text = tree.syntax().text().to_string();
    text[1..text.len() - 1].to_owned()
}

/// What `cfg_if! { if #[cfg(…)] { … } else { … } }` expands to. `None` if it has another form.
pub fn choose_if(tree: &ast::TokenTree, cfg: &Cfg) -> Option<String> {
    let mut holds = Some(true);
    for child in tree.syntax().children().filter_map(ast::TokenTree::cast) {
        let text = child.syntax().text().to_string();
        if text.starts_with('[') {
            let condition = text.trim_start_matches('[').trim_end_matches(']').trim();
            let predicate =
                condition.strip_prefix("cfg")?.trim().strip_prefix('(')?.strip_suffix(')')?;
            holds = Some(cfg.holds_text(predicate)?);
        } else if text.starts_with('{') {
            if holds? {
                return Some(inner(&child));
            }
            // An `else` without a condition.
            holds = Some(true);
        }
    }
    Some(String::new())
}

/// What `cfg_select! { … => { … } _ => { … } }` expands to. `None` if it has another form.
pub fn choose(tree: &ast::TokenTree, cfg: &Cfg) -> Option<String> {
    let mut predicate = String::new();
    let elements: Vec<SyntaxElement> = tree.syntax().children_with_tokens().collect();
    let mut elements = elements[1..elements.len() - 1].iter().peekable();
    while let Some(element) = elements.next() {
        if element.kind() == SyntaxKind::COMMENT {
            continue;
        }
        let is_arrow = element.kind() == SyntaxKind::FAT_ARROW
            || element.kind() == SyntaxKind::EQ
                && elements.next_if(|next| next.kind() == SyntaxKind::R_ANGLE).is_some();
        if !is_arrow {
            predicate.push_str(&element.to_string());
            continue;
        }
        let arm = elements.find(|element| {
            !matches!(element.kind(), SyntaxKind::WHITESPACE | SyntaxKind::COMMENT)
        })?;
        let arm = arm
            .as_node()
            .cloned()
            .and_then(ast::TokenTree::cast)
            .filter(|arm| arm.syntax().text().char_at(0.into()) == Some('{'))?;
        let predicate = std::mem::take(&mut predicate);
        let predicate = predicate.trim().trim_start_matches(',').trim();
        if predicate == "_" || cfg.holds_text(predicate)? {
            return Some(inner(&arm));
        }
    }
    Some(String::new())
}

/// The macros `cfg_…` of a file that only put a condition on each of their items, as in tokio, and
/// whether the condition holds.
pub fn conditions(source: &str, cfg: &Cfg, edition: Edition) -> Vec<(String, bool)> {
    let parsed = ast::SourceFile::parse(source, edition).tree();
    let rules = parsed.syntax().descendants().filter_map(ast::MacroRules::cast);
    let named =
        rules.filter_map(|rules| Some((rules.name()?.text().to_string(), rules.token_tree()?)));
    named
        .filter(|(name, _)| name.starts_with("cfg_"))
        .filter_map(|(name, tree)| Some((name, condition(&tree, cfg)?)))
        .collect()
}

/// Of `($($item:item)*) => { $( #[cfg(…)] $item )* }`.
fn condition(rules: &ast::TokenTree, cfg: &Cfg) -> Option<bool> {
    let trees = |tree: &ast::TokenTree| {
        tree.syntax().children().filter_map(ast::TokenTree::cast).collect::<Vec<_>>()
    };
    let dense = |text: String| text.split_whitespace().collect::<String>();
    let [left, right] = trees(rules).try_into().ok()?;
    let [repeated] = trees(&right).try_into().ok()?;
    if dense(left.syntax().text().to_string()) != "($($item:item)*)"
        || !dense(right.syntax().text().to_string()).ends_with("$item)*}")
    {
        return None;
    }
    let mut holds = true;
    for attribute in trees(&repeated) {
        let text = attribute.syntax().text().to_string();
        let text = text.strip_prefix('[')?.strip_suffix(']')?.trim();
        if let Some(predicate) =
            text.strip_prefix("cfg(").and_then(|rest| rest.trim_end().strip_suffix(')'))
        {
            holds &= cfg.holds_text(predicate)?;
        } else if !text.starts_with("cfg_attr(docsrs") && !text.starts_with("cfg_attr(doc") {
            return None;
        }
    }
    Some(holds)
}

/// The names in all `mod name;` inside the node.
pub fn modules(node: &SyntaxNode) -> Vec<String> {
    let tokens = node.descendants_with_tokens().filter_map(|element| element.into_token());
    let tokens: Vec<_> = tokens.filter(|token| !token.kind().is_trivia()).collect();
    let is_module = |window: &&[ra_ap_syntax::SyntaxToken]| {
        window[0].text() == "mod" && window[2].text() == ";"
    };
    tokens.windows(3).filter(is_module).map(|window| window[1].text().to_owned()).collect()
}

/// The rules of `macro_rules!`, with stripped right sides.
pub fn stripped_rules(tree: &ast::TokenTree) -> String {
    let mut out = String::new();
    let mut after_arrow = false;
    for element in tree.syntax().children_with_tokens() {
        match element {
            NodeOrToken::Node(node) if after_arrow => {
                out.push_str(&transcriber(&node));
                after_arrow = false;
            }
            NodeOrToken::Node(node) => plain(&node, &mut out),
            NodeOrToken::Token(token) => {
                after_arrow = match token.kind() {
                    SyntaxKind::FAT_ARROW | SyntaxKind::R_ANGLE => true,
                    SyntaxKind::WHITESPACE | SyntaxKind::COMMENT => after_arrow,
                    _ => false,
                };
                token_text(&token, &mut out);
            }
        }
    }
    out
}

/// Strips the right side of a rule. One that defines macros is kept, because their left sides look
/// like items.
fn transcriber(tree: &SyntaxNode) -> String {
    let mut out = String::new();
    let tokens = tree.descendants_with_tokens().filter_map(|element| element.into_token());
    if tokens.map(|token| token.text().to_owned()).any(|text| text == "macro_rules") {
        plain(tree, &mut out);
    } else {
        items(tree, false, &mut out);
    }
    out
}

/// `in_trait_impl`: whether functions only repeat the trait's signatures.
fn items(tree: &SyntaxNode, in_trait_impl: bool, out: &mut String) {
    let elements: Vec<SyntaxElement> = tree.children_with_tokens().collect();
    let mut docs = FirstLine::default();
    let mut at = 0;
    // Where the current item begins, and whether it is an implementation.
    let mut begin = out.len();
    let (mut implements, mut implements_trait) = (false, false);
    // After `$(…)` around whole items.
    let mut repeated = false;
    // After `const`, because a `const fn` may determine the length of an array.
    let mut is_constant = false;
    while at < elements.len() {
        let element = &elements[at];
        at += 1;
        match element {
            NodeOrToken::Token(token) if token.text() == "#" => {
                if let Some(NodeOrToken::Node(attribute)) = elements.get(at)
                    && attribute.text().char_at(0.into()) == Some('[')
                {
                    at += 1;
                    if let Some(kept) =
                        super::attributes::kept_in_macro(&attribute.text().to_string())
                    {
                        out.push_str(&format!("#[{kept}]"));
                    }
                    continue;
                }
                out.push('#');
            }
            NodeOrToken::Token(token) if token.kind() == SyntaxKind::COMMENT => {
                if is_doc(token.text()) && docs.takes(token.text()) {
                    out.push_str(token.text());
                    space(out, '\n');
                }
            }
            NodeOrToken::Token(token) => {
                match token.text() {
                    "const" => is_constant = true,
                    "unsafe" | "extern" | "async" => {}
                    "impl" => implements = true,
                    "for" => implements_trait |= implements,
                    "{" | ";" => {
                        token_text(token, out);
                        docs = FirstLine::default();
                        (begin, implements, implements_trait) = (out.len(), false, false);
                        continue;
                    }
                    "*" | "+" | "?" if std::mem::take(&mut repeated) => {
                        token_text(token, out);
                        begin = out.len();
                        continue;
                    }
                    "fn" => {
                        let (signature, body) = signature(&elements[at..]);
                        if let Some(body) = body.filter(|_| !signature.contains("impl ")) {
                            if in_trait_impl {
                                out.truncate(begin);
                            } else {
                                out.push_str("fn");
                                elements[at..at + body]
                                    .iter()
                                    .for_each(|element| element_text(element, out));
                                match &elements[at + body] {
                                    kept if is_constant => element_text(kept, out),
                                    _ => out.push_str("{}"),
                                }
                            }
                            at += body + 1;
                            is_constant = false;
                            docs = FirstLine::default();
                            begin = out.len();
                            continue;
                        }
                    }
                    _ => is_constant &= token.kind().is_trivia() || token.kind().is_literal(),
                }
                token_text(token, out);
            }
            NodeOrToken::Node(node) => {
                is_constant = false;
                let mut inner = String::new();
                let text = node.text().to_string();
                repeated = text.contains([';', '{']) && out.trim_end().ends_with('$');
                let is_block = node.text().char_at(0.into()) == Some('{');
                // The arguments of another macro must match its left side, including attributes.
                if out.trim_end().ends_with('!') {
                    plain(node, out);
                    (begin, implements, implements_trait) = (out.len(), false, false);
                    continue;
                }
                items(node, is_block && implements_trait || !is_block && in_trait_impl, &mut inner);
                // A repetition must still contain a variable to repeat.
                if !inner.contains('$') && text.contains('$') && out.trim_end().ends_with('$') {
                    inner.clear();
                    plain(node, &mut inner);
                }
                out.push_str(&inner);
                if is_block {
                    docs = FirstLine::default();
                    (begin, implements, implements_trait) = (out.len(), false, false);
                }
            }
        }
    }
}

/// Keeps only the first line of documentation, because the methods of numbers are expanded a dozen
/// times.
#[derive(Default)]
struct FirstLine(bool);

impl FirstLine {
    fn takes(&mut self, comment: &str) -> bool {
        let is_empty = comment.trim_start_matches(['/', '!', '*']).trim().is_empty();
        !is_empty && !std::mem::replace(&mut self.0, true)
    }
}

/// The text between `fn` and the body, and the index of the body if there is one.
fn signature(after: &[SyntaxElement]) -> (String, Option<usize>) {
    let mut text = String::new();
    for (index, element) in after.iter().enumerate() {
        match element {
            NodeOrToken::Token(token) if token.text() == ";" => return (text, None),
            NodeOrToken::Node(node) if node.text().char_at(0.into()) == Some('{') => {
                return (text, Some(index));
            }
            _ => text.push_str(&element.to_string()),
        }
    }
    (text, None)
}

/// A macro call without comments, and with only the first paragraph of documentation.
pub fn without_long_docs(node: &SyntaxNode) -> String {
    let mut out = String::new();
    plain(node, &mut out);
    out
}

fn plain(node: &SyntaxNode, out: &mut String) {
    let mut paragraph = super::attributes::Paragraph::new(true);
    for element in node.children_with_tokens() {
        match element {
            NodeOrToken::Token(token) if token.kind() == SyntaxKind::COMMENT => {
                if is_doc(token.text()) && paragraph.takes(token.text()) {
                    out.push_str(token.text());
                    space(out, '\n');
                }
            }
            NodeOrToken::Token(token) => {
                if token.kind() != SyntaxKind::WHITESPACE {
                    paragraph = super::attributes::Paragraph::new(true);
                }
                token_text(&token, out);
            }
            NodeOrToken::Node(node) => plain(&node, out),
        }
    }
}

fn element_text(element: &SyntaxElement, out: &mut String) {
    match element {
        NodeOrToken::Token(token) => token_text(token, out),
        NodeOrToken::Node(node) => plain(node, out),
    }
}

fn token_text(token: &ra_ap_syntax::SyntaxToken, out: &mut String) {
    match token.kind() {
        SyntaxKind::WHITESPACE => space(out, if token.text().contains('\n') { '\n' } else { ' ' }),
        SyntaxKind::COMMENT if !is_doc(token.text()) => {}
        _ => out.push_str(token.text()),
    }
}

fn is_doc(comment: &str) -> bool {
    let three = comment.starts_with("///") || comment.starts_with("/**");
    (three && !comment.starts_with("////") && comment != "/**/")
        || comment.starts_with("//!")
        || comment.starts_with("/*!")
}

fn space(out: &mut String, space: char) {
    if !out.ends_with(char::is_whitespace) {
        out.push(space);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rules(source: &str) -> String {
        let parsed = ast::SourceFile::parse(source, Edition::CURRENT).tree();
        let rules = parsed.syntax().descendants().find_map(ast::MacroRules::cast).unwrap();
        stripped_rules(&rules.token_tree().unwrap())
            .split_whitespace()
            .collect::<Vec<_>>()
            .join(" ")
    }

    #[test]
    fn bodies_in_definitions_are_removed() {
        assert_eq!(
            rules(
                "macro_rules! m { ($t:ty) => { impl S { /// One.\n/// Two.\n#[inline] pub fn \
                 f(self) -> $t { self.0 } const fn g() { 1 } } }; }"
            ),
            "{ ($t:ty) => { impl S { /// One. pub fn f(self) -> $t {} const fn g() { 1 } } }; }"
        );
        assert_eq!(
            rules(
                "macro_rules! m { ($($t:ty)*) => { $( impl Add for $t { type Output = $t; \
                 #[inline] fn add(self, o: $t) -> $t { self + o } } )* }; }"
            ),
            "{ ($($t:ty)*) => { $( impl Add for $t { type Output = $t; } )* }; }"
        );
    }

    #[test]
    fn what_is_repeated_stays() {
        let same = "{ ($($x:tt)*) => { impl T for S { $( type A = $x; )* } }; }";
        assert_eq!(
            rules(
                "macro_rules! m { ($($x:tt)*) => { impl T for S { $( type A = $x; )* fn f() {} } \
                 }; }"
            ),
            same
        );
        let whole = "{ ($($x:tt)*) => { impl T for S { $( fn f() { $x } )* } }; }";
        assert_eq!(
            rules(&format!("macro_rules! m {whole}")),
            whole,
            "nothing would be left to repeat"
        );
        let maker =
            "{ ($n:ident) => { macro_rules! $n { (fn $f:ident() {}) => { fn $f() { 1 } } } }; }";
        assert_eq!(rules(&format!("macro_rules! m {maker}")), maker);
    }

    #[test]
    fn arguments_of_other_macros_stay() {
        let whole = "{ ($t:ty) => { other! { #[stable] Self = $t, } } }";
        assert_eq!(rules(&format!("macro_rules! m {whole}")), whole);
    }

    #[test]
    fn conditions_of_a_crate() {
        let source = "macro_rules! cfg_a { ($($item:item)*) => { $( #[cfg(unix)] \
            #[cfg_attr(docsrs, doc(cfg(unix)))] $item )* } }\n\
            macro_rules! cfg_b { ($($item:item)*) => { $( #[cfg(windows)] $item )* } }\n\
            macro_rules! cfg_c { ($($item:item)*) => { $( #[cfg(unix)] mod x { $item } )* } }";
        let found = conditions(source, &Cfg::parse("unix"), Edition::CURRENT);
        assert_eq!(found, [("cfg_a".to_owned(), true), ("cfg_b".to_owned(), false)]);
    }
}
