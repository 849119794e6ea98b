//! One source file without what tells no types.
//!
//! Kept are signatures, types, traits, values of constants, macros and the first paragraph of documentation. Bodies of functions become
//! `{}`, except those that decide something: of a function that returns `impl Trait`, and of a `const fn`, which may give an array its
//! length. Left out are functions that nobody outside can name, the functions of trait implementations (whose signatures are the trait's),
//! and what is not compiled here.

use super::attributes;
use super::cfg::Cfg;
use super::macros;
use ra_ap_syntax::ast::{self, AstNode, AstToken, HasAttrs, HasModuleItem, HasName, HasVisibility};
use ra_ap_syntax::{Edition, NodeOrToken, SyntaxKind, SyntaxNode, SyntaxToken};
use std::collections::{BTreeMap, HashSet};

/// What a file of a crate is read with.
pub struct Settings<'a> {
    pub cfg: &'a Cfg,
    pub edition: Edition,
    /// Functions that bodies which stay may call.
    pub called: &'a HashSet<String>,
    /// The crate's macros that put a condition on items, and whether it holds.
    pub conditions: &'a BTreeMap<String, bool>,
}

/// A file's skeleton, and what was found on the way.
#[derive(Default)]
pub struct Skeleton {
    pub text: String,
    /// The files of its modules, as their declarations name them.
    pub modules: Vec<ModuleFile>,
    /// The same of modules that are not compiled here.
    pub absent: Vec<ModuleFile>,
    /// Identifiers in the bodies that stayed.
    pub called: HashSet<String>,
    /// Functions that were left out because nobody outside can name them.
    pub left_out: HashSet<String>,
}

/// `mod name;`
pub struct ModuleFile {
    /// Inline modules around it.
    pub inside: Vec<String>,
    pub name: String,
    /// `#[path = "…"]`
    pub path: Option<String>,
    /// Whether the crate cannot do without it.
    pub required: bool,
}

/// Where an item stands, which decides who can name it.
#[derive(Clone, Copy, PartialEq)]
enum Place {
    Module,
    Inherent,
    TraitImpl,
    Trait,
}

/// Longest value of a constant that is kept, in bytes. Tables are longer, and decide no type.
const LONGEST_VALUE: usize = 200;

/// The skeleton of this source. `None` when it does not parse.
pub fn strip(source: &str, settings: &Settings) -> Option<Skeleton> {
    let parsed = ast::SourceFile::parse(source, settings.edition);
    if !parsed.errors().is_empty() {
        return None;
    }
    let mut writer = Writer { settings, skeleton: Skeleton::default(), inside: Vec::new() };
    writer.children(parsed.tree().syntax(), Place::Module, true);
    Some(writer.skeleton)
}

/// The procedural macros of a crate, by name. `None` when its root module does not parse.
pub fn procedural_macros(source: &str, edition: Edition) -> Option<String> {
    let parsed = ast::SourceFile::parse(source, edition);
    if !parsed.errors().is_empty() {
        return None;
    }
    let mut text = String::from("extern crate proc_macro;\nuse proc_macro::TokenStream;\n");
    for item in parsed.tree().items() {
        let ast::Item::Fn(function) = item else { continue };
        let attributes = function.attrs().map(|attribute| attribute.syntax().text().to_string());
        let mut attributes = attributes.filter(|attribute| attribute.starts_with("#[proc_macro"));
        let (Some(attribute), Some(name), Some(parameters)) = (attributes.next(), function.name(), function.param_list()) else { continue };
        text.push_str(&format!("{attribute}\npub fn {}{} -> TokenStream {{}}\n", name.text(), parameters.syntax().text()));
    }
    Some(text)
}

struct Writer<'a> {
    settings: &'a Settings<'a>,
    skeleton: Skeleton,
    inside: Vec<String>,
}

impl Writer<'_> {
    fn push(&mut self, text: &str) {
        self.skeleton.text.push_str(text);
    }

    /// A node's parts, items among them by their own rules.
    fn children(&mut self, node: &SyntaxNode, place: Place, docs: bool) {
        let mut paragraph = attributes::Paragraph::new(docs);
        for child in node.children_with_tokens() {
            match child {
                NodeOrToken::Token(token) => self.token(&token, &mut paragraph),
                NodeOrToken::Node(child) => match ast::Attr::cast(child.clone()) {
                    Some(attribute) => {
                        let kept = attributes::kept(&attribute, self.settings.cfg, &mut paragraph);
                        self.push(&kept);
                    }
                    None => self.node(&child, place, docs),
                },
            }
        }
    }

    fn token(&mut self, token: &SyntaxToken, paragraph: &mut attributes::Paragraph) {
        match token.kind() {
            SyntaxKind::WHITESPACE => self.space(if token.text().contains('\n') { '\n' } else { ' ' }),
            SyntaxKind::COMMENT => {
                let comment = ast::Comment::cast(token.clone());
                if comment.is_some_and(|comment| comment.kind().doc.is_some()) && paragraph.takes(token.text()) {
                    self.push(token.text());
                    self.space('\n');
                }
            }
            _ => self.push(token.text()),
        }
    }

    fn space(&mut self, space: char) {
        let text = &mut self.skeleton.text;
        if !text.ends_with(char::is_whitespace) {
            text.push(space);
        }
    }

    fn node(&mut self, node: &SyntaxNode, place: Place, docs: bool) {
        if let Some(item) = ast::Item::cast(node.clone()) {
            return self.item(item, place);
        }
        match node.kind() {
            SyntaxKind::RECORD_FIELD | SyntaxKind::VARIANT | SyntaxKind::TUPLE_FIELD => self.children(node, place, true),
            // No place for items: as it is.
            _ => self.children(node, place, docs),
        }
    }

    fn item(&mut self, item: ast::Item, place: Place) {
        if attributes::is_left_out(&item, self.settings.cfg) {
            if let ast::Item::Module(module) = &item
                && let Some(name) = module_name(module)
            {
                let path = attributes::path(module, self.settings.cfg);
                self.skeleton.absent.push(ModuleFile { inside: self.inside.clone(), name, path, required: false });
            }
            return;
        }
        let node = item.syntax().clone();
        match item {
            ast::Item::Fn(function) => self.function(&function, place),
            ast::Item::Const(constant) => self.constant(&constant, place),
            ast::Item::Static(variable) => {
                if is_public(&variable) {
                    match value(&node) {
                        Some(value) => self.replacing(&node, &value, "", true),
                        None => self.children(&node, place, true),
                    }
                }
            }
            ast::Item::Impl(implementation) => self.implementation(&implementation),
            ast::Item::Trait(_) => self.children(&node, Place::Trait, true),
            ast::Item::Module(module) => self.module(&module),
            ast::Item::ExternBlock(_) => self.children(&node, Place::Inherent, false),
            ast::Item::MacroCall(call) => self.call(&call, place),
            ast::Item::MacroRules(rules) => {
                for name in macros::modules(&node) {
                    self.declare(name, None, false);
                }
                self.rules(&rules);
            }
            ast::Item::AsmExpr(_) => {}
            ast::Item::Enum(_) | ast::Item::Struct(_) | ast::Item::Union(_) => self.children(&node, place, true),
            ast::Item::TypeAlias(_) | ast::Item::MacroDef(_) => self.children(&node, place, true),
            ast::Item::Use(_) | ast::Item::ExternCrate(_) => self.children(&node, place, false),
        }
        self.space('\n');
    }

    fn function(&mut self, function: &ast::Fn, place: Place) {
        let name = function.name().map(|name| name.text().to_string()).unwrap_or_default();
        let opaque = function
            .ret_type()
            .is_some_and(|returned| returned.syntax().descendants().any(|node| node.kind() == SyntaxKind::IMPL_TRAIT_TYPE));
        let constant = function.const_token().is_some();
        let nameable = match place {
            Place::Trait => true,
            Place::TraitImpl => opaque || function.async_token().is_some(),
            Place::Module | Place::Inherent => is_public(function) || constant || self.settings.called.contains(&name),
        };
        if !nameable {
            self.skeleton.left_out.insert(name);
            return;
        }
        let Some(body) = function.body() else { return self.children(function.syntax(), place, true) };
        if (opaque && function.async_token().is_none()) || constant {
            if opaque {
                self.skeleton.called.extend(identifiers(body.syntax()));
            }
            return self.children(function.syntax(), place, place == Place::Trait || is_public(function));
        }
        let docs = place == Place::Trait || is_public(function);
        self.replacing(function.syntax(), body.syntax(), "{}", docs);
    }

    /// The node with another text for one of its children. Without a text it goes, and the `=` before it.
    fn replacing(&mut self, node: &SyntaxNode, child: &SyntaxNode, text: &str, docs: bool) {
        let mut paragraph = attributes::Paragraph::new(docs);
        for element in node.children_with_tokens() {
            match element {
                NodeOrToken::Token(token) if text.is_empty() && token.kind() == SyntaxKind::EQ => {}
                NodeOrToken::Token(token) => self.token(&token, &mut paragraph),
                NodeOrToken::Node(found) if found == *child => self.push(text),
                NodeOrToken::Node(found) => match ast::Attr::cast(found.clone()) {
                    Some(attribute) => {
                        let kept = attributes::kept(&attribute, self.settings.cfg, &mut paragraph);
                        self.push(&kept);
                    }
                    None => self.node(&found, Place::Module, false),
                },
            }
        }
    }

    fn constant(&mut self, constant: &ast::Const, place: Place) {
        let node = constant.syntax();
        let value = value(node);
        let long = value.filter(|value| usize::from(value.text_range().len()) > LONGEST_VALUE);
        if constant.underscore_token().is_some() {
            // A place for implementations, or an assertion.
            let implements = node.descendants().any(|node| node.kind() == SyntaxKind::IMPL);
            return if implements {
                self.children(node, Place::Module, false)
            } else {
            };
        }
        if let Some(value) = long.filter(|_| place != Place::Trait && !is_number(constant)) {
            return self.replacing(node, &value, "", is_public(constant));
        }
        self.children(node, place, place == Place::Trait || is_public(constant));
    }

    fn implementation(&mut self, implementation: &ast::Impl) {
        let node = implementation.syntax();
        if implementation.for_token().is_some() {
            return self.children(node, Place::TraitImpl, false);
        }
        self.children(node, Place::Inherent, false);
    }

    fn module(&mut self, module: &ast::Module) {
        let Some(name) = module_name(module) else { return };
        let docs = is_public(module);
        if module.item_list().is_some() {
            self.inside.push(name);
            self.children(module.syntax(), Place::Module, docs);
            self.inside.pop();
            return;
        }
        let path = attributes::path(module, self.settings.cfg);
        self.declare(name, path, true);
        self.children(module.syntax(), Place::Module, docs);
    }

    fn declare(&mut self, name: String, path: Option<String>, required: bool) {
        let inside = self.inside.clone();
        self.skeleton.modules.push(ModuleFile { inside, name, path, required });
    }

    fn call(&mut self, call: &ast::MacroCall, place: Place) {
        let name = call.path().and_then(|path| path.segment()).map(|segment| segment.syntax().text().to_string()).unwrap_or_default();
        let Some(tree) = call.token_tree() else { return self.children(call.syntax(), place, false) };
        let chosen = match name.as_str() {
            "cfg_if" => macros::choose_if(&tree, self.settings.cfg),
            "cfg_select" => macros::choose(&tree, self.settings.cfg),
            // Wraps items, as tokio has it.
            _ if name.starts_with("cfg_") => return self.wrapped(call, &tree, place),
            "global_asm" | "compile_error" => return,
            _ => None,
        };
        match chosen {
            Some(text) => self.items_of(&text, place),
            None => self.as_it_is(call),
        }
    }

    /// A call of a macro that we know nothing of.
    fn as_it_is(&mut self, call: &ast::MacroCall) {
        for name in macros::modules(call.syntax()) {
            self.declare(name, None, false);
        }
        let text = macros::without_long_docs(call.syntax());
        self.push(&text);
    }

    /// A macro around items: the items by their own rules.
    fn wrapped(&mut self, call: &ast::MacroCall, tree: &ast::TokenTree, place: Place) {
        let inner = macros::inner(tree);
        let name = call.path().map(|path| path.syntax().text().to_string()).unwrap_or_default();
        if self.settings.conditions.get(&name) == Some(&false) {
            for name in macros::modules(call.syntax()) {
                self.skeleton.absent.push(ModuleFile { inside: self.inside.clone(), name, path: None, required: false });
            }
            return;
        }
        if !ast::SourceFile::parse(&inner, self.settings.edition).errors().is_empty() || place != Place::Module {
            return self.as_it_is(call);
        }
        if self.settings.conditions.get(&name) == Some(&true) {
            return self.items_of(&inner, place);
        }
        self.push(&name);
        self.push("! {\n");
        self.items_of(&inner, place);
        self.push("}");
    }

    fn items_of(&mut self, text: &str, place: Place) {
        if place == Place::Module {
            let parsed = ast::SourceFile::parse(text, self.settings.edition);
            self.children(parsed.tree().syntax(), place, false);
            return;
        }
        // Members of an implementation or a trait.
        let parsed = ast::SourceFile::parse(&format!("impl X {{{text}}}"), self.settings.edition);
        let list = parsed.tree().syntax().descendants().find_map(ast::AssocItemList::cast);
        for item in list.iter().flat_map(|list| list.assoc_items()) {
            self.node(item.syntax(), place, true);
        }
    }

    fn rules(&mut self, rules: &ast::MacroRules) {
        let mut paragraph = attributes::Paragraph::new(true);
        for element in rules.syntax().children_with_tokens() {
            match element {
                NodeOrToken::Token(token) => self.token(&token, &mut paragraph),
                NodeOrToken::Node(child) => {
                    if let Some(attribute) = ast::Attr::cast(child.clone()) {
                        let kept = attributes::kept(&attribute, self.settings.cfg, &mut paragraph);
                        self.push(&kept);
                    } else if let Some(tree) = ast::TokenTree::cast(child.clone()) {
                        let text = macros::stripped_rules(&tree);
                        self.push(&text);
                    } else {
                        self.node(&child, Place::Module, false);
                    }
                }
            }
        }
    }
}

fn module_name(module: &ast::Module) -> Option<String> {
    module.name().map(|name| name.text().trim_start_matches("r#").to_owned())
}

fn is_public(item: &impl HasVisibility) -> bool {
    item.visibility().is_some_and(|visibility| visibility.syntax().text() == "pub")
}

/// The expression after the `=`.
fn value(node: &SyntaxNode) -> Option<SyntaxNode> {
    let after = node.children_with_tokens().skip_while(|element| element.kind() != SyntaxKind::EQ);
    after.filter_map(|element| element.into_node()).find(|node| ast::Expr::can_cast(node.kind()))
}

fn is_number(constant: &ast::Const) -> bool {
    let name = constant.ty().map(|named| named.syntax().text().to_string()).unwrap_or_default();
    let numbers = ["usize", "isize", "u8", "u16", "u32", "u64", "u128", "i8", "i16", "i32", "i64", "i128", "bool", "char"];
    numbers.contains(&name.as_str())
}

fn identifiers(node: &SyntaxNode) -> impl Iterator<Item = String> {
    let tokens = node.descendants_with_tokens().filter_map(|element| element.into_token());
    tokens.filter(|token| token.kind() == SyntaxKind::IDENT).map(|token| token.text().to_owned())
}
