//! Templates, driven through `parcourse prepare` as users do, on a small helper crate of their own
//! and with caches of their own.
//!
//! Every command runs with a proxy that does not exist: whatever asks the network for something
//! fails.

use std::fs;
use std::io::{BufRead, BufReader};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Output, Stdio};
use std::time::{Duration, Instant, SystemTime};

const PARCOURSE: &str = env!("CARGO_BIN_EXE_parcourse");

/// A folder with a helper crate, a cache and temporary space, where nobody else can write.
struct Course {
    folder: tempfile::TempDir,
    cache: &'static str,
}

impl Course {
    /// The helper crate uses a crate from the folder beside it and one from the registry, at the
    /// version this workspace has locked.
    fn new() -> Course {
        let course = Course {
            folder: tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap(),
            cache: "cache",
        };
        course.write(
            "helpers/Cargo.toml",
            "[package]\nname = \"parcourse\"\nversion = \"0.1.0\"\nedition = \"2024\"\n[lib]\ncrate-type = [\"dylib\", \"rlib\"]\n\
             [dependencies]\neither = \"1\"\nneighbour = { path = \"../neighbour\" }\n",
        );
        course.write("helpers/src/lib.rs", "pub mod prelude { pub fn cores() -> usize { neighbour::CORES } pub use either::Either; }\n");
        course.write(
            "neighbour/Cargo.toml",
            "[package]\nname = \"neighbour\"\nversion = \"0.1.0\"\nedition = \"2024\"\n",
        );
        course.write("neighbour/src/lib.rs", "pub const CORES: usize = 2;\n");
        course.write(
            "helpers/Cargo.lock",
            &format!(
                "version = 4\n\n{}\n[[package]]\nname = \"neighbour\"\nversion = \"0.1.0\"\n\n\
                 [[package]]\nname = \"parcourse\"\nversion = \"0.1.0\"\ndependencies = [\"either\", \"neighbour\"]\n",
                locked("either")
            ),
        );
        course
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn write(&self, name: &str, text: &str) {
        let file = self.path(name);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, text).unwrap();
    }

    fn prepare(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(PARCOURSE);
        command
            .arg("prepare")
            .arg("--helpers")
            .arg(self.path("helpers"))
            .args(arguments)
            .current_dir(self.folder.path());
        command
            .env("PARCOURSE_CACHE", self.path(self.cache))
            .env("PARCOURSE_TMPDIR", self.path("tmp"));
        command.env("CARGO_HTTP_PROXY", "http://127.0.0.1:1").env("CARGO_NET_RETRY", "0");
        command.env_remove("PARCOURSE_TARGET_CPU");
        command
    }

    /// Runs it to the end, which must be a good one, and returns what it printed.
    fn prepared(&self, arguments: &[&str]) -> String {
        printed(self.prepare(arguments).output().unwrap())
    }

    /// The templates that kernels would find.
    fn templates(&self) -> Vec<PathBuf> {
        let mut found: Vec<PathBuf> = children(&self.path(self.cache).join("template"))
            .into_iter()
            .filter(|path| path.join("template.json").exists())
            .collect();
        found.sort();
        found
    }

    /// Directories of builds under way or killed.
    fn building(&self) -> Vec<PathBuf> {
        let hidden =
            |path: &PathBuf| path.file_name().unwrap().as_encoded_bytes().starts_with(b".");
        children(&self.path(self.cache).join("template")).into_iter().filter(hidden).collect()
    }

    fn checkouts(&self) -> Vec<PathBuf> {
        children(&self.path("tmp")).iter().flat_map(|private| children(private)).collect()
    }

    /// Processes whose command line names this course's folder and `what`.
    fn processes(&self, what: &str) -> Vec<i32> {
        let folder = self.folder.path().to_str().unwrap();
        let pids = children(Path::new("/proc"))
            .into_iter()
            .filter_map(|path| path.file_name()?.to_str()?.parse::<i32>().ok());
        pids.filter(|pid| {
            let line = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
            let line = String::from_utf8_lossy(&line);
            line.contains(folder) && line.contains(what)
        })
        .collect()
    }

    /// Waits until no process works for this course any more.
    fn wait_for_silence(&self) {
        let start = Instant::now();
        while !self.processes("").is_empty() {
            assert!(
                start.elapsed() < Duration::from_secs(120),
                "still running: {:?}",
                self.processes("")
            );
            std::thread::sleep(Duration::from_millis(50));
        }
    }
}

fn children(folder: &Path) -> Vec<PathBuf> {
    fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path()).collect()
}

/// The entry of a registry package in this workspace's lock file.
fn locked(name: &str) -> String {
    let lock =
        fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.lock")).unwrap();
    let entry = lock
        .split("[[package]]\n")
        .find(|entry| entry.starts_with(&format!("name = \"{name}\"\n")));
    format!("[[package]]\n{}", entry.expect("rayon depends on it"))
}

fn printed(output: Output) -> String {
    let (out, err) =
        (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{}\n{out}\n{err}", output.status);
    assert_eq!(err, "", "nothing on standard error when all is well");
    out.into_owned()
}

/// What a command that must fail says, with its exit code.
fn complaint(output: Output) -> (i32, String) {
    assert!(!output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
    (output.status.code().unwrap(), String::from_utf8_lossy(&output.stderr).into_owned())
}

fn kill(pid: i32) {
    let status = Command::new("kill").args(["-KILL", &pid.to_string()]).status().unwrap();
    assert!(status.success());
}

/// Starts a command and reads its output up to a line that contains `text`.
fn run_until(mut command: Command, text: &str) -> (Child, BufReader<ChildStdout>) {
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap());
    let mut line = String::new();
    while !line.contains(text) {
        line.clear();
        assert_ne!(lines.read_line(&mut line).unwrap(), 0, "ended before saying `{text}`");
    }
    (child, lines)
}

#[test]
fn prepares_once_and_kernels_then_compile_nothing_but_cells() {
    let course = Course::new();
    let text = course.prepared(&[]);
    assert!(
        text.contains("compiling the helper crate")
            && text.contains("ready after")
            && text.contains("3 crates"),
        "{text}"
    );
    assert_eq!(course.templates().len(), 1);
    assert!(course.building().is_empty());

    let start = Instant::now();
    let text = course.prepared(&["--check"]);
    assert!(text.contains("ready already"), "{text}");
    assert!(text.contains("only the cells were compiled"), "{text}");
    assert!(course.checkouts().is_empty(), "copies are removed");
    println!("warm start in {:?}:\n{text}", start.elapsed());
    assert_eq!(course.prepared(&["--quiet"]), "");

    // Sources written again with the same contents (a fresh clone) do not make cargo compile them
    // in every kernel.
    let file = fs::File::options().write(true).open(course.path("helpers/src/lib.rs")).unwrap();
    file.set_modified(SystemTime::now() + Duration::from_secs(5)).unwrap();
    let file = fs::File::options().write(true).open(course.path("neighbour/src/lib.rs")).unwrap();
    file.set_modified(SystemTime::now() + Duration::from_secs(6)).unwrap();
    let text = course.prepared(&["--check"]);
    assert!(
        text.contains("ready already") && text.contains("only the cells were compiled"),
        "{text}"
    );

    // An edit does, also in a crate beside the helper crate.
    course.write("neighbour/src/lib.rs", "pub const CORES: usize = 4;\n");
    let text = course.prepared(&["--check"]);
    assert!(
        text.contains("ready after") && text.contains("only the cells were compiled"),
        "{text}"
    );
    assert_eq!(course.templates().len(), 2);

    // A template that lost a file is not handed out, and goes.
    fs::write(course.path("neighbour/src/lib.rs"), "pub const CORES: usize = 2;\n").unwrap();
    let current = course.prepared(&[]);
    let (damaged, intact): (Vec<PathBuf>, Vec<PathBuf>) =
        course.templates().into_iter().partition(|path| current.contains(path.to_str().unwrap()));
    fs::remove_file(damaged[0].join("work/target/.rustc_info.json")).unwrap();
    let (code, text) = complaint(course.prepare(&["--check"]).output().unwrap());
    assert_eq!(code, 2);
    assert!(text.contains("damaged"), "{text}");
    assert_eq!(course.templates(), intact);
    assert!(course.checkouts().is_empty());
}

#[test]
fn the_stock_kernel_starts_warm_too() {
    // The engine's own loop does not understand paths with a space.
    let course = Course { cache: "a cache", ..Course::new() };
    let text = course.prepared(&["--kernel", "evcxr", "--check"]);
    assert!(text.contains("evcxr: ready after") && text.contains("evcxr: warm"), "{text}");
    assert!(course.templates()[0].file_name().unwrap().to_str().unwrap().starts_with("evcxr-"));
}

#[test]
fn another_cpu_is_another_template() {
    let course = Course::new();
    let cpu = if cfg!(target_arch = "x86_64") { "x86-64-v2" } else { "generic" };
    let text =
        printed(course.prepare(&["--check"]).env("PARCOURSE_TARGET_CPU", cpu).output().unwrap());
    assert!(
        text.contains("ready after") && text.contains("only the cells were compiled"),
        "{text}"
    );
    let output =
        course.prepare(&["--quiet"]).env("PARCOURSE_TARGET_CPU", "no-such-cpu").output().unwrap();
    let (code, text) = complaint(output);
    assert_eq!(code, 2);
    assert!(text.contains("no-such-cpu"), "{text}");
    assert_eq!(course.templates().len(), 1);
}

/// cargo obeys `.cargo/config.toml` and `Cargo.toml` in all folders above the one it works in, and
/// in a folder like /tmp anybody can make them. A stranger's linker ran 16 times in one `parcourse
/// run`.
#[test]
fn settings_that_strangers_could_have_written_are_not_obeyed() {
    let course = Course { cache: "open/cache", ..Course::new() };
    let (open, ran) = (course.path("open"), course.path("ran"));
    course.write("open/stranger", &format!("#!/bin/sh\ntouch '{}'\nexec \"$@\"\n", ran.display()));
    fs::set_permissions(open.join("stranger"), fs::Permissions::from_mode(0o755)).unwrap();
    course.write(
        "open/.cargo/config.toml",
        &format!("[build]\nrustc-wrapper = \"{}\"\n", open.join("stranger").display()),
    );
    course.write("open/Cargo.toml", "[workspace]\n");
    fs::set_permissions(&open, fs::Permissions::from_mode(0o1777)).unwrap();
    let prepare = |own_cache: &str| {
        let mut command = course.prepare(&["--check"]);
        command
            .env("PARCOURSE_TMPDIR", course.path("open/tmp"))
            .env("XDG_CACHE_HOME", course.path(own_cache));
        command.output().unwrap()
    };
    let (code, text) = complaint(prepare("open/own"));
    assert_eq!(code, 2);
    let expected =
        format!("{} can be written by every user", open.canonicalize().unwrap().display());
    assert!(text.contains(&expected) && text.contains("PARCOURSE_CACHE"), "{text}");
    let text = printed(prepare("own"));
    assert!(text.contains("only the cells were compiled"), "{text}");
    assert_eq!(course.templates().len(), 1);
    assert!(!ran.exists(), "the stranger's program was run");
    assert!(
        children(&course.path("own/parcourse")).iter().all(|private| children(private).is_empty()),
        "copies are removed"
    );
}

#[test]
fn two_at_once_build_once() {
    let course = Course::new();
    let commands = [course.prepare(&[]), course.prepare(&[])];
    let children = commands
        .map(|mut command| command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap());
    let texts = children.map(|child| printed(child.wait_with_output().unwrap()));
    let built = |text: &&String| text.contains("parcourse: compiling the helper crate");
    let waited = |text: &&String| text.contains("another process is building it");
    assert_eq!(texts.iter().filter(built).count(), 1, "{texts:?}");
    assert_eq!(texts.iter().filter(waited).count(), 1, "{texts:?}");
    assert_eq!(course.templates().len(), 1);
    assert!(course.building().is_empty());
}

#[test]
fn whoever_is_killed_leaves_nothing_that_looks_like_a_template() {
    let course = Course::new();
    // The process that watches dies: the one that works follows it.
    let (mut child, _output) = run_until(course.prepare(&[]), "starting the engine");
    child.kill().unwrap();
    child.wait().unwrap();
    course.wait_for_silence();
    assert!(course.templates().is_empty());
    assert_eq!(course.building().len(), 1, "left behind until the next build");

    // The process that works dies: the one that watches says so and clears up.
    let (child, _output) = run_until(course.prepare(&[]), "starting the engine");
    for pid in course.processes("__build-template") {
        kill(pid);
    }
    let status = child.wait_with_output().unwrap().status;
    assert_eq!(status.code(), Some(2));
    assert!(course.templates().is_empty());
    course.wait_for_silence();

    let text = course.prepared(&["--check"]);
    assert!(text.contains("only the cells were compiled"), "{text}");
    assert!(course.building().is_empty(), "{:?}", course.building());
}

#[test]
fn copies_of_killed_processes_are_swept_and_living_ones_are_not() {
    let course = Course::new();
    course.prepared(&[]);
    let (mut killed, _first) = run_until(course.prepare(&["--check"]), "copied in");
    let (alive, second) = run_until(course.prepare(&["--check"]), "copied in");
    assert_eq!(course.checkouts().len(), 2);
    killed.kill().unwrap();
    killed.wait().unwrap();
    course.prepared(&["--quiet"]);
    assert_eq!(course.checkouts().len(), 1, "the dead one's is gone, the living one's is there");
    let rest: Vec<String> = second.lines().map(Result::unwrap).collect();
    assert!(rest.iter().any(|line| line.contains("only the cells were compiled")), "{rest:?}");
    assert!(alive.wait_with_output().unwrap().status.success());
    assert!(course.checkouts().is_empty());
    course.wait_for_silence();
}

#[test]
fn a_helper_crate_that_does_not_compile_is_reported_in_the_compilers_words() {
    let course = Course::new();
    course.write("helpers/src/lib.rs", "pub mod prelude { pub fn cores() -> usize { \"two\" } }\n");
    let (code, text) = complaint(course.prepare(&[]).output().unwrap());
    assert_eq!(code, 2);
    assert!(text.contains("mismatched types"), "{text}");
    assert!(text.contains(course.path("helpers").to_str().unwrap()), "{text}");
    assert!(course.templates().is_empty() && course.building().is_empty());
}

#[test]
fn what_cannot_be_done_is_said_with_a_way_out() {
    let course = Course::new();
    let (code, text) =
        complaint(course.prepare(&[]).env("PARCOURSE_CACHE", "/proc/nowhere").output().unwrap());
    assert_eq!(code, 2);
    assert!(text.contains("/proc/nowhere") && text.contains("PARCOURSE_CACHE"), "{text}");
    let (code, text) = complaint(
        Command::new(PARCOURSE).args(["prepare", "--helpers", "/nowhere"]).output().unwrap(),
    );
    assert_eq!(code, 2);
    assert!(text.contains("/nowhere") && text.contains("parcourse"), "{text}");
    let (code, text) = complaint(course.prepare(&["--kernel", "python"]).output().unwrap());
    assert_eq!(code, 2);
    assert!(text.contains("evcxr"), "{text}");
}
