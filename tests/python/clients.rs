//! An environment with Jupyter clients that are not ours, pinned in `tests/clients/requirements.txt`, and kernelspecs for them.

use super::{PARCOURSE, lab_python, output, root};
use sha2::{Digest, Sha256};
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;
use tempfile::TempDir;

/// Clients, and a Jupyter folder in which `rust` is our kernel and `rust-stock` the stock one.
pub struct Clients {
    python: PathBuf,
    jupyter: TempDir,
    /// For PARCOURSE_TMPDIR: there is one kernel in waiting per user, and these tests need theirs for themselves. A short path: sockets.
    private_tmp: TempDir,
}

impl Clients {
    /// Everything the scripts need; made once per user and kept.
    pub fn set_up() -> Result<Self, String> {
        let python = environment(&lab_python()?)?;
        let jupyter = tempfile::tempdir().map_err(|error| error.to_string())?;
        for (name, options) in [("rust", &["--no-standby"][..]), ("rust-standby", &[])] {
            let mut install = Command::new(PARCOURSE);
            install.current_dir(root()).args(["kernel", "install", "--display-name", "Rust", "--name", name]).args(options);
            output(install.arg("--prefix").arg(jupyter.path()))?;
        }
        let stock = jupyter.path().join("share/jupyter/kernels/rust-stock");
        let spec = serde_json::json!({
            "argv": [PARCOURSE, "--control_file", "{connection_file}"],
            "display_name": "Rust (stock evcxr)",
            "language": "rust",
            "interrupt_mode": "message",
        });
        fs::create_dir_all(&stock).map_err(|error| error.to_string())?;
        fs::write(stock.join("kernel.json"), spec.to_string()).map_err(|error| error.to_string())?;
        let private_tmp = tempfile::Builder::new().prefix("pc-").tempdir_in("/tmp").map_err(|error| error.to_string())?;
        Ok(Self { python, jupyter, private_tmp })
    }

    /// Runs one of the scripts in `tests/clients`; what it said when it fails.
    pub fn run(&self, script: &str, arguments: &[&str], environment: &[(&str, &str)]) -> Result<(), String> {
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

/// The environment's Python: made in place, complete when its marker is there, one process at a time.
fn environment(base: &Path) -> Result<PathBuf, String> {
    let requirements = root().join("tests/clients/requirements.txt");
    let pinned = fs::read(&requirements).map_err(|error| format!("{}: {error}", requirements.display()))?;
    let mut digest = Sha256::new();
    digest.update(&pinned);
    digest.update(base.as_os_str().as_encoded_bytes());
    let key: String = digest.finalize()[..6].iter().map(|byte| format!("{byte:02x}")).collect();
    // Beside the environment of `parcourse lab`, whose Python is `FOLDER/ENVIRONMENT/bin/python`.
    let parent = base.ancestors().nth(3).ok_or("the private Python has no folder")?;
    let folder = parent.join(format!("clients-{key}"));
    let (python, marker) = (folder.join("bin/python"), folder.join("complete"));
    let lock = File::create(parent.join(format!("clients-{key}.lock"))).map_err(|error| error.to_string())?;
    lock.lock().map_err(|error| error.to_string())?;
    if !(marker.is_file() && python.exists()) {
        output(Command::new(base).args(["-I", "-m", "venv", "--clear"]).arg(&folder))?;
        let mut pip = Command::new(&python);
        pip.args(["-I", "-m", "pip", "install", "--quiet", "--no-deps", "--require-hashes", "--requirement"]).arg(&requirements);
        output(&mut pip)?;
        fs::write(marker, "").map_err(|error| error.to_string())?;
    }
    Ok(python)
}
