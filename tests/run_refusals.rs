//! What the runner rejects: a clear message, exit code 2, and nothing is run. These tests start no
//! kernel.

use crate::support::{Sandbox, fixture, output_text};
use std::path::PathBuf;

/// Runs with these arguments and checks that the output has all expected parts, that the exit code
/// is 2, and that nothing was run.
fn refused(arguments: &[&str], notebooks: &[PathBuf], expected: &[&str]) {
    let sandbox = Sandbox::new();
    let output = sandbox.run("parcourse").args(arguments).args(notebooks).output().unwrap();
    let text = output_text(&output);
    assert_eq!(output.status.code(), Some(2), "{text}");
    for part in expected {
        assert!(text.contains(part), "no {part:?} in:\n{text}");
    }
    assert!(!text.contains("passed") && sandbox.files().is_empty(), "{text}");
    assert!(!text.contains("panicked"), "{text}");
}

macro_rules! refusals {
    ($($name:ident: $file:literal => $($expected:literal),+;)+) => {
        $(#[test]
        fn $name() {
            // Together with a good notebook, which must not be executed either.
            refused(&[], &[fixture("ok.ipynb"), fixture($file)], &[$file, $($expected),+]);
        })+
    };
}

refusals! {
    missing_file: "no_such.ipynb" => "no such file";
    folder: "" => "is a folder";
    no_json: "not_json.ipynb" => "is not a notebook: it is not JSON";
    other_json: "not_a_notebook.ipynb" => "is not a notebook: it has no nbformat number";
    old_format: "nbformat3.ipynb" => "old notebook format 3", "jupyter nbconvert";
    newer_format: "newer.ipynb" => "format 5.0; the newest supported is 4.5";
    broken_cell: "broken_cell.ipynb" => "is not a valid notebook", "cell at index 0";
    duplicate_ids: "duplicate_ids.ipynb" => "Duplicate Cell ID found: same";
    other_language: "python.ipynb" => "is a notebook for python, not for Rust";
    no_language: "no_language.ipynb" => "does not state its language";
    unknown_tag: "unknown_tag.ipynb" => "cell 1 of 1: unknown tag `raises-exeption`: did you mean \
        `raises-exception`?";
    bad_timeout: "bad_timeout.ipynb" => "code cell 1: its metadata says timeout = \"soon\"";
}

#[test]
fn all_problems_are_reported_at_once() {
    refused(
        &[],
        &[fixture("python.ipynb"), fixture("no_such.ipynb")],
        &["nothing was run", "python.ipynb", "no_such.ipynb"],
    );
}

#[test]
fn unknown_option() {
    refused(
        &["--time-out", "3"],
        &[fixture("ok.ipynb")],
        &["unexpected argument '--time-out'", "--timeout"],
    );
}

#[test]
fn values_that_make_no_sense() {
    refused(
        &["--timeout", "0"],
        &[fixture("ok.ipynb")],
        &["--timeout", "not a positive number of seconds"],
    );
    refused(&["--jobs", "0"], &[fixture("ok.ipynb")], &["--jobs", "not a number of at least 1"]);
}

#[test]
fn unknown_kernel() {
    let sandbox = Sandbox::new();
    let output = sandbox.run("python").arg(fixture("ok.ipynb")).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(
        output_text(&output).contains("possible values: parcourse, evcxr"),
        "{}",
        output_text(&output)
    );
}

#[test]
fn unknown_parameter_names_those_there_are() {
    refused(
        &["-p", "sample", "3"],
        &[fixture("parameters.ipynb")],
        &["unknown parameter `sample`: the notebook has samples, scale, verbose, label"],
    );
}

#[test]
fn parameter_of_the_wrong_type() {
    refused(
        &["-p", "samples", "many"],
        &[fixture("parameters.ipynb")],
        &["parameter `samples`: `many` is not an integer (usize)"],
    );
}

#[test]
fn parameters_for_a_notebook_without_any() {
    refused(
        &["-p", "samples", "3"],
        &[fixture("ok.ipynb")],
        &["ok.ipynb: has no cell tagged `parameters`"],
    );
}

#[test]
fn reports_that_cannot_be_written() {
    refused(
        &["--json", "no/such/folder/report.json"],
        &[fixture("ok.ipynb")],
        &["cannot write no/such/folder/report.json"],
    );
    refused(
        &["--output", "tests/fixtures"],
        &[fixture("ok.ipynb")],
        &["would overwrite tests/fixtures/ok.ipynb"],
    );
    let sandbox = Sandbox::new();
    let out = sandbox.path("out");
    let twice = [fixture("ok.ipynb"), fixture("ok.ipynb")];
    refused(&["--output", out.to_str().unwrap()], &twice, &["have the same name"]);
}
