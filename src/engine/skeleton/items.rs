//! Strips one source file to what determines types.
//!
//! The skeleton keeps signatures, types, traits, values of constants, macros and the first
//! paragraph of documentation. Function bodies become `{}`, except those that influence types: of
//! functions that return `impl Trait`, and of `const fn`, which may determine the length of an
//! array. It omits functions that no other crate can name, the functions of trait implementations
//! (whose signatures are the trait's), and what is not compiled on this machine.

use super::attributes;
use super::cfg::Cfg;
use super::macros;
use ra_ap_syntax::ast::{self, AstNode, AstToken, HasAttrs, HasModuleItem, HasName, HasVisibility};
use ra_ap_syntax::{Edition, NodeOrToken, SyntaxKind, SyntaxNode, SyntaxToken};
use std::collections::{BTreeMap, HashSet};

/// Settings for the files of a crate.
pub struct StripSettings<'a> {
    pub cfg: &'a Cfg,
    pub edition: Edition,
    /// Functions that the remaining bodies may call.
    pub called: &'a HashSet<String>,
    /// The crate's macros that put a condition on items, and whether the condition holds.
    pub conditions: &'a BTreeMap<String, bool>,
}

/// A file's skeleton, and what else was found in the file.
#[derive(Default)]
pub struct Skeleton {
    pub text: String,
    /// The module files that it declares.
    pub modules: Vec<ModuleFile>,
    /// The module files that it declares but that are not compiled on this machine.
    pub absent: Vec<ModuleFile>,
    /// The identifiers in the remaining bodies.
    pub called: HashSet<String>,
    /// The functions that were omitted because no other crate can name them.
    pub left_out: HashSet<String>,
}

/// `mod name;`
pub struct ModuleFile {
    /// The inline modules around the declaration.
    pub inside: Vec<String>,
    pub name: String,
    /// `#[path = "…"]`
    pub path: Option<String>,
    /// Whether the file must exist.
    pub required: bool,
}

/// The context of an item, which determines where it can be named.
#[derive(Clone, Copy, PartialEq)]
enum Context {
    Module,
    Inherent,
    TraitImpl,
    Trait,
}

/// The longest value of a constant that is kept, in bytes. Longer ones are tables, which do not
/// influence types.
const LONGEST_VALUE: usize = 200;

/// The skeleton of this source. `None` if it does not parse.
pub fn strip(source: &str, settings: &StripSettings) -> Option<Skeleton> {
    let parsed = ast::SourceFile::parse(source, settings.edition);
    if !parsed.errors().is_empty() {
        return None;
    }
    let mut writer = Writer { settings, skeleton: Skeleton::default(), inside: Vec::new() };
    writer.children(parsed.tree().syntax(), Context::Module, true);
    Some(writer.skeleton)
}

/// Declarations of the procedural macros of a crate. `None` if its root module does not parse.
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
        let (Some(attribute), Some(name), Some(parameters)) =
            (attributes.next(), function.name(), function.param_list())
        else {
            continue;
        };
        text.push_str(&format!(
            "{attribute}\npub fn {}{} -> TokenStream {{}}\n",
            name.text(),
            parameters.syntax().text()
        ));
    }
    Some(text)
}

struct Writer<'a> {
    settings: &'a StripSettings<'a>,
    skeleton: Skeleton,
    inside: Vec<String>,
}

impl Writer<'_> {
    fn push(&mut self, text: &str) {
        self.skeleton.text.push_str(text);
    }

    /// Writes a node's children; items follow their own rules.
    fn children(&mut self, node: &SyntaxNode, context: Context, docs: bool) {
        let mut paragraph = attributes::Paragraph::new(docs);
        for child in node.children_with_tokens() {
            match child {
                NodeOrToken::Token(token) => self.token(&token, &mut paragraph),
                NodeOrToken::Node(child) => match ast::Attr::cast(child.clone()) {
                    Some(attribute) => {
                        let kept = attributes::kept(&attribute, self.settings.cfg, &mut paragraph);
                        self.push(&kept);
                    }
                    None => self.node(&child, context, docs),
                },
            }
        }
    }

    fn token(&mut self, token: &SyntaxToken, paragraph: &mut attributes::Paragraph) {
        match token.kind() {
            SyntaxKind::WHITESPACE => {
                self.space(if token.text().contains('\n') { '\n' } else { ' ' })
            }
            SyntaxKind::COMMENT => {
                let comment = ast::Comment::cast(token.clone());
                if comment.is_some_and(|comment| comment.kind().doc.is_some())
                    && paragraph.takes(token.text())
                {
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

    fn node(&mut self, node: &SyntaxNode, context: Context, docs: bool) {
        if let Some(item) = ast::Item::cast(node.clone()) {
            return self.item(item, context);
        }
        match node.kind() {
            SyntaxKind::RECORD_FIELD | SyntaxKind::VARIANT | SyntaxKind::TUPLE_FIELD => {
                self.children(node, context, true)
            }
            // No items in here: write it unchanged.
            _ => self.children(node, context, docs),
        }
    }

    fn item(&mut self, item: ast::Item, context: Context) {
        if attributes::is_left_out(&item, self.settings.cfg) {
            if let ast::Item::Module(module) = &item
                && let Some(name) = module_name(module)
            {
                let path = attributes::path(module, self.settings.cfg);
                self.skeleton.absent.push(ModuleFile {
                    inside: self.inside.clone(),
                    name,
                    path,
                    required: false,
                });
            }
            return;
        }
        let node = item.syntax().clone();
        match item {
            ast::Item::Fn(function) => self.function(&function, context),
            ast::Item::Const(constant) => self.constant(&constant, context),
            ast::Item::Static(variable) => {
                if is_public(&variable) {
                    match value(&node) {
                        Some(value) => self.replacing(&node, &value, "", true),
                        None => self.children(&node, context, true),
                    }
                }
            }
            ast::Item::Impl(implementation) => self.implementation(&implementation),
            ast::Item::Trait(_) => self.children(&node, Context::Trait, true),
            ast::Item::Module(module) => self.module(&module),
            ast::Item::ExternBlock(_) => self.children(&node, Context::Inherent, false),
            ast::Item::MacroCall(call) => self.call(&call, context),
            ast::Item::MacroRules(rules) => {
                for name in macros::modules(&node) {
                    self.declare(name, None, false);
                }
                self.rules(&rules);
            }
            ast::Item::AsmExpr(_) => {}
            ast::Item::Enum(_) | ast::Item::Struct(_) | ast::Item::Union(_) => {
                self.children(&node, context, true)
            }
            ast::Item::TypeAlias(_) | ast::Item::MacroDef(_) => self.children(&node, context, true),
            ast::Item::Use(_) | ast::Item::ExternCrate(_) => self.children(&node, context, false),
        }
        self.space('\n');
    }

    fn function(&mut self, function: &ast::Fn, context: Context) {
        let name = function.name().map(|name| name.text().to_string()).unwrap_or_default();
        let opaque = function.ret_type().is_some_and(|returned| {
            returned.syntax().descendants().any(|node| node.kind() == SyntaxKind::IMPL_TRAIT_TYPE)
        });
        let constant = function.const_token().is_some();
        let nameable = match context {
            Context::Trait => true,
            Context::TraitImpl => opaque || function.async_token().is_some(),
            Context::Module | Context::Inherent => {
                is_public(function) || constant || self.settings.called.contains(&name)
            }
        };
        if !nameable {
            self.skeleton.left_out.insert(name);
            return;
        }
        let Some(body) = function.body() else {
            return self.children(function.syntax(), context, true);
        };
        if (opaque && function.async_token().is_none()) || constant {
            if opaque {
                self.skeleton.called.extend(identifiers(body.syntax()));
            }
            return self.children(
                function.syntax(),
                context,
                context == Context::Trait || is_public(function),
            );
        }
        let docs = context == Context::Trait || is_public(function);
        self.replacing(function.syntax(), body.syntax(), "{}", docs);
    }

    /// Writes the node with `text` in place of one of its children. If the text is empty, the `=`
    /// before the child is removed too.
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
                    None => self.node(&found, Context::Module, false),
                },
            }
        }
    }

    fn constant(&mut self, constant: &ast::Const, context: Context) {
        let node = constant.syntax();
        let value = value(node);
        let long = value.filter(|value| usize::from(value.text_range().len()) > LONGEST_VALUE);
        if constant.underscore_token().is_some() {
            // Contains implementations, or is an assertion.
            let implements = node.descendants().any(|node| node.kind() == SyntaxKind::IMPL);
            if implements {
                self.children(node, Context::Module, false);
            }
            return;
        }
        if let Some(value) = long.filter(|_| context != Context::Trait && !is_number(constant)) {
            return self.replacing(node, &value, "", is_public(constant));
        }
        self.children(node, context, context == Context::Trait || is_public(constant));
    }

    fn implementation(&mut self, implementation: &ast::Impl) {
        let node = implementation.syntax();
        if implementation.for_token().is_some() {
            return self.children(node, Context::TraitImpl, false);
        }
        self.children(node, Context::Inherent, false);
    }

    fn module(&mut self, module: &ast::Module) {
        let Some(name) = module_name(module) else { return };
        let docs = is_public(module);
        if module.item_list().is_some() {
            self.inside.push(name);
            self.children(module.syntax(), Context::Module, docs);
            self.inside.pop();
            return;
        }
        let path = attributes::path(module, self.settings.cfg);
        self.declare(name, path, true);
        self.children(module.syntax(), Context::Module, docs);
    }

    fn declare(&mut self, name: String, path: Option<String>, required: bool) {
        let inside = self.inside.clone();
        self.skeleton.modules.push(ModuleFile { inside, name, path, required });
    }

    fn call(&mut self, call: &ast::MacroCall, context: Context) {
        let name = call
            .path()
            .and_then(|path| path.segment())
            .map(|segment| segment.syntax().text().to_string())
            .unwrap_or_default();
        let Some(tree) = call.token_tree() else {
            return self.children(call.syntax(), context, false);
        };
        let chosen = match name.as_str() {
            "cfg_if" => macros::choose_if(&tree, self.settings.cfg),
            "cfg_select" => macros::choose(&tree, self.settings.cfg),
            // A macro around items, as in tokio.
            _ if name.starts_with("cfg_") => return self.wrapped(call, &tree, context),
            "global_asm" | "compile_error" => return,
            _ => None,
        };
        match chosen {
            Some(text) => self.items_of(&text, context),
            None => self.unchanged(call),
        }
    }

    /// Writes a call of an unknown macro.
    fn unchanged(&mut self, call: &ast::MacroCall) {
        for name in macros::modules(call.syntax()) {
            self.declare(name, None, false);
        }
        let text = macros::without_long_docs(call.syntax());
        self.push(&text);
    }

    /// Writes a macro around items; the items follow their own rules.
    fn wrapped(&mut self, call: &ast::MacroCall, tree: &ast::TokenTree, context: Context) {
        let inner = macros::inner(tree);
        let name = call.path().map(|path| path.syntax().text().to_string()).unwrap_or_default();
        if self.settings.conditions.get(&name) == Some(&false) {
            for name in macros::modules(call.syntax()) {
                self.skeleton.absent.push(ModuleFile {
                    inside: self.inside.clone(),
                    name,
                    path: None,
                    required: false,
                });
            }
            return;
        }
        if !ast::SourceFile::parse(&inner, self.settings.edition).errors().is_empty()
            || context != Context::Module
        {
            return self.unchanged(call);
        }
        if self.settings.conditions.get(&name) == Some(&true) {
            return self.items_of(&inner, context);
        }
        self.push(&name);
        self.push("! {\n");
        self.items_of(&inner, context);
        self.push("}");
    }

    fn items_of(&mut self, text: &str, context: Context) {
        if context == Context::Module {
            let parsed = ast::SourceFile::parse(text, self.settings.edition);
            self.children(parsed.tree().syntax(), context, false);
            return;
        }
        // Members of an implementation or a trait.
        let parsed = ast::SourceFile::parse(&format!("impl X {{{text}}}"), self.settings.edition);
        let list = parsed.tree().syntax().descendants().find_map(ast::AssocItemList::cast);
        for item in list.iter().flat_map(|list| list.assoc_items()) {
            self.node(item.syntax(), context, true);
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
                        self.node(&child, Context::Module, false);
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
    let numbers = [
        "usize", "isize", "u8", "u16", "u32", "u64", "u128", "i8", "i16", "i32", "i64", "i128",
        "bool", "char",
    ];
    numbers.contains(&name.as_str())
}

fn identifiers(node: &SyntaxNode) -> impl Iterator<Item = String> {
    let tokens = node.descendants_with_tokens().filter_map(|element| element.into_token());
    tokens.filter(|token| token.kind() == SyntaxKind::IDENT).map(|token| token.text().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The skeleton of a source, without line breaks.
    fn stripped(source: &str) -> String {
        let cfg = Cfg::parse("unix");
        let conditions =
            BTreeMap::from([("cfg_on".to_owned(), true), ("cfg_off".to_owned(), false)]);
        let called = HashSet::from(["helper".to_owned()]);
        let settings = StripSettings {
            cfg: &cfg,
            edition: Edition::CURRENT,
            called: &called,
            conditions: &conditions,
        };
        let text = strip(source, &settings).expect("it parses").text;
        assert!(ast::SourceFile::parse(&text, Edition::CURRENT).errors().is_empty(), "{text}");
        text.split_whitespace().collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn bodies_are_removed_unless_they_determine_a_type() {
        assert_eq!(stripped("pub fn f(x: u8) -> u8 { x + 1 }"), "pub fn f(x: u8) -> u8 {}");
        assert_eq!(stripped("pub async fn f() -> u8 { 1 }"), "pub async fn f() -> u8 {}");
        for whole in [
            "pub fn f() -> impl Copy { 1u8 }",
            "pub const fn f() -> usize { 3 }",
            "const fn f() -> usize { 3 }",
        ] {
            assert_eq!(stripped(whole), whole);
        }
        assert_eq!(
            stripped("trait T { fn f(&self) -> u8 { 1 } fn g(); }"),
            "trait T { fn f(&self) -> u8 {} fn g(); }"
        );
    }

    #[test]
    fn what_other_crates_cannot_name_is_removed() {
        assert_eq!(stripped("fn f() {} pub(crate) fn g() {} static S: u8 = 1;"), "");
        assert_eq!(stripped("fn helper() { f() }"), "fn helper() {}", "a remaining body calls it");
        assert_eq!(
            stripped("impl S { fn f(&self) {} pub fn g(&self) {} const N: u8 = 1; }"),
            "impl S { pub fn g(&self) {} const N: u8 = 1; }"
        );
        assert_eq!(
            stripped("impl T for S { type A = u8; fn f(&self) {} }"),
            "impl T for S { type A = u8; }"
        );
        assert_eq!(
            stripped("impl T for S { fn f() -> impl Copy { 1 } }"),
            "impl T for S { fn f() -> impl Copy { 1 } }"
        );
    }

    #[test]
    fn values_of_constants_stay_and_tables_are_removed() {
        assert_eq!(
            stripped("pub const N: usize = 2 + 3; pub static S: [u8; N] = [0; N];"),
            "pub const N: usize = 2 + 3; pub static S: [u8; N] ;"
        );
        let table = format!("pub const T: [u8; 300] = [{}];", "1,".repeat(300));
        assert_eq!(stripped(&table), "pub const T: [u8; 300] ;");
        assert_eq!(
            stripped("const _: () = assert!(true); const _: () = { impl T for S {} };"),
            "const _: () = { impl T for S {} };"
        );
    }

    #[test]
    fn other_platforms_and_tests_are_removed() {
        assert_eq!(
            stripped("#[cfg(windows)] pub fn f() {} #[cfg(unix)] pub fn g() {} #[test] fn t() {}"),
            "pub fn g() {}"
        );
        assert_eq!(stripped("#[cfg(test)] mod tests { use super::*; }"), "");
        assert_eq!(
            stripped("#[cfg_attr(unix, repr(C))] #[cfg_attr(windows, repr(u8))] pub struct S;"),
            "#[repr(C)] pub struct S;"
        );
        let choice = "cfg_if! { if #[cfg(windows)] { pub struct A; } else if #[cfg(unix)] { pub \
            struct B; } else { pub struct C; } }";
        assert_eq!(stripped(choice), "pub struct B;");
        assert_eq!(
            stripped("cfg_select! { windows => { pub struct A; } _ => { pub struct B; } }"),
            "pub struct B;"
        );
        assert_eq!(
            stripped("cfg_on! { pub fn f() { 1 } } cfg_off! { pub fn g() {} }"),
            "pub fn f() {}"
        );
    }

    #[test]
    fn the_first_paragraph_of_documentation_stays() {
        let source = "/// What it is.\n/// More.\n///\n/// # \
            Examples\n#[inline]\n#[must_use]\npub fn f() {}\n/// Not seen.\nstruct S; // why";
        assert_eq!(
            stripped(source),
            "/// What it is. /// More. pub fn f() {} /// Not seen. struct S;"
        );
    }

    #[test]
    fn modules_are_found() {
        let cfg = Cfg::parse("unix");
        let (called, conditions) = (HashSet::new(), BTreeMap::new());
        let settings = StripSettings {
            cfg: &cfg,
            edition: Edition::CURRENT,
            called: &called,
            conditions: &conditions,
        };
        let source = "mod a; mod inline { #[path = \"x.rs\"] mod b; } #[cfg(windows)] mod c; \
            other! { mod d; }";
        let skeleton = strip(source, &settings).unwrap();
        let names: Vec<_> = skeleton
            .modules
            .iter()
            .map(|module| (module.name.as_str(), module.inside.len(), module.required))
            .collect();
        assert_eq!(names, [("a", 0, true), ("b", 1, true), ("d", 0, false)]);
        assert_eq!(skeleton.modules[1].path.as_deref(), Some("x.rs"));
        assert_eq!(skeleton.absent[0].name, "c");
    }

    #[test]
    fn procedural_macros_become_declarations() {
        let source = "use syn::*;\n/// Docs.\n#[proc_macro_derive(Thing, attributes(thing))]\npub \
            fn derive(input: TokenStream) -> TokenStream { parse(input) }\nfn parse() {}";
        let names = procedural_macros(source, Edition::CURRENT).unwrap();
        assert!(
            names.contains(
                "#[proc_macro_derive(Thing, attributes(thing))]\npub fn derive(input: TokenStream)"
            ),
            "{names}"
        );
        assert!(!names.contains("parse") && !names.contains("syn"), "{names}");
    }
}
