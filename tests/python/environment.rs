//! Environments with other people's software, pinned with digests in a requirements file of the tests.

use super::{output, root};
use sha2::{Digest, Sha256};
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;

/// The Python of the environment with what `requirements` (a path in the repository) pins: made in place, complete when its marker is
/// there, one process at a time, and kept. `base` is the Python of `parcourse lab`, beside whose environment it lies.
pub fn environment(name: &str, requirements: &str, base: &Path) -> Result<PathBuf, String> {
    let requirements = root().join(requirements);
    let pinned = fs::read(&requirements).map_err(|error| format!("{}: {error}", requirements.display()))?;
    let mut digest = Sha256::new();
    digest.update(&pinned);
    digest.update(base.as_os_str().as_encoded_bytes());
    let key: String = digest.finalize()[..6].iter().map(|byte| format!("{byte:02x}")).collect();
    // That Python is `FOLDER/ENVIRONMENT/bin/python`.
    let parent = base.ancestors().nth(3).ok_or("the private Python has no folder")?;
    let folder = parent.join(format!("{name}-{key}"));
    let (python, marker) = (folder.join("bin/python"), folder.join("complete"));
    let lock = File::create(parent.join(format!("{name}-{key}.lock"))).map_err(|error| error.to_string())?;
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
