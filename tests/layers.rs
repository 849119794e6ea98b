//! Modules form layers, as ARCHITECTURE.md lists them: they use only modules of their own row and of
//! those above it, and no folder of `src` or `helpers/src` has modules that use each other in a
//! circle. A folder's `mod.rs` may use its files and be used by them.

use proc_macro2::{Delimiter, TokenStream, TokenTree};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

type Module = Vec<String>;
type Edges = BTreeMap<Module, BTreeMap<String, BTreeSet<String>>>;

#[test]
fn modules_of_the_program_form_layers() {
    assert_layers(&Crate::read(Path::new("src")), &rows("| `src/` |"));
}

#[test]
fn modules_of_the_helpers_form_layers() {
    assert_layers(&Crate::read(Path::new("helpers/src")), &rows("| `helpers/src/` |"));
}

#[test]
fn a_use_of_a_higher_row_is_found() {
    let mut one = Crate::default();
    one.add(&["low".into()], "use crate::high::x;");
    one.add(&["high".into()], "pub fn x() {}");
    let rows: [Vec<String>; 2] = [vec!["low".into()], vec!["high".into()]];
    assert_eq!(one.misplaced(&rows), ["`low` uses `high`, which is in a row below it"]);
    assert_eq!(one.misplaced(&rows[..1]), ["`high` is in no row"]);
}

#[test]
fn a_circle_is_found() {
    let mut one = Crate::default();
    one.add(&["a".into()], "use crate::b::{self, x::Y}; #[cfg(test)] mod tests { use crate::c; }");
    one.add(&["b".into()], "mod x; pub use x::Y; fn f() { g!(1, crate::c::h()) }");
    one.add(&["b".into(), "x".into()], "pub struct Y;");
    one.add(&["c".into()], "//! Not `crate::a`.\nfn f() { \"crate::a\" }");
    assert_eq!(one.circles(), Vec::<String>::new());
    one.add(&["d".into()], "use super::a;");
    one.add(&["c".into()], "use crate::{d};");
    assert_eq!(one.circles(), ["a → b → c → d → a"]);
}

/// The rows of a table in ARCHITECTURE.md: modules, named in the first column.
fn rows(heading: &str) -> Vec<Vec<String>> {
    let text = std::fs::read_to_string("ARCHITECTURE.md").unwrap();
    let table = text.split_once(heading).expect("the table").1;
    let rows = table.lines().skip(2).take_while(|line| line.starts_with('|'));
    let name = |quoted: &str| quoted.trim_end_matches('/').trim_end_matches(".rs").to_owned();
    rows.map(|row| row.split('|').nth(1).unwrap().split('`').skip(1).step_by(2).map(name).collect())
        .collect()
}

fn assert_layers(modules: &Crate, rows: &[Vec<String>]) {
    assert!(modules.sources.len() > 50, "{} modules", modules.sources.len());
    let misplaced = modules.misplaced(rows);
    assert!(misplaced.is_empty(), "not as in ARCHITECTURE.md:\n  {}", misplaced.join("\n  "));
    let circles = modules.circles();
    assert!(circles.is_empty(), "modules use each other in a circle:\n  {}", circles.join("\n  "));
}

/// Every module's paths to other modules.
#[derive(Default)]
struct Crate {
    sources: BTreeMap<Module, Vec<Module>>,
    /// Names that a module takes from its children: from which one.
    reexports: BTreeMap<Module, BTreeMap<String, String>>,
}

impl Crate {
    fn read(root: &Path) -> Crate {
        let mut modules = Crate::default();
        let mut folders = vec![root.to_path_buf()];
        while let Some(folder) = folders.pop() {
            for entry in folder.read_dir().unwrap().map(|entry| entry.unwrap().path()) {
                if entry.is_dir() {
                    folders.push(entry);
                } else if entry.extension().is_some_and(|extension| extension == "rs") {
                    let within = entry.strip_prefix(root).unwrap().with_extension("");
                    let mut module: Module =
                        within.iter().map(|name| name.to_str().unwrap().to_owned()).collect();
                    if ["mod", "main", "lib"].contains(&module.last().unwrap().as_str()) {
                        module.pop();
                    }
                    if let Ok(text) = std::fs::read_to_string(&entry)
                        && text.parse::<TokenStream>().is_ok()
                    {
                        modules.add(&module, &text);
                    }
                }
            }
        }
        modules
    }

    fn add(&mut self, module: &[String], source: &str) {
        let tokens: Vec<TokenTree> = source.parse::<TokenStream>().unwrap().into_iter().collect();
        let mut paths = Vec::new();
        self.scan(&tokens, module, &mut paths);
        self.sources.insert(module.to_vec(), paths);
    }

    fn scan(&mut self, tokens: &[TokenTree], module: &[String], paths: &mut Vec<Module>) {
        let mut at = 0;
        while at < tokens.len() {
            let name = match &tokens[at] {
                TokenTree::Group(group) => {
                    let inner: Vec<TokenTree> = group.stream().into_iter().collect();
                    self.scan(&inner, module, paths);
                    String::new()
                }
                TokenTree::Ident(name) => name.to_string(),
                _ => String::new(),
            };
            let continues = at > 0 && is_colon(&tokens[at - 1]);
            match name.as_str() {
                "mod" if inline_module(&tokens[at..]).is_some() => {
                    let (name, inner) = inline_module(&tokens[at..]).unwrap();
                    let is_test = at >= 1 && tokens[..at].iter().rev().take(3).any(is_cfg_test);
                    if !is_test {
                        let mut inside = module.to_vec();
                        inside.push(name);
                        self.scan(&inner, &inside, paths);
                    }
                    at += 2;
                }
                "use" => {
                    let mut found = Vec::new();
                    path(&tokens[at + 1..], Vec::new(), &mut found);
                    for path in found {
                        self.used(module, path, paths);
                    }
                    while at < tokens.len() && !is_punct(&tokens[at], ';') {
                        at += 1;
                    }
                }
                "crate" | "super" if !continues => {
                    let mut found = Vec::new();
                    path(&tokens[at..], Vec::new(), &mut found);
                    paths.extend(found.into_iter().filter_map(|path| absolute(module, path)));
                }
                _ => {}
            }
            at += 1;
        }
    }

    fn used(&mut self, module: &[String], mut path: Module, paths: &mut Vec<Module>) {
        if path[0] == "self" {
            path.remove(0);
        }
        match path.first().map(String::as_str) {
            Some("crate" | "super") => paths.extend(absolute(module, path)),
            Some(_) if path.len() > 1 => {
                let names = self.reexports.entry(module.to_vec()).or_default();
                names.insert(path.last().unwrap().clone(), path[0].clone());
            }
            _ => {}
        }
    }

    /// The module that a path leads to.
    fn target(&self, path: &[String]) -> Module {
        let mut module = Module::new();
        for name in path {
            let mut next = module.clone();
            next.push(name.clone());
            if self.sources.contains_key(&next) {
                module = next;
                continue;
            }
            if let Some(child) = self.reexports.get(&module).and_then(|names| names.get(name)) {
                next.pop();
                next.push(child.clone());
                if self.sources.contains_key(&next) {
                    return next;
                }
            }
            break;
        }
        module
    }

    /// Top modules that are in no row, or use a module of a later row.
    fn misplaced(&self, rows: &[Vec<String>]) -> Vec<String> {
        let row = |name: &String| rows.iter().position(|row| row.contains(name));
        let tops: BTreeSet<&String> = self.sources.keys().filter_map(|path| path.first()).collect();
        let absent = tops.iter().filter(|name| row(name).is_none());
        let mut faults: Vec<String> = absent.map(|name| format!("`{name}` is in no row")).collect();
        for (from, uses) in self.edges().remove(&Module::new()).unwrap_or_default() {
            let below = uses
                .iter()
                .filter(|to| matches!((row(&from), row(to)), (Some(a), Some(b)) if a < b));
            faults.extend(
                below.map(|to| format!("`{from}` uses `{to}`, which is in a row below it")),
            );
        }
        faults
    }

    /// Which module of a folder uses which others there, for every folder.
    fn edges(&self) -> Edges {
        let mut edges = Edges::new();
        for (source, paths) in &self.sources {
            for target in paths.iter().map(|path| self.target(path)) {
                let common = source.iter().zip(&target).take_while(|(a, b)| a == b).count();
                if common < source.len() && common < target.len() {
                    let folder = edges.entry(source[..common].to_vec()).or_default();
                    let uses = folder.entry(source[common].clone()).or_default();
                    uses.insert(target[common].clone());
                }
            }
        }
        edges
    }

    /// One circle of each folder that has one.
    fn circles(&self) -> Vec<String> {
        let edges = self.edges();
        let circle = |(folder, edges): (&Module, _)| {
            let names = circle(edges)?;
            let folder: String = folder.iter().map(|name| format!("{name}/")).collect();
            Some(format!("{folder}{}", names.join(" → ")))
        };
        edges.iter().filter_map(circle).collect()
    }
}

fn circle(edges: &BTreeMap<String, BTreeSet<String>>) -> Option<Vec<String>> {
    fn follow<'a>(
        name: &'a String,
        edges: &'a BTreeMap<String, BTreeSet<String>>,
        way: &mut Vec<&'a String>,
        done: &mut BTreeSet<&'a String>,
    ) -> Option<Vec<String>> {
        if let Some(begin) = way.iter().position(|known| *known == name) {
            return Some(way[begin..].iter().copied().chain([name]).cloned().collect());
        }
        if !done.insert(name) {
            return None;
        }
        way.push(name);
        let found =
            edges.get(name).into_iter().flatten().find_map(|next| follow(next, edges, way, done));
        way.pop();
        found
    }
    let mut done = BTreeSet::new();
    edges.keys().find_map(|name| follow(name, edges, &mut Vec::new(), &mut done))
}

/// All paths that start here: one, or several where it ends in braces.
fn path(tokens: &[TokenTree], mut before: Module, found: &mut Vec<Module>) {
    let mut at = 0;
    while let Some(token) = tokens.get(at) {
        match token {
            TokenTree::Ident(name) => before.push(name.to_string()),
            TokenTree::Group(group) if group.delimiter() == Delimiter::Brace => {
                let inner: Vec<TokenTree> = group.stream().into_iter().collect();
                for part in inner.split(|token| is_punct(token, ',')) {
                    if !part.is_empty() {
                        path(part, before.clone(), found);
                    }
                }
                return;
            }
            _ => break,
        }
        if !tokens.get(at + 1).is_some_and(is_colon) {
            break;
        }
        at += 3;
    }
    // `use a::{self}`.
    if before.len() > 1 && before.last().is_some_and(|name| name == "self") {
        before.pop();
    }
    if !before.is_empty() {
        found.push(before);
    }
}

fn absolute(module: &[String], path: Module) -> Option<Module> {
    let mut base = module.to_vec();
    let mut rest = path.as_slice();
    if rest[0] == "crate" {
        return Some(rest[1..].to_vec());
    }
    while rest.first().is_some_and(|name| name == "super") {
        base.pop()?;
        rest = &rest[1..];
    }
    base.extend_from_slice(rest);
    Some(base)
}

fn inline_module(tokens: &[TokenTree]) -> Option<(String, Vec<TokenTree>)> {
    match tokens {
        [_, TokenTree::Ident(name), TokenTree::Group(group), ..] => {
            Some((name.to_string(), group.stream().into_iter().collect()))
        }
        _ => None,
    }
}

fn is_cfg_test(token: &TokenTree) -> bool {
    let TokenTree::Group(group) = token else { return false };
    group.stream().to_string().replace(' ', "").starts_with("cfg(test")
}

fn is_colon(token: &TokenTree) -> bool {
    is_punct(token, ':')
}

fn is_punct(token: &TokenTree, mark: char) -> bool {
    matches!(token, TokenTree::Punct(punct) if punct.as_char() == mark)
}
