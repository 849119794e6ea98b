//! Finds out whether a Python's kernel can be measured.

use std::ffi::OsString;
use std::path::Path;

/// Typical first cell of a Python notebook on parallel computing.
pub const FIRST_CELL: &str = "import numpy, dask.array, numba";
pub const SECOND_CELL: &str = "int(numpy.arange(10).sum())";
pub const VARIABLE_CELL: &str = "variable = 3";

const NEEDED: [&str; 4] = ["ipykernel", "numpy", "dask", "numba"];

/// Returns the command line of its kernel, without the connection file, or why it cannot be
/// measured.
pub async fn kernel(python: &Path) -> Result<Vec<OsString>, String> {
    let program = python.display();
    let question = format!(
        "import importlib.util as u, sys; print(*[m for m in sys.argv[1:] if u.find_spec(m) is \
        None], {SEPARATOR:?})"
    );
    let mut command = tokio::process::Command::new(python);
    command
        .arg("-c")
        .arg(question)
        .args(NEEDED)
        .stdin(std::process::Stdio::null())
        .kill_on_drop(true);
    let advice = "pass another Python with --python";
    let output = command
        .output()
        .await
        .map_err(|error| format!("cannot start {program} ({error}); {advice}"))?;
    let text = String::from_utf8_lossy(&output.stdout);
    match text.trim().strip_suffix(SEPARATOR).map(str::trim) {
        Some("") => Ok(vec![python.into(), "-m".into(), "ipykernel_launcher".into(), "-f".into()]),
        Some(missing) => Err(format!("{program} has no {}; {advice}", missing.replace(' ', ", "))),
        None => Err(format!("{program} does not work ({}); {advice}", output.status)),
    }
}

/// Distinguishes an empty answer from no answer.
const SEPARATOR: &str = "|";

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn errors_name_the_reason() {
        let reason = kernel(Path::new("/no/such/python")).await.unwrap_err();
        assert!(
            reason.contains("cannot start /no/such/python") && reason.contains("--python"),
            "{reason}"
        );
        let reason = kernel(Path::new("false")).await.unwrap_err();
        assert!(reason.contains("does not work"), "{reason}");
    }
}
