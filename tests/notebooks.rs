//! Executes every cell of every notebook of the course, on our kernel and on the stock one: one named test per notebook and kernel, such as
//! `00_welcome::evcxr`. A test of its own proves that no notebook is left out.
//!
//! One notebook runs at a time unless `--test-threads` says otherwise: cells measure speed-ups, and a neighbour would spoil them.

use libtest_mimic::{Arguments, Failed, Trial};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};

const KERNELS: [&str; 2] = ["parcourse", "evcxr"];

fn main() -> ExitCode {
    let mut arguments = Arguments::from_args();
    arguments.test_threads.get_or_insert(1);
    let notebooks = on_disk();
    let tested: Vec<(String, &str)> = notebooks.iter().flat_map(|file| KERNELS.map(|kernel| (file.clone(), kernel))).collect();
    let mut trials: Vec<Trial> =
        tested.iter().cloned().map(|(file, kernel)| Trial::test(name(&file, kernel), move || execute(&file, kernel))).collect();
    trials.push(Trial::test("tidy::every_notebook_is_listed_and_tested", move || tidy(&tested)));
    libtest_mimic::run(&arguments, trials).exit_code()
}

fn name(file: &str, kernel: &str) -> String {
    format!("{}::{kernel}", file.trim_end_matches(".ipynb"))
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("notebooks")
}

fn on_disk() -> BTreeSet<String> {
    let entries = std::fs::read_dir(folder()).into_iter().flatten().flatten();
    entries.filter_map(|entry| entry.file_name().into_string().ok()).filter(|name| name.ends_with(".ipynb")).collect()
}

fn execute(file: &str, kernel: &str) -> Result<(), Failed> {
    let mut command = Command::new(env!("CARGO_BIN_EXE_parcourse"));
    command.current_dir(env!("CARGO_MANIFEST_DIR")).args(["run", "--kernel", kernel]).arg(Path::new("notebooks").join(file));
    let output = command.stdin(Stdio::null()).output()?;
    if output.status.success() {
        return Ok(());
    }
    Err(format!("{}\n{}{}", output.status, String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr)).into())
}

/// The manifest, the folder and the tests must name the same notebooks.
fn tidy(tested: &[(String, &str)]) -> Result<(), Failed> {
    let path = folder().join("course.toml");
    let text = std::fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()))?;
    let manifest: toml::Table = text.parse()?;
    let entries = manifest.get("notebook").and_then(|list| list.as_array()).ok_or("course.toml lists no notebook")?;
    let file_of = |entry: &toml::Value| entry.get("file")?.as_str().map(str::to_string);
    let listed: BTreeSet<String> = entries.iter().filter_map(file_of).collect();
    let disk = on_disk();
    let mut problems: Vec<String> = Vec::new();
    problems.extend(disk.difference(&listed).map(|file| format!("notebooks/{file} is not listed in notebooks/course.toml")));
    problems.extend(listed.difference(&disk).map(|file| format!("notebooks/course.toml lists {file}, which does not exist")));
    for file in &listed {
        let missing = KERNELS.iter().filter(|kernel| !tested.iter().any(|(tested, on)| tested == file && on == *kernel));
        problems.extend(missing.map(|kernel| format!("{file} is not tested on {kernel}")));
    }
    // Folders below would be overlooked; hidden ones hold JupyterLab's checkpoints.
    let is_shown = |entry: &std::fs::DirEntry| !entry.file_name().to_string_lossy().starts_with('.');
    for entry in std::fs::read_dir(folder())?.flatten().filter(|entry| is_shown(entry) && entry.path().is_dir()) {
        let nested = std::fs::read_dir(entry.path())?.flatten().filter(|file| file.path().extension().is_some_and(|end| end == "ipynb"));
        problems.extend(nested.map(|file| format!("{} is in a folder of its own, where no test looks", file.path().display())));
    }
    if problems.is_empty() { Ok(()) } else { Err(problems.join("\n").into()) }
}
