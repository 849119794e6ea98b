//! Registration with Jupyter through `parcourse kernel …`, in a temporary home folder.

use crate::python;
use serde_json::Value;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

const PARCOURSE: &str = env!("CARGO_BIN_EXE_parcourse");

/// An empty home folder.
struct Home {
    folder: tempfile::TempDir,
}

impl Home {
    fn new() -> Home {
        Home { folder: tempfile::tempdir().unwrap() }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn kernels(&self) -> PathBuf {
        self.path("data/kernels")
    }

    fn environment<'a>(&self, command: &'a mut Command) -> &'a mut Command {
        command
            .current_dir(self.folder.path())
            .env("HOME", self.folder.path())
            .env("JUPYTER_DATA_DIR", self.path("data"));
        command.env_remove("JUPYTER_PATH").env_remove("PARCOURSE_HELPERS")
    }

    fn kernel(&self, arguments: &[&str]) -> Output {
        self.environment(Command::new(PARCOURSE).arg("kernel").args(arguments)).output().unwrap()
    }

    fn works(&self, arguments: &[&str]) -> String {
        let output = self.kernel(arguments);
        assert!(
            output.status.success(),
            "{arguments:?}: {}",
            String::from_utf8_lossy(&output.stderr)
        );
        assert!(output.stderr.is_empty());
        String::from_utf8(output.stdout).unwrap()
    }

    fn fails(&self, arguments: &[&str]) -> String {
        let output = self.kernel(arguments);
        assert_eq!(
            output.status.code(),
            Some(2),
            "{arguments:?}: {}",
            String::from_utf8_lossy(&output.stdout)
        );
        String::from_utf8(output.stderr).unwrap()
    }
}

fn spec(folder: &Path) -> Value {
    serde_json::from_slice(&fs::read(folder.join("kernel.json")).unwrap()).unwrap()
}

#[test]
fn installs_lists_and_uninstalls_for_the_user() {
    let home = Home::new();
    let text = home.works(&["install", "--user"]);
    let folder = home.kernels().join("parcourse");
    assert!(text.contains(folder.to_str().unwrap()), "{text}");
    let value = spec(&folder);
    assert_eq!(value["display_name"], "Rust (Parcourse)");
    let program = Path::new(value["argv"][0].as_str().unwrap());
    assert!(program.is_absolute() && program.exists());
    let helpers = Path::new(env!("CARGO_MANIFEST_DIR")).join("helpers").canonicalize().unwrap();
    assert_eq!(
        value["env"]["PARCOURSE_HELPERS"].as_str(),
        helpers.to_str(),
        "the helper crate this binary was built beside"
    );
    assert!(folder.join("logo-64x64.png").exists());

    home.works(&["install", "--name", "rust", "--display-name", "Rust"]);
    assert_eq!(spec(&home.kernels().join("rust"))["display_name"], "Rust");
    let list = home.works(&["list"]);
    let of = |name: &str| list.lines().find(|line| line.starts_with(name)).map(str::to_owned);
    assert!(
        of("parcourse")
            .is_some_and(|line| line.contains("ours") && line.contains(folder.to_str().unwrap())),
        "{list}"
    );
    assert!(of("rust").is_some(), "{list}");

    home.works(&["uninstall"]);
    assert!(!folder.exists() && home.kernels().join("rust").exists());
    assert!(home.fails(&["uninstall"]).contains("no kernel `parcourse`"));
}

#[test]
fn installs_below_prefixes() {
    let home = Home::new();
    let prefix = home.path("env");
    let text = home.works(&["install", "--prefix", prefix.to_str().unwrap()]);
    assert!(prefix.join("share/jupyter/kernels/parcourse/kernel.json").exists());
    assert!(text.contains("JUPYTER_PATH"), "Jupyter does not look there by itself: {text}");
    assert!(
        home.works(&["list", "--prefix", "env"]).contains("ours"),
        "relative to the current folder"
    );
    home.works(&["uninstall", "--prefix", "env"]);
    assert!(!prefix.join("share/jupyter/kernels/parcourse").exists());

    // The environment of the first Python on PATH.
    let bin = home.path("bin");
    fs::create_dir(&bin).unwrap();
    fs::write(bin.join("python3"), format!("#!/bin/sh\necho '{}'\n", home.path("conda").display()))
        .unwrap();
    assert!(Command::new("chmod").arg("+x").arg(bin.join("python3")).status().unwrap().success());
    let path = format!("{}:{}", bin.display(), std::env::var("PATH").unwrap());
    let output = home
        .environment(Command::new(PARCOURSE).args(["kernel", "install", "--sys-prefix"]))
        .env("PATH", path)
        .output()
        .unwrap();
    assert!(output.status.success());
    assert!(home.path("conda/share/jupyter/kernels/parcourse/kernel.json").exists());
    assert!(home.fails(&["install", "--user", "--sys-prefix"]).contains("cannot be used with"));
}

#[test]
fn leaves_other_programs_kernels_alone() {
    let home = Home::new();
    let folder = home.kernels().join("rust");
    fs::create_dir_all(&folder).unwrap();
    let foreign = r#"{"argv": ["/nowhere/evcxr_jupyter", "--control_file", "{connection_file}"], "display_name": "Rust", "language": "rust"}"#;
    fs::write(folder.join("kernel.json"), foreign).unwrap();
    assert!(home.fails(&["install", "--name", "rust"]).contains("--force"));
    assert!(home.fails(&["uninstall", "--name", "rust"]).contains("another program's"));
    assert_eq!(fs::read_to_string(folder.join("kernel.json")).unwrap(), foreign);
    let list = home.works(&["list", "--user"]);
    assert!(list.contains("other") && list.contains("BROKEN: /nowhere/evcxr_jupyter"), "{list}");
    home.works(&["install", "--name", "rust", "--force"]);
    assert_eq!(spec(&folder)["argv"][1], "kernel");
}

#[test]
fn refuses_what_jupyter_could_not_use() {
    let home = Home::new();
    assert!(home.fails(&["install", "--name", "my kernel"]).contains("`my kernel`"));
    assert!(home.fails(&["install", "--helpers", "/nowhere"]).contains("/nowhere"));
    assert!(!home.kernels().exists());
}

/// Jupyter itself reads our specs. Needs the private Python of `parcourse lab`;
/// `PARCOURSE_REQUIRE_ALL=1` makes the test mandatory.
#[test]
fn jupyter_finds_the_kernel() {
    let home = Home::new();
    home.works(&["install"]);
    let script = "import json; from jupyter_client.kernelspec import KernelSpecManager as M; \
                  print(json.dumps({n: {'dir': s['resource_dir'], 'spec': s['spec']} for n, s in \
                  M().get_all_specs().items()}))";
    let python = match python::lab_python() {
        Ok(python) => python,
        Err(reason) => {
            return skip(&format!(
                "the private environment of `parcourse lab` cannot be made: {reason}"
            ));
        }
    };
    let output = home.environment(Command::new(&python).args(["-c", script])).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let found: Value = serde_json::from_slice(&output.stdout).unwrap();
    let ours = &found["parcourse"];
    assert_eq!(ours["dir"].as_str(), home.kernels().join("parcourse").to_str());
    assert_eq!(ours["spec"]["interrupt_mode"], "message");
    assert_eq!(ours["spec"]["language"], "rust");
    let command = home
        .environment(Command::new(&python).args([
            "-m",
            "jupyter_client.kernelspecapp",
            "list",
            "--json",
        ]))
        .output()
        .unwrap();
    let listed: Value = serde_json::from_slice(&command.stdout).unwrap();
    assert_eq!(listed["kernelspecs"]["parcourse"]["spec"]["display_name"], "Rust (Parcourse)");
}

fn skip(reason: &str) {
    assert_ne!(
        std::env::var("PARCOURSE_REQUIRE_ALL").as_deref(),
        Ok("1"),
        "not run although everything was asked for: {reason}"
    );
    eprintln!("skipped: {reason}");
}
