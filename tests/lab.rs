//! `parcourse lab` as a newcomer meets it: an empty cache, a home directory that must stay untouched, paths with blanks and umlauts.

mod python;

use python::gate::{self, Test};
use python::server::Server;
use python::{PARCOURSE, output, processes, root};
use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};
use std::time::{Duration, Instant};
use tempfile::TempDir;

const TESTS: &[Test<SetUp>] = &[
    ("a_broken_off_set_up_is_resumed_and_two_starts_share_one", |lab| lab.ready().map(|_| ())),
    ("the_token_is_needed", the_token_is_needed),
    ("the_kernel_is_ours_and_a_cell_runs_as_in_the_page", the_kernel_is_ours),
    ("interrupt_stops_the_server_and_its_kernels", |lab| stops_cleanly(lab, libc::SIGINT)),
    ("terminate_stops_the_server_and_its_kernels", |lab| stops_cleanly(lab, libc::SIGTERM)),
    ("a_killed_launcher_takes_the_server_along", a_killed_launcher),
    ("the_second_start_is_quick", the_second_start_is_quick),
    ("options_reach_jupyter", options_reach_jupyter),
    ("a_taken_port_is_an_error", a_taken_port_is_an_error),
    ("wrong_arguments_are_named", wrong_arguments_are_named),
];

/// One cache for all: the set-up itself is the first test, the others start servers from it without a package index.
struct SetUp {
    folder: TempDir,
    python: Result<PathBuf, String>,
}

impl SetUp {
    fn new() -> Self {
        let folder = tempfile::Builder::new().prefix("parcourse-läb-").tempdir().expect("a temporary folder");
        let python = set_up(&folder.path().join("cache"));
        Self { folder, python }
    }

    fn ready(&self) -> Result<&Path, String> {
        self.python.as_deref().map_err(Clone::clone)
    }

    /// `parcourse lab` on the finished cache, without network, in the course.
    fn command(&self, tmp: &TempDir) -> Result<Command, String> {
        self.ready()?;
        let home = self.folder.path().join("home");
        fs::create_dir_all(&home).map_err(|error| error.to_string())?;
        let mut command = Server::command(&self.folder.path().join("cache"), &home, tmp.path());
        command.current_dir(root().join("notebooks"));
        Ok(command)
    }

    fn start(&self, tmp: &TempDir) -> Result<Server, String> {
        Server::start(&mut self.command(tmp)?)
    }

    /// Runs a cell through REST and websocket.
    fn run_cell(&self, server: &Server, options: &[&str]) -> Result<(), String> {
        let script = root().join("tests/clients/lab_session.py");
        output(Command::new(self.ready()?).arg("-I").arg(script).args([&server.address, "rust", "40 + 2", "42"]).args(options)).map(|_| ())
    }
}

/// Breaks a first set-up off while packages are being installed, then lets two run at once.
fn set_up(cache: &Path) -> Result<PathBuf, String> {
    let start = || {
        let mut command = Command::new(PARCOURSE);
        command.args(["lab", "--setup-only"]).current_dir(root().join("notebooks")).env("PARCOURSE_CACHE", cache);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().map_err(|error| error.to_string())
    };
    let mut first = start()?;
    let end = Instant::now() + Duration::from_secs(120);
    // pip's first step in the new environment: its own folder is there.
    while !environments(cache).iter().any(|environment| environment.join("requirements.txt").exists()) {
        if first.try_wait().map_err(|error| error.to_string())?.is_some() || Instant::now() > end {
            let _ = first.kill();
            let output = first.wait_with_output().map_err(|error| error.to_string())?;
            return Err(format!("the set-up did not reach pip: {}", String::from_utf8_lossy(&output.stderr)));
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    let children = processes::below(first.id());
    processes::signal(first.id(), libc::SIGKILL);
    first.wait().map_err(|error| error.to_string())?;
    let left = processes::left_after(&children, Duration::from_secs(10));
    if !left.is_empty() {
        return Err(format!("a killed set-up left processes: {left:?}"));
    }
    if environments(cache).iter().any(|environment| environment.join("complete").exists()) {
        return Err("a set-up that was broken off counts as complete".to_owned());
    }

    let both = [start()?, start()?].map(|child| child.wait_with_output().map_err(|error| error.to_string()));
    let mut pythons = Vec::new();
    for output in both {
        let output = output?;
        if !output.status.success() {
            return Err(format!("one of two set-ups at once failed: {}", String::from_utf8_lossy(&output.stderr)));
        }
        pythons.push(String::from_utf8_lossy(&output.stdout).trim_end().to_owned());
    }
    if pythons[0] != pythons[1] || !Path::new(&pythons[0]).exists() {
        return Err(format!("two set-ups at once made {pythons:?}"));
    }
    output(Command::new(&pythons[0]).args(["-I", "-m", "pip", "check"]))?;
    Ok(PathBuf::from(&pythons[0]))
}

/// For PARCOURSE_TMPDIR. One for each start, so that what a start leaves is seen; with a short path, because of the sockets in it.
fn private_tmp() -> TempDir {
    tempfile::Builder::new().prefix("pl-").tempdir_in("/tmp").expect("a temporary folder")
}

/// Nothing that the start has made may be left: no process, detached ones included, and no folder of its session.
fn left_nothing(tmp: &TempDir) -> Result<(), String> {
    let left = processes::left_with_variable("PARCOURSE_TMPDIR", tmp.path(), Duration::from_secs(20));
    ensure(left.is_empty(), || format!("processes left: {left:?}"))?;
    let entries = fs::read_dir(tmp.path()).map_err(|error| error.to_string())?.flatten();
    let sessions: Vec<_> = entries.map(|entry| entry.file_name()).filter(|name| name.to_string_lossy().starts_with("lab-")).collect();
    ensure(sessions.is_empty(), || format!("folders left: {sessions:?}"))
}

fn environments(cache: &Path) -> Vec<PathBuf> {
    let folders = fs::read_dir(cache.join("python")).into_iter().flatten().flatten();
    folders.map(|entry| entry.path()).filter(|path| path.is_dir()).collect()
}

fn the_token_is_needed(lab: &SetUp) -> Result<(), String> {
    let tmp = private_tmp();
    let server = lab.start(&tmp)?;
    ensure(server.token().len() >= 32, || format!("a token that can be guessed: {}", server.address))?;
    for path in ["/api/kernelspecs", "/api/contents/00_welcome.ipynb", "/lab"] {
        let (status, _) = server.get(path, false)?;
        ensure(matches!(status, 302 | 403), || format!("{path} without token: {status}"))?;
        let (status, _) = server.get(path, true)?;
        ensure(status == 200, || format!("{path} with token: {status}"))?;
    }
    ensure(server.address.contains("/lab/tree/00_welcome.ipynb?"), || format!("the first notebook is not opened: {}", server.address))?;
    let (_, page) = server.get("/lab/tree/00_welcome.ipynb", true)?;
    ensure(page.contains("jupyter-config-data"), || format!("not JupyterLab's page: {page}"))
}

fn the_kernel_is_ours(lab: &SetUp) -> Result<(), String> {
    let tmp = private_tmp();
    let server = lab.start(&tmp)?;
    let (_, specs) = server.get("/api/kernelspecs", true)?;
    let specs: serde_json::Value = serde_json::from_str(&specs).map_err(|error| error.to_string())?;
    let rust = &specs["kernelspecs"]["rust"]["spec"];
    ensure(rust["argv"][0] == PARCOURSE && rust["display_name"] == "Rust", || format!("the kernelspec is not ours: {specs:#}"))?;
    ensure(specs["default"] == "rust", || format!("the default kernel is {}", specs["default"]))?;
    lab.run_cell(&server, &[])
}

fn stops_cleanly(lab: &SetUp, signal: libc::c_int) -> Result<(), String> {
    let tmp = private_tmp();
    let server = lab.start(&tmp)?;
    // The kernel is left running: stopping the server has to end it.
    lab.run_cell(&server, &["--keep"])?;
    let below = processes::below(server.pid());
    ensure(below.len() >= 2, || format!("expected the server and its kernel below the launcher: {below:?}"))?;
    let status = server.stop(signal)?;
    ensure(status.success(), || format!("a clean stop ended with {status}"))?;
    let left = processes::left_after(&below, Duration::from_secs(5));
    ensure(left.is_empty(), || format!("processes left: {left:?}"))?;
    left_nothing(&tmp)?;
    // Settings, history, configuration: all of it went into the cache.
    let home = lab.folder.path().join("home");
    let written: Vec<_> = fs::read_dir(&home).map_err(|error| error.to_string())?.flatten().map(|entry| entry.file_name()).collect();
    ensure(written.is_empty(), || format!("written to the home directory: {written:?}"))
}

fn a_killed_launcher(lab: &SetUp) -> Result<(), String> {
    let tmp = private_tmp();
    let server = lab.start(&tmp)?;
    lab.run_cell(&server, &["--keep"])?;
    let below = processes::below(server.pid());
    server.stop(libc::SIGKILL)?;
    let left = processes::left_after(&below, Duration::from_secs(20));
    ensure(left.is_empty(), || format!("processes left: {left:?}"))?;
    let left = processes::left_with_variable("PARCOURSE_TMPDIR", tmp.path(), Duration::from_secs(20));
    ensure(left.is_empty(), || format!("detached processes left: {left:?}"))?;
    // The folder of the session is swept by the next start.
    let status = lab.start(&tmp)?.stop(libc::SIGTERM)?;
    ensure(status.success(), || format!("the next start ended with {status}"))?;
    left_nothing(&tmp)
}

/// Not a benchmark: what a set-up costs is minutes, so that this notices one that is done again.
fn the_second_start_is_quick(lab: &SetUp) -> Result<(), String> {
    let tmp = private_tmp();
    let server = lab.start(&tmp)?;
    println!("address after {:.1} s", server.took.as_secs_f64());
    ensure(server.took < Duration::from_secs(30), || format!("{:?} from the start to the address", server.took))
}

fn options_reach_jupyter(lab: &SetUp) -> Result<(), String> {
    let elsewhere = lab.folder.path().join("my notes & ünïcode");
    fs::create_dir_all(&elsewhere).map_err(|error| error.to_string())?;
    fs::write(elsewhere.join("note.txt"), "found").map_err(|error| error.to_string())?;
    let tmp = private_tmp();
    let mut command = lab.command(&tmp)?;
    command.arg("--dir").arg(&elsewhere).args(["--", "--ServerApp.base_url=/course/"]);
    let server = Server::start(&mut command)?;
    let (status, body) = server.get("/course/api/contents/note.txt", true)?;
    ensure(status == 200 && body.contains("found"), || format!("{status}: {body}"))?;
    ensure(!server.address.contains("00_welcome"), || format!("there is no such notebook here: {}", server.address))
}

fn a_taken_port_is_an_error(lab: &SetUp) -> Result<(), String> {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").map_err(|error| error.to_string())?;
    let port = taken.local_addr().map_err(|error| error.to_string())?.port().to_string();
    let output = lab.command(&private_tmp())?.args(["--port", &port]).output().map_err(|error| error.to_string())?;
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    ensure(!output.status.success() && said.contains(&port), || format!("{}: {said}", output.status))
}

fn wrong_arguments_are_named(lab: &SetUp) -> Result<(), String> {
    let refused = |arguments: &[&str], variable: (&str, &OsStr), expected: &str| {
        let output =
            lab.command(&private_tmp())?.args(arguments).env(variable.0, variable.1).output().map_err(|error| error.to_string())?;
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        ensure(output.status.code() == Some(2) && said.contains(expected), || format!("{arguments:?}: {}: {said}", output.status))
    };
    let nothing = ("UNUSED", OsStr::new(""));
    refused(&["--dir", "no such folder"], nothing, "--dir no such folder")?;
    refused(&["--port", "99999"], nothing, "--port")?;
    refused(&["--no-such-option"], nothing, "--no-such-option")?;
    refused(&[], ("PARCOURSE_PYTHON", OsStr::new("/no/such/python")), "apt install python3 python3-venv")?;
    refused(&[], ("PATH", OsStr::new("/no/such/folder")), "https://rustup.rs")
}

fn ensure(holds: bool, otherwise: impl FnOnce() -> String) -> Result<(), String> {
    if holds { Ok(()) } else { Err(otherwise()) }
}

fn main() -> ExitCode {
    gate::run(TESTS, gate::python_and_packages, SetUp::new)
}
