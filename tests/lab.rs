//! `parcourse lab` as a new user meets it: an empty cache, a home directory that must stay
//! untouched, paths with spaces and umlauts.

use crate::python::gate::{self, Suite, Test};
use crate::python::private_tmp::PrivateTmp;
use crate::python::server::Server;
use crate::python::{PARCOURSE, output, processes, root};
use serde_json::json;
use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Mutex, MutexGuard};
use std::time::{Duration, Instant};
use tempfile::TempDir;

const TESTS: &[Test<SetUp>] = &[
    ("a_broken_off_set_up_is_resumed_and_two_starts_share_one", |lab| lab.ready().map(|_| ())),
    ("the_token_is_needed", the_token_is_needed),
    ("the_kernel_is_ours_and_a_cell_runs_as_in_the_page", the_kernel_is_ours),
    ("the_second_start_sets_nothing_up", the_second_start_sets_nothing_up),
    ("interrupt_stops_the_server_and_its_kernels", |lab| stops_cleanly(lab, libc::SIGINT)),
    ("terminate_stops_the_server_and_its_kernels", |lab| stops_cleanly(lab, libc::SIGTERM)),
    ("a_killed_launcher_takes_the_server_along", a_killed_launcher),
    ("options_reach_jupyter", options_reach_jupyter),
    ("the_active_jupyterlab_is_used_when_asked_for", the_active_jupyterlab),
    ("a_taken_port_is_an_error", a_taken_port_is_an_error),
    ("the_copy_follows_the_course_and_keeps_work", the_copy_follows_the_course),
    ("two_starts_at_once_make_one_copy", two_starts_at_once),
    ("folders_that_are_not_the_courses_are_refused", other_folders_are_refused),
    ("offline_names_what_is_missing", offline_names_what_is_missing),
    ("wrong_arguments_are_named", wrong_arguments_are_named),
];

/// A kernel that is warming up checks for its server only afterwards, which takes long on a busy
/// machine.
const WARM_UP: Duration = Duration::from_secs(120);

/// One cache for all tests: the first test is the set-up itself, the others start servers from the
/// cache without a package index.
struct SetUp {
    folder: TempDir,
    python: Result<PathBuf, String>,
    /// A server shared by the tests that only query it, started by the first of them.
    shared: Mutex<Option<Shared>>,
}

struct Shared {
    server: Server,
    _tmp: PrivateTmp,
}

impl SetUp {
    fn new() -> Self {
        let folder = tempfile::Builder::new()
            .prefix("parcourse läb ")
            .tempdir()
            .expect("a temporary folder");
        let python = set_up(&folder.path().join("cache"));
        write_course(&folder.path().join("course"), "let a = 40 + 2;");
        Self { folder, python, shared: Mutex::new(None) }
    }

    fn ready(&self) -> Result<&Path, String> {
        self.python.as_deref().map_err(Clone::clone)
    }

    /// The learner's copy that the servers open.
    fn copy(&self) -> PathBuf {
        self.folder.path().join("meine Kopie ü")
    }

    /// `parcourse lab` on the finished cache, without network.
    fn bare_command(&self, tmp: &PrivateTmp) -> Result<Command, String> {
        self.ready()?;
        let home = self.folder.path().join("home");
        fs::create_dir_all(&home).map_err(|error| error.to_string())?;
        let mut command = Server::command(&self.folder.path().join("cache"), &home, tmp.path());
        command.current_dir(root().join("notebooks"));
        Ok(command)
    }

    /// On a copy of a small course.
    fn command(&self, tmp: &PrivateTmp) -> Result<Command, String> {
        let mut command = self.bare_command(tmp)?;
        command
            .arg("--course")
            .arg(self.folder.path().join("course"))
            .arg("--dir")
            .arg(self.copy())
            .arg("--offline");
        Ok(command)
    }

    fn start(&self, tmp: &PrivateTmp) -> Result<Server, String> {
        Server::start(&mut self.command(tmp)?)
    }

    fn shared(&self) -> Result<MutexGuard<'_, Option<Shared>>, String> {
        let mut shared = self
            .shared
            .lock()
            .map_err(|_| "another test failed with the shared server".to_owned())?;
        if shared.is_none() {
            let tmp = private_tmp();
            *shared = Some(Shared { server: self.start(&tmp)?, _tmp: tmp });
        }
        Ok(shared)
    }

    /// Queries the shared server.
    fn ask(&self, question: impl FnOnce(&Server) -> Result<(), String>) -> Result<(), String> {
        question(&self.shared()?.as_ref().ok_or("there is no server")?.server)
    }

    /// Runs a cell through REST and websocket.
    fn run_cell(&self, server: &Server, options: &[&str]) -> Result<(), String> {
        self.run_code(server, "40 + 2", "42", options)
    }

    fn run_code(
        &self,
        server: &Server,
        code: &str,
        expected: &str,
        options: &[&str],
    ) -> Result<(), String> {
        let script = root().join("tests/clients/lab_session.py");
        let arguments = [&server.address, "rust", code, expected];
        output(Command::new(self.ready()?).arg("-I").arg(script).args(arguments).args(options))
            .map(|_| ())
    }

    /// Updates the copy `name` and returns the output.
    fn update(&self, course: &Path, name: &str, options: &[&str]) -> Result<String, String> {
        let mut command = self.bare_command(&private_tmp())?;
        command
            .arg("--setup-only")
            .arg("--course")
            .arg(course)
            .arg("--dir")
            .arg(self.folder.path().join(name))
            .args(options);
        output(&mut command).map(|(_, said)| said)
    }
}

/// A course of one notebook whose second cell is `code`.
fn write_course(folder: &Path, code: &str) {
    let dependency = ":dep parcourse = { path = \"../helpers\" }\nuse parcourse::prelude::*;";
    let exercise = "fn answer() -> i32 {\n    // BEGIN SOLUTION\n    42\n    // END SOLUTION\n}";
    let cells: Vec<_> = [(dependency, None), (code, None), (exercise, Some("exercise"))]
        .into_iter()
        .enumerate()
        .map(|(index, (source, tag))| {
            let metadata = tag.map_or_else(|| json!({}), |tag| json!({ "tags": [tag] }));
            let id = format!("cell-{index}");
            json!({ "cell_type": "code", "id": id, "metadata": metadata, "source": source, "outputs": [], "execution_count": null })
        })
        .collect();
    let metadata =
        json!({ "kernelspec": { "name": "rust", "display_name": "Rust", "language": "rust" } });
    let notebook =
        json!({ "cells": cells, "metadata": metadata, "nbformat": 4, "nbformat_minor": 5 });
    fs::create_dir_all(folder.join("notebooks")).expect("a folder");
    fs::write(folder.join("notebooks/00_welcome.ipynb"), notebook.to_string()).expect("a notebook");
}

/// Interrupts a first set-up while it installs packages, then runs two at once.
fn set_up(cache: &Path) -> Result<PathBuf, String> {
    let start = || {
        let mut command = Command::new(PARCOURSE);
        command
            .args(["lab", "--setup-only", "--source"])
            .current_dir(root().join("notebooks"))
            .env("PARCOURSE_CACHE", cache);
        command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(|error| error.to_string())
    };
    let mut first = start()?;
    let end = Instant::now() + Duration::from_secs(120);
    // pip has begun to work in the new environment once its folder exists.
    while !environments(cache)
        .iter()
        .any(|environment| environment.join("requirements.txt").exists())
    {
        if first.try_wait().map_err(|error| error.to_string())?.is_some() || Instant::now() > end {
            let _ = first.kill();
            let output = first.wait_with_output().map_err(|error| error.to_string())?;
            return Err(format!(
                "the set-up did not reach pip: {}",
                String::from_utf8_lossy(&output.stderr)
            ));
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

    let both = [start()?, start()?]
        .map(|child| child.wait_with_output().map_err(|error| error.to_string()));
    let mut pythons = Vec::new();
    for output in both {
        let output = output?;
        if !output.status.success() {
            return Err(format!(
                "one of two set-ups at once failed: {}",
                String::from_utf8_lossy(&output.stderr)
            ));
        }
        pythons.push(String::from_utf8_lossy(&output.stdout).trim_end().to_owned());
    }
    if pythons[0] != pythons[1] || !Path::new(&pythons[0]).exists() {
        return Err(format!("two set-ups at once made {pythons:?}"));
    }
    output(Command::new(&pythons[0]).args(["-I", "-m", "pip", "check"]))?;
    Ok(PathBuf::from(&pythons[0]))
}

/// One for each start, so that leftovers can be found.
fn private_tmp() -> PrivateTmp {
    PrivateTmp::new("pl-")
}

/// Fails if the start left anything behind: a process, even a detached one, or its server folder.
fn left_nothing(tmp: &PrivateTmp) -> Result<(), String> {
    let left = processes::left_with_variable("PARCOURSE_TMPDIR", tmp.path(), WARM_UP);
    ensure(left.is_empty(), || format!("processes left: {left:?}"))?;
    let entries = fs::read_dir(tmp.private()).map_err(|error| error.to_string())?.flatten();
    let sessions: Vec<_> = entries
        .map(|entry| entry.file_name())
        .filter(|name| name.to_string_lossy().starts_with("lab-"))
        .collect();
    ensure(sessions.is_empty(), || format!("folders left: {sessions:?}"))
}

fn environments(cache: &Path) -> Vec<PathBuf> {
    let folders = fs::read_dir(cache.join("python")).into_iter().flatten().flatten();
    folders.map(|entry| entry.path()).filter(|path| path.is_dir()).collect()
}

fn the_token_is_needed(lab: &SetUp) -> Result<(), String> {
    lab.ask(|server| {
        ensure(server.token().len() >= 32, || {
            format!("a token that can be guessed: {}", server.address)
        })?;
        for path in ["/api/kernelspecs", "/api/contents/00_welcome.ipynb", "/lab"] {
            let (status, _) = server.get(path, false)?;
            ensure(matches!(status, 302 | 403), || format!("{path} without token: {status}"))?;
            let (status, _) = server.get(path, true)?;
            ensure(status == 200, || format!("{path} with token: {status}"))?;
        }
        ensure(server.address.contains("/lab/tree/00_welcome.ipynb?"), || {
            format!("the first notebook is not opened: {}", server.address)
        })?;
        let (_, page) = server.get("/lab/tree/00_welcome.ipynb", true)?;
        ensure(page.contains("jupyter-config-data"), || format!("not JupyterLab's page: {page}"))?;
        let (_, notebook) = server.get("/api/contents/00_welcome.ipynb", true)?;
        ensure(notebook.contains("YOUR CODE HERE") && !notebook.contains("SOLUTION"), || {
            format!("not the learner's: {notebook}")
        })
    })
}

fn the_kernel_is_ours(lab: &SetUp) -> Result<(), String> {
    lab.ask(|server| {
        let (_, specs) = server.get("/api/kernelspecs", true)?;
        let specs: serde_json::Value =
            serde_json::from_str(&specs).map_err(|error| error.to_string())?;
        let rust = &specs["kernelspecs"]["rust"]["spec"];
        ensure(rust["argv"][0] == PARCOURSE && rust["display_name"] == "Rust", || {
            format!(
                "the \
            kernelspec is not ours: {specs:#}"
            )
        })?;
        ensure(specs["default"] == "rust", || {
            format!(
                "the default kernel is \
            {}",
                specs["default"]
            )
        })?;
        // The first line of every notebook, in the copy.
        let code = ":dep parcourse = { path = \"../helpers\" }\nuse \
            parcourse::prelude::*;\ncores().usable >= 1";
        lab.run_code(server, code, "true", &[])
    })
}

/// A set-up takes minutes, so it must not be repeated.
fn the_second_start_sets_nothing_up(lab: &SetUp) -> Result<(), String> {
    let cache = lab.folder.path().join("cache");
    let templates = fs::read_dir(cache.join("template"))
        .into_iter()
        .flatten()
        .flatten()
        .map(|entry| entry.path().join("template.json"));
    let made = environments(&cache)
        .into_iter()
        .map(|environment| environment.join("complete"))
        .chain(templates);
    let made: Vec<PathBuf> = made.filter(|file| file.exists()).collect();
    ensure(made.len() >= 2, || format!("an environment and a template: {made:?}"))?;
    lab.ask(|server| {
        let is_new = |file: &PathBuf| {
            file.metadata()
                .and_then(|file| file.modified())
                .is_ok_and(|time| time >= server.started)
        };
        let new: Vec<PathBuf> = made.into_iter().filter(is_new).collect();
        ensure(new.is_empty(), || format!("made again: {new:?}"))
    })
}

fn stops_cleanly(lab: &SetUp, signal: libc::c_int) -> Result<(), String> {
    let tmp = private_tmp();
    let server = lab.start(&tmp)?;
    // The kernel is left running: stopping the server has to end it.
    lab.run_cell(&server, &["--keep"])?;
    let below = processes::below(server.pid());
    ensure(below.len() >= 2, || {
        format!("expected the server and its kernel below the launcher: {below:?}")
    })?;
    let status = server.stop(signal)?;
    ensure(status.success(), || format!("a clean stop ended with {status}"))?;
    let left = processes::left_after(&below, Duration::from_secs(5));
    ensure(left.is_empty(), || format!("processes left: {left:?}"))?;
    left_nothing(&tmp)?;
    // Settings, history and configuration must all go into the cache.
    let home = lab.folder.path().join("home");
    let written: Vec<_> = fs::read_dir(&home)
        .map_err(|error| error.to_string())?
        .flatten()
        .map(|entry| entry.file_name())
        .collect();
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
    let left = processes::left_with_variable("PARCOURSE_TMPDIR", tmp.path(), WARM_UP);
    ensure(left.is_empty(), || format!("detached processes left: {left:?}"))?;
    // The next start removes the server folder.
    let status = lab.start(&tmp)?.stop(libc::SIGTERM)?;
    ensure(status.success(), || format!("the next start ended with {status}"))?;
    left_nothing(&tmp)
}

fn options_reach_jupyter(lab: &SetUp) -> Result<(), String> {
    let elsewhere = lab.folder.path().join("my notes & ünïcode");
    fs::create_dir_all(&elsewhere).map_err(|error| error.to_string())?;
    fs::write(elsewhere.join("note.txt"), "found").map_err(|error| error.to_string())?;
    let tmp = private_tmp();
    let mut command = lab.bare_command(&tmp)?;
    command
        .arg("--source")
        .arg("--dir")
        .arg(&elsewhere)
        .args(["--", "--ServerApp.base_url=/course/"]);
    let server = Server::start(&mut command)?;
    let (status, body) = server.get("/course/api/contents/note.txt", true)?;
    ensure(status == 200 && body.contains("found"), || format!("{status}: {body}"))?;
    ensure(!server.address.contains("00_welcome"), || {
        format!("there is no such notebook here: {}", server.address)
    })
}

/// An activated environment: its programs are first on PATH, and Jupyter writes where that
/// JupyterLab does.
fn the_active_jupyterlab(lab: &SetUp) -> Result<(), String> {
    let tmp = private_tmp();
    let programs = lab.ready()?.parent().ok_or("the Python has no folder")?.to_path_buf();
    let path = std::env::var_os("PATH").unwrap_or_default();
    let path = std::env::join_paths(std::iter::once(programs).chain(std::env::split_paths(&path)))
        .map_err(|error| error.to_string())?;
    let home = tempfile::tempdir().map_err(|error| error.to_string())?;
    let mut command = lab.command(&tmp)?;
    command.arg("--use-active").env("PATH", path).env("HOME", home.path());
    let server = Server::start(&mut command)?;
    let (_, specs) = server.get("/api/kernelspecs", true)?;
    ensure(specs.contains(PARCOURSE) && specs.contains("\"default\": \"rust\""), || {
        format!("not our kernel: {specs}")
    })
}

fn a_taken_port_is_an_error(lab: &SetUp) -> Result<(), String> {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").map_err(|error| error.to_string())?;
    let port = taken.local_addr().map_err(|error| error.to_string())?.port().to_string();
    let output = lab
        .command(&private_tmp())?
        .args(["--port", &port])
        .output()
        .map_err(|error| error.to_string())?;
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    ensure(!output.status.success() && said.contains(&port), || {
        format!("{}: {said}", output.status)
    })
}

fn the_copy_follows_the_course(lab: &SetUp) -> Result<(), String> {
    let course = lab.folder.path().join("changing course");
    let copy = lab.folder.path().join("following");
    let first = copy.join("notebooks/00_welcome.ipynb");
    let read = |path: &Path| {
        fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))
    };
    let said = |said: String, expected: &str| {
        ensure(said.contains(expected), || format!("expected {expected:?} in {said}"))
    };
    write_course(&course, "first edition");
    said(lab.update(&course, "following", &[])?, "new: 00_welcome.ipynb")?;
    ensure(
        fs::read_link(copy.join("helpers")).ok() == root().join("helpers").canonicalize().ok(),
        || "helpers is not a link".to_owned(),
    )?;
    said(lab.update(&course, "following", &[])?, "up to date")?;
    write_course(&course, "second edition");
    said(lab.update(&course, "following", &[])?, "updated: 00_welcome.ipynb")?;
    ensure(read(&first)?.contains("second edition"), || {
        "the course's change did not arrive".to_owned()
    })?;
    // The learner works, then a third edition appears; the copy's link is missing, as after moving
    // the course.
    let mine = read(&first)?.replace("todo!(", "/* my work */ todo!(");
    fs::write(&first, &mine).map_err(|error| error.to_string())?;
    fs::remove_file(copy.join("helpers")).map_err(|error| error.to_string())?;
    said(lab.update(&course, "following", &[])?, "up to date")?;
    ensure(read(&first)? == mine, || "work was touched".to_owned())?;
    ensure(copy.join("helpers/Cargo.toml").is_file(), || {
        "the link to the helper crate was not repaired".to_owned()
    })?;
    write_course(&course, "third edition");
    let text = lab.update(&course, "following", &[])?;
    let aside = text
        .split_once("saved as \"")
        .and_then(|(_, rest)| rest.split_once('"'))
        .map(|(name, _)| name.to_owned());
    let aside = aside.ok_or_else(|| format!("the output names no backup: {text}"))?;
    ensure(read(&copy.join("notebooks").join(&aside))? == mine, || {
        "the backup does not hold the work".to_owned()
    })?;
    ensure(read(&first)?.contains("third edition"), || {
        "the third edition did not arrive".to_owned()
    })?;
    // A deleted notebook stays deleted until it is restored.
    fs::remove_file(&first).map_err(|error| error.to_string())?;
    said(lab.update(&course, "following", &[])?, "--restore")?;
    ensure(!first.exists(), || "a deleted notebook came back".to_owned())?;
    said(lab.update(&course, "following", &["--restore"])?, "new: 00_welcome.ipynb")
}

fn two_starts_at_once(lab: &SetUp) -> Result<(), String> {
    let course = lab.folder.path().join("course");
    std::thread::scope(|scope| {
        let starts = [0, 1, 2].map(|_| scope.spawn(|| lab.update(&course, "at once", &[])));
        starts
            .into_iter()
            .try_for_each(|start| start.join().map_err(|_| "a panic".to_owned())?.map(drop))
    })?;
    let names: Vec<_> = fs::read_dir(lab.folder.path().join("at once/notebooks"))
        .map_err(|error| error.to_string())?
        .flatten()
        .collect();
    ensure(names.len() == 1, || format!("{names:?}"))
}

fn other_folders_are_refused(lab: &SetUp) -> Result<(), String> {
    let thesis = lab.folder.path().join("my thesis");
    fs::create_dir_all(&thesis).map_err(|error| error.to_string())?;
    fs::write(thesis.join("chapter.tex"), "").map_err(|error| error.to_string())?;
    let course = lab.folder.path().join("course");
    let refused =
        lab.update(&course, "my thesis", &[]).err().ok_or("a folder with other files was taken")?;
    ensure(refused.contains("--source") && !thesis.join("notebooks").exists(), || refused)?;
    // A home folder that is not writable.
    let mut command = lab.bare_command(&private_tmp())?;
    command.args(["--setup-only", "--course"]).arg(&course).env("HOME", "/proc");
    let refused = output(&mut command).err().ok_or("a home in /proc was written to")?;
    ensure(refused.contains("--dir DIR"), || refused)
}

fn offline_names_what_is_missing(lab: &SetUp) -> Result<(), String> {
    lab.ready()?;
    let tmp = private_tmp();
    let mut command = lab.command(&tmp)?;
    let cache = tempfile::tempdir().map_err(|error| error.to_string())?;
    command.arg("--setup-only").env("PARCOURSE_CACHE", cache.path()).env_remove("PIP_FIND_LINKS");
    let said =
        output(&mut command).err().ok_or("a set-up without network and packages succeeded")?;
    ensure(said.contains("--offline forbids") && said.contains("--setup-only"), || said)
}

fn wrong_arguments_are_named(lab: &SetUp) -> Result<(), String> {
    let refused = |arguments: &[&str], variable: (&str, &OsStr), expected: &str| {
        let output = lab
            .bare_command(&private_tmp())?
            .args(arguments)
            .env(variable.0, variable.1)
            .output()
            .map_err(|error| error.to_string())?;
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        ensure(output.status.code() == Some(2) && said.contains(expected), || {
            format!("{arguments:?}: {}: {said}", output.status)
        })
    };
    let nothing = ("UNUSED", OsStr::new(""));
    refused(&["--source", "--dir", "no such folder"], nothing, "--dir no such folder")?;
    refused(&["--course", "no such folder"], nothing, "--course no such folder")?;
    refused(&["--port", "99999"], nothing, "--port")?;
    refused(&["--no-such-option"], nothing, "--no-such-option")?;
    refused(
        &["--source"],
        ("PARCOURSE_PYTHON", OsStr::new("/no/such/python")),
        "apt install python3 python3-venv",
    )?;
    refused(&["--source"], ("PATH", OsStr::new("/no/such/folder")), "https://rustup.rs")
}

fn ensure(holds: bool, otherwise: impl FnOnce() -> String) -> Result<(), String> {
    if holds { Ok(()) } else { Err(otherwise()) }
}

pub fn suite() -> Suite {
    Suite::new("lab", TESTS, gate::python_and_packages, SetUp::new)
}
