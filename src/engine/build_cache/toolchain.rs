//! The Rust compiler that the engine will use, and what distinguishes it from others.
//!
//! The engine asks `rustup which` and then searches `PATH`. We do the same from the helper crate's
//! folder, because its `rust-toolchain.toml` is the one that counts. The output of `rustc -vV` is
//! cached by path and modification time, because running the compiler takes 20 ms.

use crate::base::trust;
use anyhow::{Context, Result, bail};
use serde::{Deserialize, Serialize};
use std::ffi::OsString;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::Command;

/// A compiler, identified by everything that decides whether compiled crates are compatible.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Toolchain {
    /// The compiler itself, not rustup's proxy on `PATH`.
    pub rustc: PathBuf,
    /// What `rustc -vV` prints.
    pub version: String,
    /// Whether rustup chose it, so that `RUSTUP_TOOLCHAIN` can name it again.
    pub from_rustup: bool,
}

#[derive(Serialize, Deserialize)]
struct CachedVersion {
    stamp: String,
    version: String,
}

impl Toolchain {
    /// The compiler that is used in `directory`. Its version is cached below `cache`.
    pub fn find(directory: &Path, cache: &Path) -> Result<Toolchain> {
        let (rustc, from_rustup) = locate(directory)?;
        let version = version(&rustc, cache)?;
        Ok(Toolchain { rustc, version, from_rustup })
    }

    /// The target triple that the compiler compiles for by default.
    pub fn host(&self) -> Result<&str> {
        self.version.lines().find_map(|line| line.strip_prefix("host: ")).with_context(|| {
            format!("`{} -vV` did not print its host: reinstall the compiler", self.rustc.display())
        })
    }

    /// The folder that holds `bin/rustc` and `lib/rustlib`.
    pub fn sysroot(&self) -> Option<&Path> {
        self.rustc.parent()?.parent()
    }

    /// Whether the standard library's sources are installed. The engine needs them to infer the
    /// types of variables.
    pub fn has_library_sources(&self) -> bool {
        self.sysroot().is_some_and(|root| root.join("lib/rustlib/src/rust/library/std").is_dir())
    }

    /// The variable that makes rustup choose this compiler in any folder. The engine runs rustup in
    /// a kernel's folder, not in the helper crate's.
    pub fn environment(&self) -> Option<(&'static str, OsString)> {
        let sysroot = self.sysroot().filter(|_| self.from_rustup)?;
        // By name if it has one, because then rustup can add components.
        let named = sysroot.parent()?.ends_with("toolchains");
        let value =
            if named { sysroot.file_name()?.into() } else { sysroot.as_os_str().to_owned() };
        Some(("RUSTUP_TOOLCHAIN", value))
    }

    /// The variable that makes the dynamic linker find the standard library.
    ///
    /// Cells contain a path to it that is relative to the folder they were compiled in, which is
    /// one level deeper than the folder they are loaded from. That does no harm as long as the
    /// relative path goes through the root of the file system. If the build directory and the
    /// toolchain share a part of their paths (both are in the home folder), loading fails.
    pub fn library_path(&self) -> Option<(&'static str, OsString)> {
        let directory = self.sysroot()?.join("lib/rustlib").join(self.host().ok()?).join("lib");
        let existing = std::env::var_os("LD_LIBRARY_PATH").unwrap_or_default();
        let all = std::iter::once(directory)
            .chain(std::env::split_paths(&existing).filter(|path| !path.as_os_str().is_empty()));
        Some(("LD_LIBRARY_PATH", std::env::join_paths(all).ok()?))
    }

    /// The cargo of the same toolchain, as the engine would find it.
    pub fn cargo(&self) -> PathBuf {
        let beside = self.rustc.with_file_name("cargo");
        if self.from_rustup && beside.exists() { beside } else { PathBuf::from("cargo") }
    }

    /// File name of the dynamic standard library, which contains a hash. Two builds of the compiler
    /// may print the same version and still be incompatible (a distribution's and rustup's), but
    /// this hash differs. Empty if the library is not in the usual place.
    pub fn standard_library(&self) -> String {
        let Some(directory) = self
            .sysroot()
            .zip(self.host().ok())
            .map(|(root, host)| root.join("lib/rustlib").join(host).join("lib"))
        else {
            return String::new();
        };
        let mut names: Vec<String> = std::fs::read_dir(directory)
            .into_iter()
            .flatten()
            .flatten()
            .filter_map(|entry| entry.file_name().into_string().ok())
            .filter(|name| name.starts_with("libstd-") && !name.ends_with(".rlib"))
            .collect();
        names.sort();
        names.join(" ")
    }
}

/// The compiler that the engine finds in `directory`, and whether rustup chose it. Ignores a
/// `rust-toolchain.toml` above it that another user could have written, because it may name a
/// program to run.
pub fn locate(directory: &Path) -> Result<(PathBuf, bool)> {
    let names = ["rust-toolchain.toml", "rust-toolchain"];
    let absolute = std::path::absolute(directory).unwrap_or_else(|_| directory.to_owned());
    let mut files = absolute
        .ancestors()
        .flat_map(|folder| names.map(|name| folder.join(name)))
        .filter(|file| file.exists());
    let is_trusted =
        files.next().is_none_or(|file| trust::accepts_found(&file, "RUSTUP_TOOLCHAIN"));
    let directory = if is_trusted { directory } else { Path::new("/") };
    let mut rustup = Command::new("rustup");
    crate::engine::cargo_proxy::bypass(&mut rustup);
    if let Ok(output) = rustup.args(["which", "rustc"]).current_dir(directory).output()
        && output.status.success()
        && let Ok(text) = String::from_utf8(output.stdout)
    {
        return Ok((PathBuf::from(text.trim()), true));
    }
    for folder in std::env::split_paths(&std::env::var_os("PATH").unwrap_or_default()) {
        let candidate = folder.join("rustc");
        if candidate.is_file() {
            return Ok((candidate, false));
        }
    }
    bail!(
        "found no Rust compiler: install one from https://rustup.rs, or put `rustc` and `cargo` \
         on PATH"
    )
}

fn version(rustc: &Path, cache: &Path) -> Result<String> {
    let metadata = std::fs::metadata(rustc)
        .with_context(|| format!("failed to read the compiler {}", rustc.display()))?;
    let stamp = format!(
        "{} {}.{} {}",
        rustc.display(),
        metadata.mtime(),
        metadata.mtime_nsec(),
        metadata.size()
    );
    let file = cache
        .join("rustc")
        .join(format!("{}.json", crate::base::hash::short(rustc.as_os_str().as_encoded_bytes())));
    let cached = std::fs::read(&file)
        .ok()
        .and_then(|bytes| serde_json::from_slice::<CachedVersion>(&bytes).ok());
    if let Some(cached) = cached
        && cached.stamp == stamp
    {
        return Ok(cached.version);
    }
    let output = Command::new(rustc)
        .arg("-vV")
        .output()
        .with_context(|| format!("failed to run {}", rustc.display()))?;
    if !output.status.success() {
        bail!(
            "`{} -vV` failed: {}",
            rustc.display(),
            String::from_utf8_lossy(&output.stderr).trim()
        );
    }
    let version = String::from_utf8(output.stdout).with_context(|| {
        format!("`{} -vV` printed something that is not UTF-8", rustc.display())
    })?;
    // If the cache is not writable, this only costs time.
    let _ = store(&file, &CachedVersion { stamp, version: version.clone() });
    Ok(version)
}

fn store(file: &Path, version: &CachedVersion) -> Result<()> {
    let folder = file.parent().context("no folder")?;
    std::fs::create_dir_all(folder)?;
    let new = tempfile::NamedTempFile::new_in(folder)?;
    serde_json::to_writer(&new, version)?;
    new.persist(file)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn caches_the_compilers_version() {
        let cache = tempfile::tempdir().unwrap();
        let here = Path::new(env!("CARGO_MANIFEST_DIR"));
        let first = Toolchain::find(here, cache.path()).unwrap();
        assert!(first.version.starts_with("rustc "), "{}", first.version);
        assert!(first.host().unwrap().contains('-'));
        assert!(first.has_library_sources(), "rust-toolchain.toml asks for rust-src");
        assert!(first.standard_library().contains("libstd-"), "{}", first.standard_library());
        assert_eq!(std::fs::read_dir(cache.path().join("rustc")).unwrap().count(), 1);
        assert_eq!(Toolchain::find(here, cache.path()).unwrap(), first);
    }

    #[test]
    fn asks_again_if_the_compiler_was_replaced() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let rustc = folder.path().join("rustc");
        let install = |text: &str| {
            std::fs::write(&rustc, format!("#!/bin/sh\necho '{text}'\n")).unwrap();
            std::fs::set_permissions(&rustc, std::fs::Permissions::from_mode(0o755)).unwrap();
        };
        install("rustc 1");
        assert_eq!(version(&rustc, folder.path()).unwrap().trim(), "rustc 1");
        install("rustc 22");
        assert_eq!(version(&rustc, folder.path()).unwrap().trim(), "rustc 22");
    }

    #[test]
    fn a_read_only_cache_only_costs_time() {
        let (rustc, _) = locate(Path::new("/")).unwrap();
        assert!(version(&rustc, Path::new("/proc/nowhere")).unwrap().starts_with("rustc "));
    }
}
