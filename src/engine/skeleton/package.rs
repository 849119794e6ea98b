//! Strips the files of a crate.

use super::cfg::Cfg;
use super::items::{self, ModuleFile, Skeleton, StripSettings};
use anyhow::{Context, Result, bail};
use ra_ap_syntax::Edition;
use std::collections::{BTreeMap, HashSet};
use std::path::{Path, PathBuf};

/// The crate to strip.
pub struct Package<'a> {
    /// The root module's file.
    pub root: &'a Path,
    /// The crate's folder. Paths in the skeleton are relative to it.
    pub folder: &'a Path,
    pub cfg: &'a Cfg,
    pub edition: Edition,
    /// Whether all module files have a `mod` declaration outside macros, so that other files can be
    /// skipped.
    pub declares_all: bool,
    /// Whether it is a crate of procedural macros, of which only declarations are kept.
    pub has_macros: bool,
}

/// Writes the skeleton of a crate below `to`, with the same paths as below its folder. Returns the
/// root module's file.
///
/// # Errors
/// If a file does not parse before or after stripping, or a module has no file. The caller then
/// uses the whole sources.
pub fn strip(package: &Package, to: &Path) -> Result<PathBuf> {
    if package.has_macros {
        let source = std::fs::read_to_string(package.root)?;
        let names =
            items::procedural_macros(&source, package.edition).context("it does not parse")?;
        return write(package, package.root, &names, to);
    }
    let mut called = HashSet::new();
    loop {
        let files = files(package, &called)?;
        let found: HashSet<String> =
            files.values().flat_map(|file| file.called.iter().cloned()).collect();
        let missing = files
            .values()
            .flat_map(|file| &file.left_out)
            .any(|name| found.contains(name) && !called.contains(name));
        if missing {
            called.extend(found);
            continue;
        }
        for (path, skeleton) in &files {
            write(package, path, &skeleton.text, to)?;
        }
        return Ok(to.join(package.root.strip_prefix(package.folder)?));
    }
}

/// Writes one file, after checking that it still parses.
fn write(package: &Package, path: &Path, text: &str, to: &Path) -> Result<PathBuf> {
    let errors = ra_ap_syntax::SourceFile::parse(text, package.edition).errors();
    if let Some(error) = errors.first() {
        let line = text[..usize::from(error.range().start()).min(text.len())].lines().count();
        let line = text.lines().nth(line.saturating_sub(1)).unwrap_or_default();
        bail!("{} does not parse after stripping: {error}: {line:?}", path.display());
    }
    let file = to.join(path.strip_prefix(package.folder)?);
    let folder = file.parent().context("a file is in a folder")?;
    std::fs::create_dir_all(folder)
        .with_context(|| format!("failed to make {}", folder.display()))?;
    std::fs::write(&file, text).with_context(|| format!("failed to write {}", file.display()))?;
    Ok(file)
}

fn files(package: &Package, called: &HashSet<String>) -> Result<BTreeMap<PathBuf, Skeleton>> {
    let conditions = if package.declares_all { BTreeMap::new() } else { conditions(package) };
    let settings = StripSettings {
        cfg: package.cfg,
        edition: package.edition,
        called,
        conditions: &conditions,
    };
    let mut files = BTreeMap::new();
    // Files to strip, each with the folder of its modules.
    let source = package.root.parent().unwrap_or(package.folder);
    let mut queue = vec![(package.root.to_owned(), source.to_owned())];
    let mut absent: Vec<PathBuf> = Vec::new();
    let mut named = true;
    loop {
        let Some((path, folder)) = queue.pop() else {
            // Macros may generate declarations of modules.
            let left = |path: &PathBuf| {
                !files.contains_key(path) && !absent.iter().any(|absent| path.starts_with(absent))
            };
            let others = if package.declares_all { Vec::new() } else { sources_below(source) };
            let others = others
                .into_iter()
                .filter(|path| path.extension().is_some_and(|end| end == "rs"))
                .filter(left);
            let folder = |path: &Path| {
                if path.ends_with("mod.rs") {
                    path.parent().map(Path::to_owned)
                } else {
                    Some(path.with_extension(""))
                }
            };
            queue.extend(others.filter_map(|path| Some((path.clone(), folder(&path)?))));
            named = false;
            if queue.is_empty() {
                return Ok(files);
            }
            continue;
        };
        if files.contains_key(&path) {
            continue;
        }
        let source = std::fs::read_to_string(&path)
            .with_context(|| format!("failed to read {}", path.display()))?;
        let skeleton = items::strip(&source, &settings)
            .with_context(|| format!("{} does not parse", path.display()))?;
        for module in &skeleton.absent {
            let found = locate(module, &path, &folder);
            absent.extend(
                found
                    .into_iter()
                    .flat_map(|(file, folder)| {
                        [Some(file), module.path.is_none().then_some(folder)]
                    })
                    .flatten(),
            );
        }
        for module in &skeleton.modules {
            match locate(module, &path, &folder) {
                Some(found) if found.0.starts_with(package.folder) => queue.push(found),
                // Outside the crate's folder, like the standard library's vendor intrinsics.
                Some(_) => {}
                None if module.required && named => {
                    bail!("module {} of {} has no file", module.name, path.display())
                }
                None => {}
            }
        }
        files.insert(path, skeleton);
    }
}

/// The crate's macros that put a condition on items, and whether the condition holds.
fn conditions(package: &Package) -> BTreeMap<String, bool> {
    let mut conditions = BTreeMap::new();
    for file in sources_below(package.root.parent().unwrap_or(package.folder)) {
        let source = std::fs::read_to_string(&file).unwrap_or_default();
        if source.contains("macro_rules! cfg_") {
            conditions.extend(super::macros::conditions(&source, package.cfg, package.edition));
        }
    }
    conditions
}

/// The file of a module, and the folder of its own modules.
fn locate(module: &ModuleFile, file: &Path, folder: &Path) -> Option<(PathBuf, PathBuf)> {
    let folder = module.inside.iter().fold(folder.to_owned(), |folder, name| folder.join(name));
    if let Some(path) = &module.path {
        // Relative to the file's folder, unless it is inside an inline module.
        let base = if module.inside.is_empty() { file.parent()?.to_owned() } else { folder };
        let found = normalized(&base.join(path));
        let own = found.parent()?.to_owned();
        return found.is_file().then_some((found, own));
    }
    let inner = folder.join(&module.name);
    let candidates = [folder.join(format!("{}.rs", module.name)), inner.join("mod.rs")];
    candidates.into_iter().find(|candidate| candidate.is_file()).map(|found| (found, inner))
}

/// The path without `..`.
fn normalized(path: &Path) -> PathBuf {
    let mut normal = PathBuf::new();
    for part in path.components() {
        match part {
            std::path::Component::ParentDir => drop(normal.pop()),
            part => normal.push(part),
        }
    }
    normal
}

/// The Rust files and manifests in a folder, sorted. Skips build directories and hidden folders.
pub fn sources_below(folder: &Path) -> Vec<PathBuf> {
    let (mut found, mut queue) = (Vec::new(), vec![folder.to_owned()]);
    while let Some(folder) = queue.pop() {
        for entry in std::fs::read_dir(&folder).into_iter().flatten().flatten() {
            let (path, name) = (entry.path(), entry.file_name());
            let name = name.to_string_lossy();
            if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
                if name != "target" && !name.starts_with('.') {
                    queue.push(path);
                }
            } else if name.ends_with(".rs") || name == "Cargo.toml" {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn strip_files(files: &[(&str, &str)]) -> Result<Vec<String>> {
        let folder = tempfile::tempdir().unwrap();
        for (name, text) in files {
            let file = folder.path().join("crate").join(name);
            std::fs::create_dir_all(file.parent().unwrap()).unwrap();
            std::fs::write(file, text).unwrap();
        }
        let crate_folder = folder.path().join("crate");
        let (root, to) = (crate_folder.join("src/lib.rs"), folder.path().join("skeleton"));
        let cfg = Cfg::parse("unix");
        let package = Package {
            root: &root,
            folder: &crate_folder,
            cfg: &cfg,
            edition: Edition::CURRENT,
            declares_all: false,
            has_macros: false,
        };
        let new_root = strip(&package, &to)?;
        assert_eq!(new_root, to.join("src/lib.rs"));
        let found = sources_below(&to);
        Ok(found
            .into_iter()
            .map(|file| file.strip_prefix(&to).unwrap().display().to_string())
            .collect())
    }

    #[test]
    fn strips_the_files_of_all_modules_that_are_compiled() {
        let files = strip_files(&[
            (
                "src/lib.rs",
                "mod a; mod deep; #[path = \"odd/name.rs\"] mod b; #[cfg(test)] mod tests; \
                 modules!(made);",
            ),
            ("src/a.rs", ""),
            ("src/deep/mod.rs", "mod inner;"),
            ("src/deep/inner.rs", ""),
            ("src/odd/name.rs", ""),
            ("src/tests.rs", "mod more;"),
            ("src/tests/more.rs", ""),
            ("src/made.rs", ""),
            ("build.rs", ""),
        ]);
        let expected = [
            "src/a.rs",
            "src/deep/inner.rs",
            "src/deep/mod.rs",
            "src/lib.rs",
            "src/made.rs",
            "src/odd/name.rs",
        ];
        assert_eq!(files.unwrap(), expected);
    }

    #[test]
    fn a_crate_that_does_not_parse_has_no_skeleton() {
        let error = strip_files(&[("src/lib.rs", "pub fn f( {")]).unwrap_err();
        assert!(error.to_string().contains("does not parse"), "{error:#}");
        let error = strip_files(&[("src/lib.rs", "mod nowhere;")]).unwrap_err();
        assert!(error.to_string().contains("nowhere"), "{error:#}");
    }
}
