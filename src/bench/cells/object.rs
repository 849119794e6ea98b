//! The machine code of a compiled cell, read from its shared object.

use object::{Object as _, ObjectSection as _, ObjectSymbol as _, SectionKind, SymbolKind};
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

/// The machine code of a cell.
#[derive(Serialize, Clone, Default)]
pub struct Object {
    pub code_bytes: u64,
    /// Its origins, largest first.
    pub parts: Vec<Part>,
}

/// The functions of one origin.
#[derive(Serialize, Clone, Debug, PartialEq)]
pub struct Part {
    /// A crate, or a module of the helper crate; `cell` for the user's own code.
    pub origin: String,
    pub bytes: u64,
    pub functions: usize,
}

impl Object {
    /// Reads an object file. Empty if the file is not a valid object.
    pub fn read(file: &Path) -> Object {
        let data = std::fs::read(file).unwrap_or_default();
        let Ok(object) = object::File::parse(&*data) else { return Object::default() };
        let code_bytes = object
            .sections()
            .filter(|section| section.kind() == SectionKind::Text)
            .map(|section| section.size())
            .sum();
        let functions = object
            .symbols()
            .filter(|symbol| symbol.kind() == SymbolKind::Text && symbol.size() > 0);
        let named = functions.filter_map(|symbol| {
            Some((format!("{:#}", rustc_demangle::demangle(symbol.name().ok()?)), symbol.size()))
        });
        Object { code_bytes, parts: parts(named) }
    }
}

fn parts(functions: impl Iterator<Item = (String, u64)>) -> Vec<Part> {
    let mut by_origin: BTreeMap<String, Part> = BTreeMap::new();
    for (name, size) in functions {
        let origin = origin(&name);
        let part =
            by_origin.entry(origin.clone()).or_insert(Part { origin, bytes: 0, functions: 0 });
        part.bytes += size;
        part.functions += 1;
    }
    let mut parts: Vec<Part> = by_origin.into_values().collect();
    parts.sort_by_key(|part| std::cmp::Reverse(part.bytes));
    parts
}

/// Returns the origin of a function: the first crate in its name that is neither the standard
/// library nor the cell, because `drop_in_place::<Pool>` exists for the pool.
fn origin(name: &str) -> String {
    let is_word = |character: char| character.is_alphanumeric() || character == '_';
    let paths: Vec<&str> =
        name.split(|character: char| !(is_word(character) || character == ':')).collect();
    let of = |known: &[&str], wanted: bool| {
        let mut crates = paths.iter().filter_map(|path| path.split_once("::"));
        crates.find(|(first, _)| !first.is_empty() && known.contains(first) == wanted).map(
            |(first, rest)| {
                let module = rest.split("::").next().unwrap_or_default();
                let is_module = module.starts_with(char::is_lowercase);
                if first == "parcourse" && is_module {
                    format!("{first}::{module}")
                } else {
                    first.to_owned()
                }
            },
        )
    };
    const STANDARD: [&str; 4] = ["core", "alloc", "std", "hashbrown"];
    let unknown = of(&[&STANDARD[..], &["ctx"]].concat(), false);
    unknown.or_else(|| of(&STANDARD, true)).unwrap_or_else(|| "cell".to_owned())
}

/// Finds the object of the most recently compiled cell, given the folder of the only running
/// kernel.
pub struct Watch {
    kernels: PathBuf,
    /// Names alone are not unique: every kernel counts from the beginning, and templates contain
    /// objects, too.
    seen: BTreeSet<(PathBuf, SystemTime)>,
}

impl Watch {
    pub fn new(kernels: PathBuf) -> Watch {
        Watch { kernels, seen: BTreeSet::new() }
    }

    /// Returns the newest object since the last call; `None` if nothing was compiled.
    pub fn newest(&mut self) -> Option<Object> {
        let is_cell = |path: &PathBuf| {
            path.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(b"libcode_"))
        };
        let targets = entries(&self.kernels)
            .into_iter()
            .flat_map(|kernel| entries(&kernel.join("work/target")));
        // Cargo copies objects from the second folder to the first.
        let folders = targets.flat_map(|target| [target.join("debug"), target.join("debug/deps")]);
        let files = folders.flat_map(|folder| entries(&folder)).filter(is_cell);
        let dated = files.filter_map(|path| {
            let modified =
                std::fs::metadata(&path).and_then(|metadata| metadata.modified()).ok()?;
            Some((path, modified))
        });
        let new: Vec<(PathBuf, SystemTime)> =
            dated.filter(|file| !self.seen.contains(file)).collect();
        self.seen.extend(new.iter().cloned());
        new.iter().max_by_key(|(_, modified)| *modified).map(|(path, _)| Object::read(path))
    }
}

fn entries(folder: &Path) -> Vec<PathBuf> {
    std::fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn functions_are_told_by_where_they_come_from() {
        for (name, expected) in [
            (
                "<parcourse::threads::pool::Pool>::map::<i32, ctx::run_user_code_3::{closure#0}>",
                "parcourse::threads",
            ),
            ("core::ptr::drop_in_place::<parcourse::processes::Pool>", "parcourse::processes"),
            ("<parcourse::Table as core::fmt::Debug>::fmt", "parcourse"),
            ("rayon::iter::plumbing::bridge::<ctx::f>", "rayon"),
            ("<alloc::vec::Vec<f64> as core::ops::Drop>::drop", "alloc"),
            ("ctx::run_user_code_3::{closure#0}", "cell"),
            ("run_user_code_3", "cell"),
        ] {
            assert_eq!(origin(name), expected, "{name}");
        }
    }

    #[test]
    fn the_largest_part_comes_first() {
        let functions = [("ctx::f", 10), ("rayon::a", 5), ("rayon::b::<ctx::f>", 8)];
        let parts = parts(functions.into_iter().map(|(name, size)| (name.to_owned(), size)));
        let part =
            |origin: &str, bytes, functions| Part { origin: origin.to_owned(), bytes, functions };
        assert_eq!(parts, [part("rayon", 13, 2), part("cell", 10, 1)]);
    }
}
