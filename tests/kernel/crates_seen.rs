//! The kernel's rust-analyzer sees fewer crates, and every other program sees all of them.

use super::PRELUDE;
use super::client::Kernel;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::Command;

/// In rustup's toolchain, or beside the compiler.
fn real_cargo() -> String {
    let asked = Command::new("rustup").args(["which", "cargo"]).output();
    let found = asked
        .ok()
        .filter(|output| output.status.success())
        .map(|output| String::from_utf8(output.stdout).unwrap().trim().to_owned());
    found.unwrap_or_else(|| "cargo".to_owned())
}

/// Crates for other systems may be missing, because cargo has fetched only what it has built.
fn host() -> String {
    let output = Command::new("rustc").arg("-vV").output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    text.lines().find_map(|line| line.strip_prefix("host: ")).unwrap().to_owned()
}

/// The names of all packages that cargo reports for this manifest when it is started under this
/// name.
fn packages(program: &Path, manifest: &Path, directory: &Path) -> Vec<String> {
    let mut command = Command::new(program);
    command
        .args([
            "metadata",
            "--format-version",
            "1",
            "--offline",
            "--filter-platform",
            &host(),
            "--manifest-path",
        ])
        .arg(manifest);
    let output = command
        .env("PARCOURSE_CARGO", real_cargo())
        .env("EVCXR_TMPDIR", directory)
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let answer: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    answer["packages"]
        .as_array()
        .unwrap()
        .iter()
        .map(|package| package["name"].as_str().unwrap().to_owned())
        .collect()
}

#[test]
fn rust_analyzer_reads_what_cells_can_see() {
    let folder = tempfile::tempdir().unwrap();
    let cargo = folder.path().join("cargo");
    symlink(env!("CARGO_BIN_EXE_parcourse"), &cargo).unwrap();
    let helpers = Path::new(env!("CARGO_MANIFEST_DIR")).join("helpers");
    let cells = folder.path().join("work");
    std::fs::create_dir_all(cells.join("src")).unwrap();
    std::fs::write(cells.join("src/lib.rs"), "").unwrap();
    std::fs::copy(
        Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.lock"),
        cells.join("Cargo.lock"),
    )
    .unwrap();
    let manifest = cells.join("Cargo.toml");
    let text = format!(
        "[package]\nname = \"ctx\"\nedition = \"2024\"\n[dependencies]\nparcourse = {{ path = \
         {helpers:?} }}\n[workspace]\n"
    );
    std::fs::write(&manifest, text).unwrap();

    let seen = packages(&cargo, &manifest, &cells);
    for visible in [
        "ctx",
        "parcourse",
        "parcourse-macros",
        "rayon",
        "ndarray",
        "rand",
        "plotters",
        "serde",
        "tokio",
    ] {
        assert!(seen.iter().any(|name| name == visible), "{visible}: {seen:?}");
    }
    for hidden in ["syn", "quote", "gimli", "libc", "mio", "postcard"] {
        assert!(!seen.iter().any(|name| name == hidden), "{hidden}: {seen:?}");
    }
    let all = packages(&cargo, &manifest, folder.path());
    assert!(
        all.iter().any(|name| name == "syn") && all.len() > seen.len(),
        "a manifest that is not the cells': {all:?}"
    );
}

/// Cells that start cargo and rustc get those of the toolchain with which the cells were compiled.
#[test]
fn cells_find_the_real_cargo() {
    let mut kernel = Kernel::start();
    kernel.ok(PRELUDE);
    kernel.ok("fn variable(name: &str) -> String { std::env::var(name).unwrap_or_default() }");
    assert_eq!(kernel.ok("variable(\"PARCOURSE_CARGO\")").result(), Some("\"\""));
    assert_eq!(
        kernel.ok("variable(\"RUSTUP_TOOLCHAIN\").contains(\"kernel-\")").result(),
        Some("false")
    );
    assert_eq!(kernel.ok("variable(\"CARGO\").contains(\"kernel-\")").result(), Some("false"));
    let version = kernel.ok(
        "String::from_utf8(std::process::Command::new(\"cargo\").arg(\"-V\").output()?.stdout)?",
    );
    assert!(
        version.result().is_some_and(|result| result.starts_with("\"cargo ")),
        "{}",
        version.all_output()
    );
    // Shell lines run in the engine's environment, which has the stand-in.
    let version = kernel.ok("!cargo -V && rustc -V");
    assert!(
        version.all_output().contains("cargo ") && version.all_output().contains("rustc "),
        "{}",
        version.all_output()
    );
}
