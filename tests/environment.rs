//! environment.yml and the hooks in `.binder/`, judged by those who will read them: conda's own
//! syntax (rattler), Binder's image builder (repo2docker), a shell. Whether conda-forge has all of
//! it, and whether the image can be built, needs a network and containers.

use crate::python::gate::{self, Suite, Test};
use crate::python::{environment, lab_python, output, root};
use std::path::PathBuf;
use std::process::Command;

type SetUp = Result<PathBuf, String>;

const TESTS: &[Test<SetUp>] = &[
    ("conda_can_read_it", |python| check(python, "conda_can_read_it")),
    ("versions_are_those_of_the_course", |python| {
        check(python, "versions_are_those_of_the_course")
    }),
    ("binder_finds_it", |python| check(python, "binder_finds_it")),
    ("hooks_are_sound", |python| check(python, "hooks_are_sound")),
    ("start_hands_over", |python| check(python, "start_hands_over")),
    ("post_build_does_its_steps", |python| check(python, "post_build_does_its_steps")),
];

fn set_up() -> SetUp {
    environment::ensure(
        &lab_python()?,
        "environment",
        &root().join("tests/environment/requirements.txt"),
    )
}

fn check(python: &SetUp, name: &str) -> Result<(), String> {
    let python = python.as_ref().map_err(Clone::clone)?;
    let script = root().join("tests/environment/check_environment.py");
    output(
        Command::new(python).env("PYTHONDONTWRITEBYTECODE", "1").arg(script).arg(name).arg(root()),
    )
    .map(|_| ())
}

pub fn suite() -> Suite {
    Suite::new("environment", TESTS, gate::python_and_packages, set_up)
}
