//! The sources of a helper crate: its own files, those of its `path` dependencies, and its
//! workspace's settings.
//!
//! We find them without cargo, by following `path` dependencies from manifest to manifest: asking
//! cargo would take longer than a kernel may take to start.

use crate::base::files;
use anyhow::{Context, Result, bail};
use std::path::{Path, PathBuf};
use std::time::SystemTime;
use toml::{Table, Value};

/// The helper crate and its `path` dependencies.
#[derive(Debug)]
pub struct Sources {
    /// The helper crate's folder, without symbolic links.
    pub helpers: PathBuf,
    /// The packages in order of discovery, the helper crate first.
    pub packages: Vec<Package>,
    /// The folder of the workspace's manifest; the helper crate's own folder if it is in no
    /// workspace.
    pub workspace: PathBuf,
    /// The parts of the workspace's manifest that decide how its members are built.
    pub workspace_settings: String,
}

/// The helper crate or one of its `path` dependencies.
#[derive(Debug)]
pub struct Package {
    pub name: String,
    /// All files that may end up in the compiled crate, sorted, the manifest among them.
    pub files: Vec<PathBuf>,
}

impl Sources {
    /// Follows the manifests from the helper crate's folder.
    pub fn collect(helpers: &Path) -> Result<Sources> {
        let helpers = helpers.canonicalize().with_context(|| {
            format!(
                "failed to find the helper crate `{}`: name its folder with --helpers",
                helpers.display()
            )
        })?;
        let manifest = read_manifest(&helpers)?;
        let workspace = find_workspace(&helpers, &manifest)?;
        let workspace_manifest =
            if workspace == helpers { manifest } else { read_manifest(&workspace)? };
        let mut sources = Sources {
            helpers: helpers.clone(),
            packages: Vec::new(),
            workspace,
            workspace_settings: settings(&workspace_manifest),
        };
        let mut waiting = vec![helpers];
        let mut seen = Vec::new();
        while let Some(folder) = waiting.pop() {
            if seen.contains(&folder) {
                continue;
            }
            let manifest = read_manifest(&folder)?;
            let name = package_name(&manifest)
                .with_context(|| {
                    format!("{} names no package", folder.join("Cargo.toml").display())
                })?
                .to_owned();
            waiting.extend(path_dependencies(
                &folder,
                &manifest,
                &sources.workspace,
                &workspace_manifest,
            )?);
            sources.packages.push(Package { name, files: files_of(&folder)? });
            seen.push(folder);
        }
        Ok(sources)
    }

    /// The modification time of the newest source file.
    pub fn newest(&self) -> Option<SystemTime> {
        let files = self.packages.iter().flat_map(|package| &package.files);
        files.filter_map(|file| std::fs::metadata(file).ok()?.modified().ok()).max()
    }
}

fn read_manifest(folder: &Path) -> Result<Table> {
    let file = folder.join("Cargo.toml");
    let text = std::fs::read_to_string(&file)
        .with_context(|| format!("failed to read {}", file.display()))?;
    text.parse().with_context(|| format!("failed to parse {}", file.display()))
}

fn package_name(manifest: &Table) -> Option<&str> {
    manifest.get("package")?.get("name")?.as_str()
}

/// Where cargo would find the workspace of a package: the one that its manifest names, or the
/// nearest folder above it whose manifest has a `[workspace]`.
fn find_workspace(folder: &Path, manifest: &Table) -> Result<PathBuf> {
    if let Some(named) =
        manifest.get("package").and_then(|package| package.get("workspace")).and_then(Value::as_str)
    {
        let named = folder.join(named);
        return named
            .canonicalize()
            .with_context(|| format!("failed to find the workspace {}", named.display()));
    }
    for ancestor in folder.ancestors() {
        if ancestor.join("Cargo.toml").is_file()
            && read_manifest(ancestor)?.contains_key("workspace")
        {
            return Ok(ancestor.to_path_buf());
        }
    }
    Ok(folder.to_path_buf())
}

/// What members inherit, and what replaces dependencies. The rest of the manifest (the programs in
/// the workspace) does not matter.
fn settings(manifest: &Table) -> String {
    let kept: Table = manifest
        .iter()
        .filter(|(name, _)| ["workspace", "patch", "replace"].contains(&name.as_str()))
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect();
    kept.to_string()
}

fn path_dependencies(
    folder: &Path,
    manifest: &Table,
    workspace: &Path,
    workspace_manifest: &Table,
) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    let targets = manifest
        .get("target")
        .and_then(Value::as_table)
        .into_iter()
        .flat_map(Table::values)
        .filter_map(Value::as_table);
    for table in std::iter::once(manifest).chain(targets) {
        for section in ["dependencies", "build-dependencies"] {
            for (name, value) in table.get(section).and_then(Value::as_table).into_iter().flatten()
            {
                let inherited = value.get("workspace").and_then(Value::as_bool).unwrap_or(false);
                let (base, value) = if inherited {
                    let shared = workspace_manifest
                        .get("workspace")
                        .and_then(|table| table.get("dependencies"));
                    (workspace, shared.and_then(|table| table.get(name)))
                } else {
                    (folder, Some(value))
                };
                let Some(path) = value.and_then(|value| value.get("path")).and_then(Value::as_str)
                else {
                    continue;
                };
                let path = base.join(path);
                match path.canonicalize() {
                    Ok(path) => found.push(path),
                    Err(error) => bail!(
                        "{} depends on `{name}` in {}: {error}",
                        folder.join("Cargo.toml").display(),
                        path.display()
                    ),
                }
            }
        }
    }
    Ok(found)
}

/// All files of a package, sorted, without cargo's output, hidden files, other packages inside it,
/// and what only its own tests use.
fn files_of(folder: &Path) -> Result<Vec<PathBuf>> {
    let only_tests = ["target", "tests", "benches", "examples"];
    let wanted = |within: &Path| {
        let is_hidden =
            within.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(b"."));
        let path = folder.join(within);
        let is_unused = only_tests.iter().any(|name| within == Path::new(name));
        !is_hidden && !(path.is_dir() && (is_unused || path.join("Cargo.toml").exists()))
    };
    let files = files::below(folder, &wanted)?;
    Ok(files.into_iter().map(|within| folder.join(within)).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn write(root: &Path, name: &str, text: &str) {
        let file = root.join(name);
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        std::fs::write(file, text).unwrap();
    }

    fn relative(root: &Path, package: &Package) -> Vec<String> {
        package
            .files
            .iter()
            .map(|file| file.strip_prefix(root).unwrap().display().to_string())
            .collect()
    }

    #[test]
    fn follows_paths_and_skips_what_is_not_compiled() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().canonicalize().unwrap();
        write(
            &root,
            "Cargo.toml",
            "[workspace]\nmembers = [\"helpers\"]\n[workspace.dependencies]\nshared = { path = \
             \"shared\" }\n[package]\nname = \"tool\"\n",
        );
        write(
            &root,
            "helpers/Cargo.toml",
            "[package]\nname = \"parcourse\"\n[dependencies]\nmacros = { path = \"macros\" \
             }\nshared = { workspace = true }\nrayon = \"1\"\n",
        );
        write(&root, "helpers/src/lib.rs", "");
        write(&root, "helpers/src/time/mod.rs", "");
        write(&root, "helpers/README.md", "");
        write(&root, "helpers/tests/all.rs", "");
        write(&root, "helpers/target/debug/x", "");
        write(&root, "helpers/.hidden", "");
        write(&root, "helpers/gpu/Cargo.toml", "[package]\nname = \"gpu\"\n");
        write(&root, "helpers/macros/Cargo.toml", "[package]\nname = \"macros\"\n");
        write(&root, "helpers/macros/src/lib.rs", "");
        write(&root, "shared/Cargo.toml", "[package]\nname = \"shared\"\n");
        let sources = Sources::collect(&root.join("helpers")).unwrap();
        let mut names: Vec<&str> =
            sources.packages.iter().map(|package| package.name.as_str()).collect();
        assert_eq!(names.remove(0), "parcourse");
        names.sort();
        assert_eq!(names, ["macros", "shared"]);
        assert_eq!(
            relative(&root, &sources.packages[0]),
            [
                "helpers/Cargo.toml",
                "helpers/README.md",
                "helpers/src/lib.rs",
                "helpers/src/time/mod.rs"
            ]
        );
        assert_eq!(sources.workspace, root);
        assert!(sources.workspace_settings.contains("shared"));
        assert!(!sources.workspace_settings.contains("tool"), "{}", sources.workspace_settings);
    }

    #[test]
    fn a_missing_path_is_named() {
        let folder = tempfile::tempdir().unwrap();
        write(
            folder.path(),
            "Cargo.toml",
            "[package]\nname = \"parcourse\"\n[dependencies]\nlost = { path = \"../lost\" }\n",
        );
        let error = Sources::collect(folder.path()).unwrap_err().to_string();
        assert!(error.contains("`lost`"), "{error}");
        let error = Sources::collect(Path::new("/nowhere")).unwrap_err().to_string();
        assert!(error.contains("/nowhere") && error.contains("--helpers"), "{error}");
    }
}
