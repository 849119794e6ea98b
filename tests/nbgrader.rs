//! The course under nbgrader: released, handed in, executed by our kernel and scored, with the
//! course's own configuration.

use crate::python::gate::{self, Suite, Test};
use crate::python::{PARCOURSE, environment, lab_python, output, root};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use tempfile::TempDir;

const TESTS: &[Test<SetUp>] = &[
    ("a_lesson_is_released_handed_in_and_scored", |nbgrader| {
        graded(nbgrader, "tests/fixtures/nbgrader/lesson.ipynb")
    }),
    ("the_welcome_notebook_is_released_handed_in_and_scored", |nbgrader| {
        graded(nbgrader, "notebooks/00_welcome.ipynb")
    }),
];

type SetUp = Result<Nbgrader, String>;

/// Python with nbgrader, and a Jupyter folder in which `rust` is our kernel.
struct Nbgrader {
    python: PathBuf,
    jupyter: TempDir,
}

impl Nbgrader {
    fn set_up() -> SetUp {
        let python = environment::ensure(
            &lab_python()?,
            "nbgrader",
            &root().join("tests/nbgrader/requirements.txt"),
        )?;
        let jupyter = folder()?;
        let mut install = Command::new(PARCOURSE);
        install
            .current_dir(root())
            .args(["kernel", "install", "--name", "rust", "--prefix"])
            .arg(jupyter.path());
        output(&mut install)?;
        Ok(Self { python, jupyter })
    }
}

fn graded(nbgrader: &SetUp, source: &str) -> Result<(), String> {
    let nbgrader = nbgrader.as_ref().map_err(Clone::clone)?;
    let source = root().join(source);
    let name = source.file_name().ok_or("a notebook has no name")?;
    let (work, course) = (folder()?, folder()?);
    // A course of this notebook alone.
    fs::copy(&source, course.path().join(name)).map_err(|error| error.to_string())?;
    let manifest = format!("[[notebook]]\nfile = \"{}\"\ntitle = \"A lesson\"\n", name.display());
    fs::write(course.path().join("course.toml"), manifest).map_err(|error| error.to_string())?;
    let edition = work.path().join("edition");
    let mut learner = Command::new(PARCOURSE);
    learner
        .args(["edition", "learner", "--out"])
        .arg(&edition)
        .arg(course.path())
        .arg("--helpers")
        .arg(root().join("helpers"));
    output(&mut learner)?;

    let school = work.path().join("school");
    fs::create_dir(&school).map_err(|error| error.to_string())?;
    let mut grade = Command::new(&nbgrader.python);
    grade.arg("-B").arg(root().join("tests/nbgrader/grade.py")).current_dir(&school);
    grade
        .arg(root().join("notebooks/nbgrader_config.py"))
        .arg(&source)
        .arg(edition.join("notebooks").join(name));
    // nbgrader starts a program of its environment by name.
    let programs = nbgrader.python.parent().ok_or("the Python has no folder")?.to_path_buf();
    let path = std::env::var_os("PATH").unwrap_or_default();
    let path = std::env::join_paths([programs].into_iter().chain(std::env::split_paths(&path)))
        .map_err(|error| error.to_string())?;
    let below = |name: &str| nbgrader.jupyter.path().join(name);
    grade
        .env("PATH", path)
        .env("JUPYTER_PATH", below("share/jupyter"))
        .env("JUPYTER_DATA_DIR", below("data"));
    grade
        .env("JUPYTER_CONFIG_DIR", below("config"))
        .env("JUPYTER_RUNTIME_DIR", below("run"))
        .env("IPYTHONDIR", below("ipython"));
    let (_, said) = output(&mut grade)?;
    print!("{said}");
    Ok(())
}

fn folder() -> Result<TempDir, String> {
    tempfile::Builder::new()
        .prefix("pg-")
        .tempdir_in(Path::new("/tmp"))
        .map_err(|error| error.to_string())
}

pub fn suite() -> Suite {
    Suite::new("nbgrader", TESTS, gate::python_and_packages, Nbgrader::set_up)
}
