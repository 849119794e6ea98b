//! The course in JupyterLab, in a real browser: Run All, plots, progress, errors, interrupts,
//! completion, the dark theme. What is done and looked at is Python, in `tests/browser/`; each
//! scenario has a window and a kernel of its own, on one server.
//!
//! Pictures of what a learner sees go to the folder `PARCOURSE_ARTIFACTS`, else to
//! `browser-screenshots` in cargo's folder for tests.

use crate::python::gate::{self, Suite, Test};
use crate::python::private_tmp::PrivateTmp;
use crate::python::server::Server;
use crate::python::{PARCOURSE, browser, environment, lab_python, output, root};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Mutex;
use tempfile::TempDir;

type SetUp = Result<Course, String>;

const TESTS: &[Test<SetUp>] = &[
    ("measuring_runs_to_its_end", |course| {
        ready(course)?.check("check_notebooks.py", "measuring_runs_to_its_end")
    }),
    ("welcome_runs_to_its_end", |course| {
        ready(course)?.check("check_notebooks.py", "welcome_runs_to_its_end")
    }),
    ("results_and_pictures_are_shown", |course| {
        ready(course)?.check("check_output.py", "results_and_pictures_are_shown")
    }),
    ("a_progress_bar_moves", |course| {
        ready(course)?.check("check_output.py", "a_progress_bar_moves")
    }),
    ("dark_theme_is_legible", |course| {
        ready(course)?.check("check_output.py", "dark_theme_is_legible")
    }),
    ("an_error_stops_the_run", |course| {
        ready(course)?.check("check_kernel.py", "an_error_stops_the_run")
    }),
    ("a_panic_is_readable", |course| {
        ready(course)?.check("check_kernel.py", "a_panic_is_readable")
    }),
    ("an_interrupted_helper_keeps_the_variables", |course| {
        ready(course)?.check("check_kernel.py", "an_interrupted_helper_keeps_the_variables")
    }),
    ("an_interrupted_loop_says_what_is_lost", |course| {
        ready(course)?.check("check_kernel.py", "an_interrupted_loop_says_what_is_lost")
    }),
    ("a_restart_begins_afresh", |course| {
        ready(course)?.check("check_kernel.py", "a_restart_begins_afresh")
    }),
    ("tab_completes", |course| ready(course)?.check("check_editor.py", "tab_completes")),
    ("shift_tab_explains", |course| ready(course)?.check("check_editor.py", "shift_tab_explains")),
];

/// A running `parcourse lab` on a learner's copy of the course, and what drives a browser.
struct Course {
    address: String,
    driver: PathBuf,
    browser: PathBuf,
    pictures: PathBuf,
    // Stopped and removed with this, in this order.
    _server: Mutex<Server>,
    _folder: TempDir,
    _private_tmp: PrivateTmp,
}

impl Course {
    fn set_up() -> SetUp {
        let driver = environment::ensure(
            &lab_python()?,
            "browser",
            &root().join("tests/browser/requirements.txt"),
        )?;
        let folder = tempfile::Builder::new()
            .prefix("parcourse-browser-")
            .tempdir()
            .map_err(|error| error.to_string())?;
        // A short path: it has sockets in it.
        let private_tmp = PrivateTmp::new("pb-");
        let settings = write_settings(folder.path())
            .map_err(|error| format!("failed to write settings: {error}"))?;
        let mut lab = Command::new(PARCOURSE);
        lab.args(["lab", "--no-browser", "--dir"])
            .arg(folder.path().join("copy"))
            .arg("--course")
            .arg(root());
        lab.current_dir(folder.path());
        lab.env("PARCOURSE_TMPDIR", private_tmp.path()).env_remove("JUPYTER_TOKEN");
        // The tests ask JupyterLab what it knows of a notebook.
        lab.args(["--", "--LabApp.expose_app_in_browser=True"]);
        // Not those of this user's own `parcourse lab`.
        lab.arg(format!("--LabApp.user_settings_dir={}", settings.display()));
        lab.arg(format!("--LabApp.workspaces_dir={}", folder.path().join("workspaces").display()));
        let server = Server::start(&mut lab)?;
        let pictures = match std::env::var_os("PARCOURSE_ARTIFACTS") {
            Some(folder) => PathBuf::from(folder),
            None => Path::new(env!("CARGO_TARGET_TMPDIR")).join("browser-screenshots"),
        };
        fs::create_dir_all(&pictures)
            .map_err(|error| format!("failed to create {}: {error}", pictures.display()))?;
        eprintln!("pictures of the page: {}", pictures.display());
        Ok(Self {
            address: server.address.clone(),
            driver,
            browser: browser::find()?,
            pictures,
            _server: Mutex::new(server),
            _folder: folder,
            _private_tmp: private_tmp,
        })
    }

    /// Plays one scenario.
    fn check(&self, script: &str, scenario: &str) -> Result<(), String> {
        let mut command = Command::new(&self.driver);
        command.arg(root().join("tests/browser").join(script)).arg(scenario);
        command.env("PARCOURSE_LAB", &self.address).env("PARCOURSE_CHROMIUM", &self.browser);
        command.env("PARCOURSE_PICTURES", &self.pictures).env("PYTHONDONTWRITEBYTECODE", "1");
        let (stdout, stderr) = output(&mut command)?;
        print!("{stdout}{stderr}");
        Ok(())
    }
}

/// Settings of JupyterLab that make the page easier to look at: cells out of view are on the page
/// too, and a busy machine may take its time over names to complete, for which the page otherwise
/// waits a second and then shows nothing.
fn write_settings(folder: &Path) -> std::io::Result<PathBuf> {
    let settings = folder.join("settings/@jupyterlab");
    for (plugin, text) in [
        ("notebook-extension/tracker", r#"{ "windowingMode": "none" }"#),
        ("completer-extension/manager", r#"{ "providerTimeout": 60000 }"#),
    ] {
        let file = settings.join(format!("{plugin}.jupyterlab-settings"));
        fs::create_dir_all(file.parent().expect("a plugin has an extension"))?;
        fs::write(file, text)?;
    }
    Ok(folder.join("settings"))
}

fn ready(course: &SetUp) -> Result<&Course, String> {
    course.as_ref().map_err(Clone::clone)
}

pub fn suite() -> Suite {
    Suite::new(
        "browser",
        TESTS,
        || gate::python_and_packages().and_then(|()| browser::find().map(drop)),
        Course::set_up,
    )
}
