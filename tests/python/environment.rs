//! Python environments for tests: pinned, made once per user and kept.

use super::output;
use sha2::{Digest, Sha256};
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;

/// The Python of an environment with exactly these requirements: made in place, complete when its
/// marker is there, one process at a time. `base` is the Python of `parcourse lab`'s environment,
/// beside which it is kept as `NAME-KEY`.
pub fn ensure(base: &Path, name: &str, requirements: &Path) -> Result<PathBuf, String> {
    let pinned =
        fs::read(requirements).map_err(|error| format!("{}: {error}", requirements.display()))?;
    let mut digest = Sha256::new();
    digest.update(&pinned);
    digest.update(base.as_os_str().as_encoded_bytes());
    let key: String = digest.finalize()[..6].iter().map(|byte| format!("{byte:02x}")).collect();
    // Beside the environment of `parcourse lab`, whose Python is `FOLDER/ENVIRONMENT/bin/python`.
    let parent = base.ancestors().nth(3).ok_or("the private Python has no folder")?;
    let folder = parent.join(format!("{name}-{key}"));
    let (python, marker) = (folder.join("bin/python"), folder.join("complete"));
    let lock = File::create(parent.join(format!("{name}-{key}.lock")))
        .map_err(|error| error.to_string())?;
    lock.lock().map_err(|error| error.to_string())?;
    if !(marker.is_file() && python.exists()) {
        output(Command::new(base).args(["-I", "-m", "venv", "--clear"]).arg(&folder))?;
        let mut pip = Command::new(&python);
        pip.args([
            "-I",
            "-m",
            "pip",
            "install",
            "--quiet",
            "--no-deps",
            "--require-hashes",
            "--requirement",
        ])
        .arg(requirements);
        output(&mut pip)?;
        fs::write(marker, "").map_err(|error| error.to_string())?;
    }
    Ok(python)
}
