//! Shared by the tests of the command: running the built binary in a temporary sandbox, and finding
//! what it leaves behind.
#![allow(dead_code, reason = "every test binary uses its own part")]

pub mod course;
pub mod private_tmp;

use private_tmp::private_folder;
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

pub const BINARY: &str = env!("CARGO_BIN_EXE_parcourse");

/// How many times slower a busy machine may be than an idle one. No test depends on speed; timeouts
/// only end tests that hang.
const BUSY: u32 = 20;

pub fn fixture(name: &str) -> PathBuf {
    Path::new("tests/fixtures").join(name)
}

/// A temporary directory for the command's temporary files and the tests' reports.
pub struct Sandbox {
    directory: tempfile::TempDir,
    _temporary: tempfile::TempDir,
}

impl Sandbox {
    pub fn new() -> Sandbox {
        // A short name: unix sockets live below it.
        let directory = tempfile::Builder::new().prefix("pt").tempdir().unwrap();
        let temporary = private_tmp::link(&directory.path().join("p"));
        Sandbox { directory, _temporary: temporary }
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// For PARCOURSE_TMPDIR.
    fn temporary(&self) -> PathBuf {
        self.path("p")
    }

    /// The folder that the command makes for itself in its temporary directory.
    pub fn private(&self) -> PathBuf {
        private_folder(&self.temporary())
    }

    /// Creates a user's own results from yesterday in the temporary directory, with a name that
    /// looks like one of ours.
    pub fn foreign_results(&self) -> PathBuf {
        let folder = self.temporary().join("run-2024");
        std::fs::create_dir_all(&folder).unwrap();
        let results = folder.join("results.csv");
        std::fs::write(&results, "1,2\n").unwrap();
        let yesterday = std::time::SystemTime::now() - Duration::from_secs(24 * 3600);
        std::fs::File::open(&folder).unwrap().set_modified(yesterday).unwrap();
        results
    }

    /// `parcourse run --kernel KERNEL`, without the notebooks.
    pub fn run(&self, kernel: &str) -> Command {
        let mut command = Command::new(BINARY);
        command.current_dir(env!("CARGO_MANIFEST_DIR")).env("PARCOURSE_TMPDIR", self.temporary());
        command
            .args(["run", "--kernel", kernel])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    /// Runs a fixture to completion and returns its JSON report, whatever the outcome.
    pub fn report(&self, kernel: &str, name: &str, options: &[&str]) -> Report {
        let (json, executed) = (self.path("report.json"), self.path("executed"));
        let output = self
            .run(kernel)
            .args(options)
            .arg("--json")
            .arg(&json)
            .arg("--output")
            .arg(&executed)
            .arg(fixture(name))
            .output()
            .unwrap();
        let text = std::fs::read_to_string(&json)
            .unwrap_or_else(|_| panic!("no report:\n{}", output_text(&output)));
        let report: Value = serde_json::from_str(&text).unwrap();
        let read_notebook = |path: PathBuf| {
            std::fs::read_to_string(path).ok().map(|text| serde_json::from_str(&text).unwrap())
        };
        Report {
            notebook: report["notebooks"][0].clone(),
            executed: read_notebook(executed.join(name)),
            text: output_text(&output),
            code: output.status.code(),
        }
    }

    /// Processes started in this sandbox that are still running, found by their environment, which
    /// every child inherits; folders below the sandbox's count, too.
    #[cfg(target_os = "linux")]
    pub fn processes(&self) -> Vec<(i32, String)> {
        let mark = format!("PARCOURSE_TMPDIR={}", self.temporary().display());
        let entries = std::fs::read_dir("/proc").unwrap().flatten();
        let numbers = entries.filter_map(|entry| entry.file_name().to_str()?.parse::<i32>().ok());
        let ours = numbers.filter(|pid| {
            let environment = std::fs::read(format!("/proc/{pid}/environ")).unwrap_or_default();
            environment
                .split(|byte| *byte == 0)
                .any(|variable| variable.starts_with(mark.as_bytes()))
        });
        ours.map(|pid| {
            (
                pid,
                std::fs::read_to_string(format!("/proc/{pid}/cmdline"))
                    .unwrap_or_default()
                    .replace('\0', " "),
            )
        })
        .collect()
    }

    #[cfg(not(target_os = "linux"))]
    pub fn processes(&self) -> Vec<(i32, String)> {
        Vec::new()
    }

    /// Files and folders that the command has in its temporary directory.
    pub fn files(&self) -> Vec<PathBuf> {
        std::fs::read_dir(self.private())
            .into_iter()
            .flatten()
            .flatten()
            .map(|entry| entry.path())
            .collect()
    }

    /// Fails when a process or a file is left after `timeout`, which is what an idle machine
    /// needs: a busy one has more.
    pub fn assert_nothing_left(&self, timeout: Duration) {
        let (begun, timeout) = (Instant::now(), BUSY * timeout);
        loop {
            let (processes, files) = (self.processes(), self.files());
            if processes.is_empty() && files.is_empty() {
                return;
            }
            assert!(
                begun.elapsed() < timeout,
                "left behind after {timeout:?}: {processes:?} {files:?}"
            );
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

/// What came of one notebook.
pub struct Report {
    pub notebook: Value,
    pub executed: Option<Value>,
    pub text: String,
    pub code: Option<i32>,
}

impl Report {
    /// The code cell with this id.
    pub fn cell(&self, id: &str) -> &Value {
        let cells = self.notebook["cells"].as_array().into_iter().flatten();
        cells
            .into_iter()
            .find(|cell| cell["id"] == id)
            .unwrap_or_else(|| panic!("no cell {id}:\n{}", self.text))
    }

    /// `passed`, `skipped`, or the kind of failure.
    pub fn verdict(&self, id: &str) -> &str {
        let cell = self.cell(id);
        cell["failure"]["kind"].as_str().or(cell["verdict"].as_str()).unwrap()
    }

    /// The outputs of a cell in the executed notebook.
    pub fn outputs(&self, id: &str) -> Vec<Value> {
        let notebook = self
            .executed
            .as_ref()
            .unwrap_or_else(|| panic!("no executed notebook:\n{}", self.text));
        let cells = notebook["cells"].as_array().unwrap();
        cells.iter().find(|cell| cell["id"] == id).unwrap()["outputs"].as_array().unwrap().clone()
    }

    /// All that a cell wrote to stdout.
    pub fn stdout(&self, id: &str) -> String {
        let outputs = self.outputs(id);
        outputs
            .iter()
            .filter(|output| output["name"] == "stdout")
            .map(|output| joined(&output["text"]))
            .collect()
    }

    /// The representations of a cell's rich outputs with this MIME type.
    pub fn rich(&self, id: &str, mime: &str) -> Vec<String> {
        let outputs = self.outputs(id);
        outputs
            .iter()
            .map(|output| &output["data"][mime])
            .filter(|data| !data.is_null())
            .map(joined)
            .collect()
    }
}

/// Text as notebooks store it: one string, or a list of lines.
pub fn joined(text: &Value) -> String {
    match text {
        Value::Array(lines) => lines.iter().filter_map(Value::as_str).collect(),
        other => other.as_str().unwrap_or_default().to_string(),
    }
}

pub fn output_text(output: &Output) -> String {
    format!(
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    )
}

/// Waits until `condition` gives something, or fails after five minutes.
pub fn eventually<T>(what: &str, mut condition: impl FnMut() -> Option<T>) -> T {
    let begun = Instant::now();
    loop {
        if let Some(found) = condition() {
            return found;
        }
        assert!(
            begun.elapsed() < Duration::from_secs(300),
            "{what} did not happen within five minutes"
        );
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// Waits for a child, at most for `limit`, which is what an idle machine needs: a busy one has
/// more.
pub fn wait(child: &mut Child, limit: Duration) -> std::process::ExitStatus {
    let (begun, limit) = (Instant::now(), BUSY * limit);
    loop {
        if let Some(status) = child.try_wait().unwrap() {
            return status;
        }
        assert!(begun.elapsed() < limit, "the command did not end within {limit:?}");
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// A terminal of this width: our side of it, and the one to give to a command.
pub fn terminal(columns: u16) -> (std::fs::File, std::fs::File) {
    use std::os::fd::FromRawFd;
    let size = libc::winsize { ws_row: 24, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0 };
    let (mut master, mut slave) = (-1, -1);
    // SAFETY: both descriptors are only written to; no name and no attributes are asked for.
    let result = unsafe {
        libc::openpty(&mut master, &mut slave, std::ptr::null_mut(), std::ptr::null(), &size)
    };
    assert_eq!(result, 0, "openpty: {}", std::io::Error::last_os_error());
    for descriptor in [master, slave] {
        // SAFETY: other commands of these tests must not inherit the terminal.
        unsafe { libc::fcntl(descriptor, libc::F_SETFD, libc::FD_CLOEXEC) };
    }
    // SAFETY: new descriptors that nobody else owns.
    unsafe { (std::fs::File::from_raw_fd(master), std::fs::File::from_raw_fd(slave)) }
}

pub fn send(signal: i32, pid: i32) {
    // SAFETY: a plain system call.
    assert_eq!(unsafe { libc::kill(pid, signal) }, 0, "failed to send signal {signal} to {pid}");
}
