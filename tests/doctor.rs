//! `parcourse doctor` on machines where something is missing.

use serde_json::Value;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Output};
use tempfile::TempDir;

/// An isolated machine: empty cache and temporary folder, no network access.
struct Machine {
    cache: TempDir,
    temporary: TempDir,
}

impl Machine {
    fn new() -> Machine {
        let temporary = tempfile::Builder::new().prefix("pc-").tempdir_in("/tmp").unwrap();
        Machine {
            cache: tempfile::Builder::new().prefix("parcourse cäche ").tempdir().unwrap(),
            temporary,
        }
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_parcourse"));
        command
            .args(["doctor", "--offline"])
            .args(arguments)
            .current_dir(env!("CARGO_MANIFEST_DIR"));
        command
            .env("PARCOURSE_CACHE", self.cache.path())
            .env("PARCOURSE_TMPDIR", self.temporary.path());
        command.env("JUPYTER_DATA_DIR", self.cache.path().join("jupyter data"));
        for name in ["RAYON_NUM_THREADS", "PARCOURSE_PYTHON", "PARCOURSE_HELPERS"] {
            command.env_remove(name);
        }
        command
    }

    /// A folder for PATH with a compiler that can only print its version.
    fn with_compiler(&self, version: &str) -> String {
        let bin = self.cache.path().join("toolchain/bin");
        fs::create_dir_all(&bin).unwrap();
        program(
            &bin.join("rustc"),
            &format!(
                "echo 'rustc {version} (0 2026-01-01)'; echo 'host: x86_64-unknown-linux-gnu'"
            ),
        );
        program(&bin.join("cargo"), "true");
        bin.to_str().unwrap().to_owned()
    }
}

fn program(path: &Path, script: &str) {
    fs::write(path, format!("#!/bin/sh\n{script}\n")).unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}

/// Returns the check with this name from the JSON.
fn check<'a>(report: &'a Value, name: &str) -> &'a Value {
    let checks = report["checks"].as_array().unwrap();
    checks
        .iter()
        .find(|check| check["name"] == name)
        .unwrap_or_else(|| panic!("no check {name} in {report:#}"))
}

fn report(command: &mut Command) -> (Value, Option<i32>) {
    let output = command.arg("--json").output().unwrap();
    let report = serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|error| panic!("{error}: {}", said(&output)));
    (report, output.status.code())
}

#[test]
fn a_machine_before_the_set_up_has_warnings_that_name_the_command() {
    let machine = Machine::new();
    let (report, code) = report(&mut machine.command(&[]));
    for check in report["checks"].as_array().unwrap() {
        assert!(
            ["ok", "unknown", "warning", "problem"].contains(&check["verdict"].as_str().unwrap()),
            "{check}"
        );
        assert!(!check["found"].as_str().unwrap().is_empty(), "{check}");
        let needs_advice = check["verdict"] == "warning" || check["verdict"] == "problem";
        assert_eq!(check["fix"].is_string(), needs_advice, "{check}");
    }
    assert_eq!(code, Some(i32::from(report["problems"] != 0)), "{report:#}");
    for name in ["rustc", "cargo", "rust-src", "libstd", "linker"] {
        assert_eq!(check(&report, name)["verdict"], "ok", "{report:#}");
    }
    let template = check(&report, "helper crate");
    assert!(
        template["verdict"] == "warning"
            && template["fix"].as_str().unwrap().contains("parcourse prepare"),
        "{template}"
    );
    assert!(
        report["checks"].as_array().unwrap().iter().all(|check| check["name"] != "PyPI"),
        "offline asks no index"
    );
    assert!(
        !machine.cache.path().join("python").exists()
            && !machine.cache.path().join("template").exists(),
        "nothing is set up"
    );
}

#[test]
fn without_a_compiler_the_way_to_one_is_told() {
    let machine = Machine::new();
    let output = machine.command(&[]).env("PATH", "/no/such/folder").output().unwrap();
    let said = said(&output);
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains("PROBLEM  rustc") && said.contains("https://rustup.rs"), "{said}");
    assert!(
        said.contains("PROBLEM  Python") && said.contains("apt install python3 python3-venv"),
        "{said}"
    );
    assert!(said.contains("unknown  linker"), "{said}");
}

#[test]
fn parts_of_a_toolchain_that_are_missing_are_named() {
    let machine = Machine::new();
    let path = machine.with_compiler("1.99.0");
    let (report, code) = report(machine.command(&[]).env("PATH", path));
    assert_eq!(code, Some(1));
    assert_eq!(
        check(&report, "rustc")["verdict"],
        "warning",
        "newer than the one in rust-toolchain.toml"
    );
    for (name, package) in [
        ("rust-src", "rustup component add rust-src"),
        ("libstd", "libstd-rust-dev"),
        ("linker", "apt install gcc"),
    ] {
        let check = check(&report, name);
        assert_eq!(check["verdict"], "problem", "{check}");
        assert!(check["fix"].as_str().unwrap().contains(package), "{check}");
    }
}

#[test]
fn an_old_compiler_is_a_problem() {
    let machine = Machine::new();
    let path = machine.with_compiler("1.70.0");
    let (report, _) = report(machine.command(&[]).env("PATH", path));
    assert_eq!(check(&report, "rustc")["verdict"], "problem");
}

#[test]
fn a_disk_without_enough_space_is_a_problem() {
    let machine = Machine::new();
    let (report, code) = report(&mut machine.command(&["--disk", "100000000"]));
    assert_eq!(code, Some(1));
    let check = check(&report, "disk of cache");
    assert!(
        check["verdict"] == "problem" && check["fix"].as_str().unwrap().contains("PARCOURSE_CACHE"),
        "{check}"
    );
}

#[test]
fn a_long_temporary_folder_and_a_forgotten_variable_are_noticed() {
    let machine = Machine::new();
    let long =
        machine.temporary.path().join("job.1234567.of-a-server-with-a-long-name.example.org");
    let (report, code) = report(
        machine.command(&[]).env("PARCOURSE_TMPDIR", &long).env("RAYON_NUM_THREADS", "9999"),
    );
    assert_eq!(code, Some(1));
    assert_eq!(check(&report, "socket paths")["verdict"], "problem", "{report:#}");
    assert!(check(&report, "threads")["fix"].as_str().unwrap().contains("RAYON_NUM_THREADS"));
}

/// Cargo reads configuration from all folders above, so no other user may write to them.
#[test]
fn a_folder_that_others_can_write_to_is_named() {
    let machine = Machine::new();
    let open = machine.temporary.path().join("open");
    fs::create_dir(&open).unwrap();
    fs::set_permissions(&open, fs::Permissions::from_mode(0o1777)).unwrap();
    let (ours, _) = report(machine.command(&[]).env("PARCOURSE_TMPDIR", &open));
    let builds = check(&ours, "builds");
    assert!(
        builds["verdict"] == "warning"
            && builds["found"].as_str().unwrap().contains("can be written by every user"),
        "{builds}"
    );
    let (nowhere, code) =
        report(machine.command(&[]).env("PARCOURSE_TMPDIR", &open).env("XDG_CACHE_HOME", &open));
    let builds = check(&nowhere, "builds");
    assert!(
        builds["verdict"] == "problem"
            && builds["fix"].as_str().unwrap().contains("PARCOURSE_CACHE"),
        "{builds}"
    );
    assert_eq!(code, Some(1));
    // The doctor does not change folders that are not ours.
    assert_eq!(open.metadata().unwrap().permissions().mode() & 0o7777, 0o1777);
}

#[test]
fn another_programs_kernel_is_noticed() {
    let machine = Machine::new();
    let spec = machine.cache.path().join("jupyter/kernels/rust");
    fs::create_dir_all(&spec).unwrap();
    fs::write(
        spec.join("kernel.json"),
        r#"{"argv": ["/usr/bin/evcxr_jupyter"], "display_name": "Evcxr"}"#,
    )
    .unwrap();
    let (report, _) =
        report(machine.command(&[]).env("JUPYTER_PATH", machine.cache.path().join("jupyter")));
    let check = check(&report, "kernels");
    assert!(
        check["verdict"] == "warning" && check["found"].as_str().unwrap().contains("Evcxr"),
        "{check}"
    );
}
