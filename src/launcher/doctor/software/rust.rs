//! Checks the compiler, cargo, and toolchain components that some distributions package separately.

use crate::engine::build_cache::Toolchain;
use crate::launcher::doctor::finding::Finding;
use crate::launcher::doctor::setup::Setup;
use crate::launcher::lab::ADD_SOURCES;
use std::path::Path;

/// The oldest compiler that can compile the helper crate.
const OLDEST: &str = env!("CARGO_PKG_RUST_VERSION");

pub fn checks(setup: &Setup) -> Vec<Finding> {
    let toolchain = match &setup.toolchain {
        Ok(toolchain) => toolchain,
        Err(error) => {
            return vec![Finding::problem(
                "rustc",
                format!("{error:#}"),
                "install Rust from https://rustup.rs, or load your cluster's module for it, so \
                that `rustc` and `cargo` are on PATH",
            )];
        }
    };
    vec![
        compiler(toolchain, setup.helpers.as_deref()),
        cargo(toolchain),
        sources(toolchain),
        shared_library(toolchain),
    ]
}

fn compiler(toolchain: &Toolchain, helpers: Option<&Path>) -> Finding {
    let line = toolchain.version.lines().next().unwrap_or_default();
    let version = line.split_whitespace().nth(1).unwrap_or_default();
    let found = format!("{version} ({})", toolchain.rustc.display());
    let wanted = helpers.and_then(wanted_channel);
    match wanted {
        _ if numbers(version) < numbers(OLDEST) => Finding::problem(
            "rustc",
            found,
            format!(
                "the course needs {OLDEST} or newer: run `rustup update`, or install it from \
                https://rustup.rs"
            ),
        ),
        Some(wanted) if numbers(&wanted) != numbers(version) && !numbers(&wanted).is_empty() => {
            Finding::warning(
                "rustc",
                format!("{found}; the course is tested with {wanted}"),
                format!("if something behaves oddly, run `rustup toolchain install {wanted}`"),
            )
        }
        Some(wanted) => {
            Finding::ok("rustc", format!("{found}, as required by rust-toolchain.toml ({wanted})"))
        }
        None => Finding::ok("rustc", found),
    }
}

/// Returns the version in the `rust-toolchain.toml` that applies to the helper crate.
fn wanted_channel(helpers: &Path) -> Option<String> {
    let text = helpers
        .ancestors()
        .find_map(|folder| std::fs::read_to_string(folder.join("rust-toolchain.toml")).ok())?;
    let table: toml::Table = text.parse().ok()?;
    Some(table.get("toolchain")?.get("channel")?.as_str()?.to_owned())
}

/// Returns the numeric parts of a version; empty for channels such as `stable`.
fn numbers(version: &str) -> Vec<u32> {
    version.split(['.', '-']).map_while(|part| part.parse().ok()).collect()
}

fn cargo(toolchain: &Toolchain) -> Finding {
    let cargo = toolchain.cargo();
    let path = std::env::var_os("PATH").unwrap_or_default();
    let found = if cargo.is_absolute() {
        Some(cargo)
    } else {
        std::env::split_paths(&path)
            .map(|folder| folder.join("cargo"))
            .find(|cargo| cargo.is_file())
    };
    match found {
        Some(cargo) => Finding::ok("cargo", cargo.display().to_string()),
        None => Finding::problem(
            "cargo",
            "not found on PATH",
            "Debian, Ubuntu: apt install cargo\nFedora: dnf install cargo\nor https://rustup.rs",
        ),
    }
}

fn sources(toolchain: &Toolchain) -> Finding {
    if toolchain.has_library_sources() {
        Finding::ok("rust-src", "the library's sources are installed")
    } else {
        Finding::problem(
            "rust-src",
            "the sources of the standard library are not installed; the kernel needs them to \
            infer the types of variables",
            ADD_SOURCES,
        )
    }
}

fn shared_library(toolchain: &Toolchain) -> Finding {
    let names = toolchain.standard_library();
    let shared = names.split(' ').find(|name| name.ends_with(".so") || name.ends_with(".dylib"));
    let Some(name) = shared else {
        return Finding::problem(
            "libstd",
            "the toolchain has no shared standard library (libstd-….so), which cells and the \
            helper crate need",
            "Debian, Ubuntu: apt install libstd-rust-dev\nFedora: dnf install rust-std-static\nor \
            use the toolchain from https://rustup.rs",
        );
    };
    Finding::ok("libstd", format!("shared: {name}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::launcher::doctor::finding::Verdict;

    fn toolchain(root: &Path, version: &str) -> Toolchain {
        Toolchain {
            rustc: root.join("bin/rustc"),
            version: format!("rustc {version} (abc 2026-01-01)\nhost: x86_64-here\n"),
            from_rustup: true,
        }
    }

    #[test]
    fn versions_are_compared_by_their_numbers() {
        let folder = tempfile::tempdir().unwrap();
        let verdict = |version: &str, helpers: Option<&Path>| {
            compiler(&toolchain(folder.path(), version), helpers).verdict
        };
        assert_eq!(verdict("1.70.0", None), Verdict::Problem);
        assert_eq!(verdict(&format!("{OLDEST}.0"), None), Verdict::Ok);
        assert_eq!(verdict("1.100.0-nightly", None), Verdict::Ok);
        std::fs::write(
            folder.path().join("rust-toolchain.toml"),
            "[toolchain]\nchannel = \"1.99.1\"\n",
        )
        .unwrap();
        let helpers = folder.path().join("helpers");
        assert_eq!(verdict("1.99.1", Some(&helpers)), Verdict::Ok);
        assert_eq!(verdict("1.100.0", Some(&helpers)), Verdict::Warning);
        std::fs::write(
            folder.path().join("rust-toolchain.toml"),
            "[toolchain]\nchannel = \"stable\"\n",
        )
        .unwrap();
        assert_eq!(verdict("1.100.0", Some(&helpers)), Verdict::Ok);
    }

    #[test]
    fn missing_parts_are_problems_and_named() {
        let folder = tempfile::tempdir().unwrap();
        let bare = toolchain(folder.path(), "1.99.0");
        assert!(sources(&bare).fix.unwrap().contains("rustup component add rust-src"));
        assert_eq!(shared_library(&bare).verdict, Verdict::Problem);
        let library = folder.path().join("lib/rustlib/x86_64-here/lib");
        std::fs::create_dir_all(&library).unwrap();
        std::fs::write(library.join("libstd-1234.rmeta"), "").unwrap();
        assert_eq!(
            shared_library(&bare).verdict,
            Verdict::Problem,
            "an rmeta file is not a shared library"
        );
        std::fs::write(library.join("libstd-1234.so"), "").unwrap();
        std::fs::create_dir_all(folder.path().join("lib/rustlib/src/rust/library/std")).unwrap();
        assert_eq!(shared_library(&bare), Finding::ok("libstd", "shared: libstd-1234.so"));
        assert_eq!(sources(&bare).verdict, Verdict::Ok);
    }
}
