//! A template's key: a hash over everything that decides whether cargo would accept its compiled
//! crates as they are.

use super::flavor::Flavor;
use super::sources::Sources;
use super::toolchain::Toolchain;
use super::{FORMAT, lockfile};
use crate::base::hash;
use anyhow::{Context, Result};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::Path;

/// The engine's release, as pinned in Cargo.toml.
const ENGINE: &str = "0.22.0";

/// Everything a template depends on, looked at once.
pub struct Ingredients {
    pub flavor: Flavor,
    pub toolchain: Toolchain,
    pub sources: Sources,
    /// Dependency versions to start from, when the helper crate's workspace has committed some.
    pub lock: Option<String>,
    /// `FLAVOR-HASH`, the name of the template's folder.
    pub key: String,
}

impl Ingredients {
    /// Reads the helper crate's sources and asks for the compiler. `memory` is where the compiler's
    /// answer is remembered.
    pub fn look(helpers: &Path, flavor: Flavor, memory: &Path) -> Result<Ingredients> {
        let sources = Sources::collect(helpers)?;
        let toolchain = Toolchain::find(&sources.helpers, memory)?;
        let file = sources.workspace.join("Cargo.lock");
        let lock = match std::fs::read_to_string(&file) {
            Ok(text) => lockfile::closure(&text, &sources.packages[0].name)
                .with_context(|| format!("failed to understand {}", file.display()))?,
            Err(_) => None,
        };
        let mut hash = Hash::new();
        hash.add("format", FORMAT.to_string());
        hash.add("engine", ENGINE);
        hash.add("flavor", flavor.name());
        hash.add("cpu", flavor.cpu_identity());
        hash.add("rustc", &toolchain.version);
        hash.add("std", toolchain.standard_library());
        for command in flavor.setup_commands() {
            hash.add("setup", command);
        }
        for (name, value) in environment(flavor, std::env::vars_os()) {
            hash.add(name.as_encoded_bytes(), value.as_encoded_bytes());
        }
        for linker in ["mold", "lld"] {
            hash.add(linker, [u8::from(is_on_path(linker))]);
        }
        hash.add("cargo configuration", cargo_configuration());
        hash.add("workspace", &sources.workspace_settings);
        hash.add("lock", lock.as_deref().unwrap_or_default());
        // Cells name the helper crate by its path, and cargo tells crates from different folders
        // apart.
        hash.add("helpers", sources.helpers.as_os_str().as_encoded_bytes());
        for package in &sources.packages {
            for file in &package.files {
                let contents = std::fs::read(file)
                    .with_context(|| format!("failed to read {}", file.display()))?;
                hash.add(file.as_os_str().as_encoded_bytes(), contents);
            }
        }
        let key = format!("{}-{}", flavor.name(), hash.finish());
        Ok(Ingredients { flavor, toolchain, sources, lock, key })
    }
}

/// The variables of the environment that change what cargo builds, with this flavor's in place.
fn environment(
    flavor: Flavor,
    all: impl Iterator<Item = (OsString, OsString)>,
) -> BTreeMap<OsString, OsString> {
    let prefixes = [
        "CARGO_PROFILE_",
        "CARGO_BUILD_",
        "CARGO_TARGET_",
        "CARGO_ENCODED_RUSTFLAGS",
        "CARGO_INCREMENTAL",
    ];
    let names = ["RUSTC_WRAPPER", "RUSTC_WORKSPACE_WRAPPER", "RUSTC_BOOTSTRAP"];
    // The engine sets these itself, whatever they were.
    let overwritten = ["CARGO_TARGET_DIR", "CARGO_BUILD_BUILD_DIR", "CARGO_BUILD_TARGET_DIR"];
    let counts = |name: &OsString| {
        let name = name.to_string_lossy();
        (prefixes.iter().any(|prefix| name.starts_with(prefix)) || names.contains(&&*name))
            && !overwritten.contains(&&*name)
    };
    let mut kept: BTreeMap<OsString, OsString> = all.filter(|(name, _)| counts(name)).collect();
    kept.extend(
        flavor.cell_environment().into_iter().map(|(name, value)| (name.into(), value.into())),
    );
    kept
}

fn is_on_path(program: &str) -> bool {
    std::env::split_paths(&std::env::var_os("PATH").unwrap_or_default())
        .any(|folder| folder.join(program).is_file())
}

/// The user's own cargo settings, which may name another profile or linker.
fn cargo_configuration() -> Vec<u8> {
    let home = std::env::var_os("CARGO_HOME")
        .map(Into::into)
        .or_else(|| dirs::home_dir().map(|home| home.join(".cargo")));
    let Some(home) = home else { return Vec::new() };
    ["config.toml", "config"]
        .iter()
        .find_map(|name| std::fs::read(home.join(name)).ok())
        .unwrap_or_default()
}

/// A hash over labelled parts, each with its length, so that no two lists of parts look the same.
struct Hash(Sha256);

impl Hash {
    fn new() -> Hash {
        Hash(Sha256::new())
    }

    fn add(&mut self, label: impl AsRef<[u8]>, part: impl AsRef<[u8]>) {
        for bytes in [label.as_ref(), part.as_ref()] {
            self.0.update((bytes.len() as u64).to_le_bytes());
            self.0.update(bytes);
        }
    }

    fn finish(self) -> String {
        hash::hex(&self.0.finalize()[..12])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use std::time::Duration;

    fn helpers(folder: &Path) {
        fs::create_dir_all(folder.join("src")).unwrap();
        fs::write(
            folder.join("Cargo.toml"),
            "[package]\nname = \"parcourse\"\nversion = \"0.1.0\"\n",
        )
        .unwrap();
        fs::write(folder.join("src/lib.rs"), "pub mod prelude {}\n").unwrap();
    }

    #[test]
    fn changes_with_content_and_not_with_time() {
        let folder = tempfile::tempdir().unwrap();
        helpers(folder.path());
        let memory = tempfile::tempdir().unwrap();
        let key = |flavor| Ingredients::look(folder.path(), flavor, memory.path()).unwrap().key;
        let first = key(Flavor::Parcourse);
        assert!(first.starts_with("parcourse-"), "{first}");
        assert_ne!(first, key(Flavor::Stock));
        let lib = folder.path().join("src/lib.rs");
        let file = fs::File::options().write(true).open(&lib).unwrap();
        file.set_modified(std::time::SystemTime::now() + Duration::from_secs(60)).unwrap();
        assert_eq!(first, key(Flavor::Parcourse), "written again with the same content");
        fs::write(&lib, "pub mod prelude { }\n").unwrap();
        let second = key(Flavor::Parcourse);
        assert_ne!(first, second, "edited");
        fs::write(
            folder.path().join("Cargo.lock"),
            "version = 4\n[[package]]\nname = \"parcourse\"\nversion = \"0.1.0\"\n",
        )
        .unwrap();
        assert_ne!(second, key(Flavor::Parcourse), "versions committed");
        fs::rename(&lib, folder.path().join("src/main.rs")).unwrap();
        assert_ne!(second, key(Flavor::Parcourse), "renamed");
    }

    #[test]
    fn the_environment_that_cargo_reads_counts() {
        let variables = |list: &[(&str, &str)]| {
            let list: Vec<(OsString, OsString)> =
                list.iter().map(|&(name, value)| (name.into(), value.into())).collect();
            environment(Flavor::Stock, list.into_iter())
        };
        assert!(
            variables(&[("CARGO_PKG_NAME", "x"), ("CARGO_TARGET_DIR", "y"), ("HOME", "z")])
                .is_empty()
        );
        assert_eq!(
            variables(&[("CARGO_PROFILE_DEV_LTO", "thin"), ("RUSTC_WRAPPER", "sccache")]).len(),
            2
        );
        let ours = environment(
            Flavor::Parcourse,
            [("CARGO_PROFILE_DEV_CODEGEN_UNITS".into(), "256".into())].into_iter(),
        );
        assert_eq!(
            ours["CARGO_PROFILE_DEV_CODEGEN_UNITS".as_ref() as &std::ffi::OsStr],
            "1",
            "a kernel sets ours over the user's"
        );
    }

    #[test]
    fn the_engine_named_is_the_engine_linked() {
        let lock =
            fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.lock")).unwrap();
        assert!(
            lock.contains(&format!("name = \"evcxr\"\nversion = \"{ENGINE}\"")),
            "bump ENGINE with the dependency"
        );
    }
}
