//! `parcourse edition`: what each edition contains, and what it does not overwrite.

use crate::support::course::{CourseCopy, FIRST, cell, read, source, swap, tag};
use crate::support::joined;
use serde_json::Value;
use std::path::Path;

const STUB: &str =
    "fn double(number: i32) -> i32 {\n    // YOUR CODE HERE\n    todo!(\"your code here\");\n}";

/// The first notebook of an edition in the folder `out`.
fn first(course: &CourseCopy) -> Value {
    read(&course.path("out/notebooks").join(FIRST))
}

fn ids(notebook: &Value) -> Vec<&str> {
    notebook["cells"].as_array().unwrap().iter().filter_map(|cell| cell["id"].as_str()).collect()
}

#[test]
fn learners_get_stubs_and_no_notes() {
    let course = CourseCopy::new();
    course.write("nbgrader_config.py", "c = get_config()");
    course.write("data/sheep.csv", "1,2,3");
    course
        .parcourse(&["edition", "learner", "--out", "out"])
        .assert(0, &["learner: 2 notebooks in out/notebooks"]);
    let mut notebook = first(&course);
    assert_eq!(joined(&cell(&mut notebook, "exercise-1-work")["source"]), STUB);
    assert!(!ids(&notebook).contains(&"exercise-1-notes"));
    for (id, tags) in [
        ("exercise-1-check", ["check", "raises-exception"]),
        ("doubled", ["needs-solution", "raises-exception"]),
    ] {
        assert_eq!(cell(&mut notebook, id)["metadata"]["tags"], serde_json::json!(tags));
    }
    assert_eq!(
        joined(&cell(&mut notebook, "numbers")["outputs"][0]["text"]),
        "3 numbers\n",
        "is compared"
    );
    let text = std::fs::read_to_string(course.path("out/notebooks").join(FIRST)).unwrap();
    assert!(!text.contains("SOLUTION") && !text.contains("2 * number"));
    for (path, there) in [
        ("notebooks/course.toml", true),
        ("notebooks/data/sheep.csv", true),
        ("notebooks/sheep.svg", true),
        ("notebooks/nbgrader_config.py", false),
    ] {
        assert_eq!(course.path("out").join(path).exists(), there, "{path}");
    }
}

/// All misplaced markers are reported, with their cells.
#[test]
fn marks_in_the_wrong_place_are_named_all_at_once() {
    let course = CourseCopy::new();
    course.edit(FIRST, |n| {
        source(n, "exercise-1-work", "// BEGIN SOLUTION\n// BEGIN SOLUTION\n// END SOLUTION")
    });
    course.edit("01_more.ipynb", |n| swap(n, "exercise-2-text", "Mind", "// END SOLUTION\nMind"));
    course.parcourse(&["edition", "learner", "--out", "out"]).assert(
        2,
        &[
            "nothing was written",
            "00_first.ipynb: exercise-1-work: line 2: `// BEGIN SOLUTION` inside the solution \
            that begins on line 1",
            "01_more.ipynb: exercise-2-text: has a solution marker",
        ],
    );
    assert!(!course.path("out").exists());
}

#[test]
fn instructors_get_a_schedule() {
    let course = CourseCopy::new();
    course
        .parcourse(&["edition", "instructor", "--out", "out"])
        .assert(0, &["instructor: 2 notebooks"]);
    let mut notebook = first(&course);
    let schedule = joined(&notebook["cells"][0]["source"]);
    for line in [
        "**Instructor's edition**: 30 minutes",
        "| **Exercise 1: double** | 5 |",
        "| 0:30 | end | |",
    ] {
        assert!(schedule.contains(line), "no {line:?} in:\n{schedule}");
    }
    assert!(ids(&notebook).contains(&"exercise-1-notes"));
    assert!(joined(&cell(&mut notebook, "exercise-1-work")["source"]).contains("2 * number"));
    let whole = std::fs::read_to_string(course.path("out/SCHEDULE.md")).unwrap();
    for line in [
        "# Schedule: Small steps",
        "| 01_more.ipynb: More steps | 20 | 10 |",
        "| **together** | **50** (0:50 h) | **30** |",
    ] {
        assert!(whole.contains(line), "no {line:?} in:\n{whole}");
    }
}

#[test]
fn slides_are_marked_for_jupyter() {
    let course = CourseCopy::new();
    course.parcourse(&["edition", "slides", "--out", "out"]).assert(0, &["slides: 2 notebooks"]);
    let kind = |notebook: &mut Value, id: &str| {
        cell(notebook, id)["metadata"]["slideshow"]["slide_type"].as_str().unwrap().to_string()
    };
    let mut notebook = first(&course);
    let by_heading =
        ["numbers-text", "numbers", "exercise-1-notes"].map(|id| kind(&mut notebook, id));
    assert_eq!(by_heading, ["slide", "skip", "notes"]);
    course.edit(FIRST, |n| tag(n, "numbers", &["subslide", "check-output"]));
    course.parcourse(&["edition", "slides", "--out", "out"]).assert(0, &[]);
    let mut notebook = first(&course);
    assert_eq!(["numbers-text", "numbers"].map(|id| kind(&mut notebook, id)), ["skip", "subslide"]);
    course.edit(FIRST, |n| tag(n, "numbers", &["subslide", "fragment", "check-output"]));
    course
        .parcourse(&["edition", "slides", "--out", "out"])
        .assert(2, &["numbers: is tagged `subslide` and `fragment`"]);
}

/// Cargo must be able to read the copy of the helper crate without the workspace it comes from.
#[test]
fn the_helper_crate_stands_on_its_own() {
    let course = CourseCopy::new();
    course.parcourse(&["edition", "learner", "--out", "out"]).assert(0, &[]);
    let helpers = course.path("out/helpers");
    let mut cargo = std::process::Command::new("cargo");
    cargo
        .args(["metadata", "--no-deps", "--offline", "--format-version", "1"])
        .current_dir(&helpers);
    let output = cargo.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let metadata: Value = serde_json::from_slice(&output.stdout).unwrap();
    let mut names: Vec<&str> = metadata["packages"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|package| package["name"].as_str())
        .collect();
    names.sort();
    assert_eq!(names, ["parcourse", "parcourse-macros"]);
    assert_eq!(
        Path::new(metadata["workspace_root"].as_str().unwrap()).file_name().unwrap(),
        "helpers"
    );
    // The versions are those of the course, not whatever is newest on the day of the lesson.
    let versions = |file: &Path| -> Vec<String> {
        let lock: toml::Table = std::fs::read_to_string(file).unwrap().parse().unwrap();
        let packages = lock["package"].as_array().unwrap().iter();
        packages
            .map(|package| {
                format!(
                    "{} {}",
                    package["name"].as_str().unwrap(),
                    package["version"].as_str().unwrap()
                )
            })
            .collect()
    };
    let known = versions(Path::new("Cargo.lock"));
    let copied = versions(&helpers.join("Cargo.lock"));
    assert!(
        copied.len() > 10 && copied.iter().all(|package| known.contains(package)),
        "{copied:?}"
    );
}

#[test]
fn work_is_not_overwritten() {
    let course = CourseCopy::new();
    let edition = |options: &[&str]| {
        course.parcourse(&[&["edition", "learner", "--out", "out"], options].concat())
    };
    edition(&[]).assert(0, &[]);
    edition(&[]).assert(0, &[]);
    let notebook = course.path("out/notebooks").join(FIRST);
    std::fs::write(&notebook, "my work").unwrap();
    edition(&[])
        .assert(2, &["out holds an edition with changed files", "notebooks/00_first.ipynb"]);
    assert_eq!(std::fs::read_to_string(&notebook).unwrap(), "my work");
    edition(&["--force"]).assert(0, &[]);
    std::fs::create_dir(course.path("thesis")).unwrap();
    std::fs::write(course.path("thesis/thesis.tex"), "").unwrap();
    course
        .parcourse(&["edition", "learner", "--out", "thesis"])
        .assert(2, &["thesis is not empty and does not hold an edition"]);
}

/// Not even with `--force`.
#[test]
fn the_source_is_not_overwritten() {
    let course = CourseCopy::new();
    for out in [".", "notebooks", "notebooks/out", "notebooks/../"] {
        course
            .parcourse(&["edition", "learner", "--force", "--out", out])
            .assert(2, &["would mix with its source"]);
    }
    assert!(
        std::fs::read_to_string(course.notebooks().join(FIRST)).unwrap().contains("BEGIN SOLUTION")
    );
}

#[test]
fn the_course_is_found_from_below() {
    let course = CourseCopy::new();
    course.write("data/sheep.csv", "1");
    let mut command = std::process::Command::new(crate::support::BINARY);
    command
        .current_dir(course.notebooks().join("data"))
        .args(["edition", "learner", "--out"])
        .arg(course.path("out"));
    let output = command.output().unwrap();
    assert!(output.status.success(), "{}", crate::support::output_text(&output));
    assert!(course.path("out/notebooks").join(FIRST).exists());
}
