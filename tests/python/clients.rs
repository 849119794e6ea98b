//! An environment with Jupyter clients that are not ours, pinned in
//! `tests/clients/requirements.txt`, and kernelspecs for them.

use super::private_tmp::PrivateTmp;
use super::{PARCOURSE, environment, lab_python, output, root};
use std::fs;
use std::path::PathBuf;
use std::process::Command;
use tempfile::TempDir;

/// Clients, and a Jupyter folder in which `rust` is our kernel and `rust-stock` the stock one.
pub struct Clients {
    python: PathBuf,
    jupyter: TempDir,
    /// For PARCOURSE_TMPDIR. A short path: sockets.
    private_tmp: PrivateTmp,
}

impl Clients {
    /// Everything the scripts need; made once per user and kept.
    pub fn set_up() -> Result<Self, String> {
        let python = environment::ensure(
            &lab_python()?,
            "clients",
            &root().join("tests/clients/requirements.txt"),
        )?;
        let jupyter = tempfile::tempdir().map_err(|error| error.to_string())?;
        let mut install = Command::new(PARCOURSE);
        install.current_dir(root()).args([
            "kernel",
            "install",
            "--display-name",
            "Rust",
            "--name",
            "rust",
        ]);
        output(install.arg("--prefix").arg(jupyter.path()))?;
        let stock = jupyter.path().join("share/jupyter/kernels/rust-stock");
        let spec = serde_json::json!({
            "argv": [PARCOURSE, "--control_file", "{connection_file}"],
            "display_name": "Rust (stock evcxr)",
            "language": "rust",
            "interrupt_mode": "message",
        });
        fs::create_dir_all(&stock).map_err(|error| error.to_string())?;
        fs::write(stock.join("kernel.json"), spec.to_string())
            .map_err(|error| error.to_string())?;
        let private_tmp = PrivateTmp::new("pc-");
        Ok(Self { python, jupyter, private_tmp })
    }

    /// Runs one of the scripts in `tests/clients`; what it said when it fails.
    pub fn run(
        &self,
        script: &str,
        arguments: &[&str],
        environment: &[(&str, &str)],
    ) -> Result<(), String> {
        let mut command = Command::new(&self.python);
        command.arg(root().join("tests/clients").join(script)).args(arguments).current_dir(root());
        command
            .env("JUPYTER_PATH", self.jupyter.path().join("share/jupyter"))
            .env("JUPYTER_DATA_DIR", self.jupyter.path().join("data"))
            .env("JUPYTER_CONFIG_DIR", self.jupyter.path().join("config"))
            .env("JUPYTER_RUNTIME_DIR", self.jupyter.path().join("run"))
            .env("PARCOURSE_TMPDIR", self.private_tmp.path())
            .env("IPYTHONDIR", self.jupyter.path().join("ipython"))
            .env("PYTHONDONTWRITEBYTECODE", "1")
            .envs(environment.iter().copied());
        let (stdout, stderr) = output(&mut command)?;
        print!("{stdout}{stderr}");
        Ok(())
    }
}
