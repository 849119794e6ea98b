//! The key of a template: a hash over everything that decides whether cargo would reuse its
//! compiled crates.

use super::kernel_kind::KernelKind;
use super::sources::Sources;
use super::toolchain::Toolchain;
use super::{FORMAT, lockfile};
use crate::base::{hash, paths};
use anyhow::{Context, Result};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::Path;

/// The engine's release, as pinned in Cargo.toml.
const ENGINE: &str = "0.22.0";

/// Everything that a template depends on, read once.
pub struct CacheInputs {
    pub kind: KernelKind,
    pub toolchain: Toolchain,
    pub sources: Sources,
    /// The lock file to start from, if the helper crate's workspace has one.
    pub lock: Option<String>,
    /// `KERNEL-HASH`, the name of the template's folder.
    pub key: String,
}

impl CacheInputs {
    /// Reads the helper crate's sources and asks the compiler for its version. The compiler's
    /// answer is cached below `cache`.
    pub fn read(helpers: &Path, kind: KernelKind, cache: &Path) -> Result<CacheInputs> {
        let sources = Sources::collect(helpers)?;
        let toolchain = Toolchain::find(&sources.helpers, cache)?;
        let file = sources.workspace.join("Cargo.lock");
        let lock = match std::fs::read_to_string(&file) {
            Ok(text) => lockfile::closure(&text, &sources.packages[0].name)
                .with_context(|| format!("failed to parse {}", file.display()))?,
            Err(_) => None,
        };
        let mut hash = Hash::new();
        hash.add("format", FORMAT.to_string());
        hash.add("engine", ENGINE);
        hash.add("kernel", kind.name());
        hash.add("cpu", kind.cpu_identity());
        hash.add("rustc", &toolchain.version);
        hash.add("std", toolchain.standard_library());
        for command in kind.setup_commands() {
            hash.add("setup", command);
        }
        for (name, value) in environment(kind, std::env::vars_os()) {
            hash.add(name.as_encoded_bytes(), value.as_encoded_bytes());
        }
        for linker in ["mold", "lld"] {
            hash.add(linker, [u8::from(is_on_path(linker))]);
        }
        hash.add("cargo configuration", cargo_configuration());
        hash.add("workspace", &sources.workspace_settings);
        hash.add("lock", lock.as_deref().unwrap_or_default());
        // Cells name the helper crate by its path, and to cargo crates in different folders are
        // different crates.
        hash.add("helpers", sources.helpers.as_os_str().as_encoded_bytes());
        for package in &sources.packages {
            for file in &package.files {
                let contents = std::fs::read(file)
                    .with_context(|| format!("failed to read {}", file.display()))?;
                hash.add(file.as_os_str().as_encoded_bytes(), contents);
            }
        }
        let key = format!("{}-{}", kind.name(), hash.finish());
        Ok(CacheInputs { kind, toolchain, sources, lock, key })
    }
}

/// The environment variables that change what cargo builds, with this kernel's own settings
/// applied.
fn environment(
    kind: KernelKind,
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
    // The engine always sets these itself.
    let overwritten = ["CARGO_TARGET_DIR", "CARGO_BUILD_BUILD_DIR", "CARGO_BUILD_TARGET_DIR"];
    let counts = |name: &OsString| {
        let name = name.to_string_lossy();
        (prefixes.iter().any(|prefix| name.starts_with(prefix)) || names.contains(&&*name))
            && !overwritten.contains(&&*name)
    };
    let mut kept: BTreeMap<OsString, OsString> = all.filter(|(name, _)| counts(name)).collect();
    kept.extend(
        kind.cell_environment().into_iter().map(|(name, value)| (name.into(), value.into())),
    );
    kept
}

fn is_on_path(program: &str) -> bool {
    std::env::split_paths(&std::env::var_os("PATH").unwrap_or_default())
        .any(|folder| folder.join(program).is_file())
}

/// The user's own cargo configuration, which may set another profile or linker.
fn cargo_configuration() -> Vec<u8> {
    let Some(home) = paths::cargo_home() else { return Vec::new() };
    ["config.toml", "config"]
        .iter()
        .find_map(|name| std::fs::read(home.join(name)).ok())
        .unwrap_or_default()
}

/// A hash over labelled parts, each with its length, so that different lists of parts never look
/// the same.
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
    fn depends_on_contents_and_not_on_times() {
        let folder = tempfile::tempdir().unwrap();
        helpers(folder.path());
        let cache = tempfile::tempdir().unwrap();
        let key = |kind| CacheInputs::read(folder.path(), kind, cache.path()).unwrap().key;
        let first = key(KernelKind::Parcourse);
        assert!(first.starts_with("parcourse-"), "{first}");
        assert_ne!(first, key(KernelKind::Evcxr));
        let lib = folder.path().join("src/lib.rs");
        let file = fs::File::options().write(true).open(&lib).unwrap();
        file.set_modified(std::time::SystemTime::now() + Duration::from_secs(60)).unwrap();
        assert_eq!(first, key(KernelKind::Parcourse), "same contents, newer file");
        fs::write(&lib, "pub mod prelude { }\n").unwrap();
        let second = key(KernelKind::Parcourse);
        assert_ne!(first, second, "edited");
        fs::write(
            folder.path().join("Cargo.lock"),
            "version = 4\n[[package]]\nname = \"parcourse\"\nversion = \"0.1.0\"\n",
        )
        .unwrap();
        assert_ne!(second, key(KernelKind::Parcourse), "lock file added");
        fs::rename(&lib, folder.path().join("src/main.rs")).unwrap();
        assert_ne!(second, key(KernelKind::Parcourse), "renamed");
    }

    #[test]
    fn the_environment_that_cargo_reads_counts() {
        let variables = |list: &[(&str, &str)]| {
            let list: Vec<(OsString, OsString)> =
                list.iter().map(|&(name, value)| (name.into(), value.into())).collect();
            environment(KernelKind::Evcxr, list.into_iter())
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
            KernelKind::Parcourse,
            [("CARGO_PROFILE_DEV_CODEGEN_UNITS".into(), "256".into())].into_iter(),
        );
        assert_eq!(
            ours["CARGO_PROFILE_DEV_CODEGEN_UNITS".as_ref() as &std::ffi::OsStr],
            "1",
            "our settings override the user's"
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
