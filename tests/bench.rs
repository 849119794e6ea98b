//! `parcourse bench`, small: one round, two cells, starts that need no compilation of the helper
//! crate.

use crate::support::{BINARY, Sandbox, eventually, output_text, send, wait};
use serde_json::{Value, json};
use std::process::{Command, Stdio};
use std::time::Duration;

/// `parcourse bench WHAT`, in a sandbox of its own.
fn bench(sandbox: &Sandbox, what: &str) -> Command {
    // Only the environment is that of a run.
    let run = sandbox.run("parcourse");
    let environment =
        run.get_envs().filter_map(|(name, value)| Some((name.to_owned(), value?.to_owned())));
    let mut command = Command::new(BINARY);
    command.current_dir(env!("CARGO_MANIFEST_DIR")).envs(environment);
    command
        .args(["bench", what])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command
}

fn bench_kernel(sandbox: &Sandbox) -> Command {
    let mut command = bench(sandbox, "kernel");
    command.arg("--own-templates");
    command
}

fn positive(value: &Value) -> f64 {
    let number = value.as_f64().unwrap_or_else(|| panic!("{value} is no number"));
    assert!(number > 0.0, "{number}");
    number
}

#[test]
fn reports_for_machines() {
    let sandbox = Sandbox::new();
    let mut command = bench_kernel(&sandbox);
    command.args([
        "--json",
        "--rounds",
        "1",
        "--starts",
        "warm,python",
        "--python",
        "/no/such/python",
        "--cells",
        "expression,error",
    ]);
    let output = command.output().unwrap();
    assert!(output.status.success(), "{}", output_text(&output));
    let report: Value = serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|error| panic!("{error}: {}", output_text(&output)));

    let starts = report["starts"].as_array().unwrap();
    assert_eq!(starts.len(), 2);
    assert_eq!(starts[0]["name"], "warm");
    let median = positive(&starts[0]["seconds"]["median"]);
    let parts = ["answer_seconds", "first_cell_seconds", "second_cell_seconds"]
        .map(|part| positive(&starts[0][part]["median"]));
    assert!((median - parts.iter().sum::<f64>()).abs() < 1e-9, "{report:#}");
    assert!(starts[1]["left_out"].as_str().unwrap().contains("/no/such/python"), "{report:#}");

    // Selecting a cell also selects the cell it depends on.
    let cells = report["cells"].as_array().unwrap();
    let names: Vec<&str> = cells.iter().map(|cell| cell["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["let", "expression", "error"]);
    for cell in cells {
        let (stock, ours) = (
            positive(&cell["evcxr"]["seconds"]["median"]),
            positive(&cell["parcourse"]["seconds"]["median"]),
        );
        assert!((positive(&cell["ratio"]["median"]) - ours / stock).abs() < 1e-9);
        assert_eq!(cell["parcourse"]["seconds"]["samples"].as_array().unwrap().len(), 1);
        assert_eq!(
            cell["parcourse"]["compile_seconds"]["median"].is_null(),
            cell["name"] == "error"
        );
    }
    if cfg!(target_os = "linux") {
        let memory = report["memory"].as_array().unwrap();
        for (kernel, process) in [
            ("evcxr", "kernel"),
            ("evcxr", "user process"),
            ("parcourse", "kernel"),
            ("parcourse", "user process"),
        ] {
            let part =
                memory.iter().find(|part| part["kernel"] == kernel && part["process"] == process);
            let part = part.unwrap_or_else(|| panic!("no {process} of {kernel}: {report:#}"));
            assert!(positive(&part["rss_bytes"]) >= positive(&part["pss_bytes"]));
        }
    }
    let targets: Vec<&str> = report["targets"]
        .as_array()
        .unwrap()
        .iter()
        .map(|target| target["name"].as_str().unwrap())
        .collect();
    let expected = [
        "warm: time to the first result",
        "plain notebook: CPU time to a variable, relative to stock",
        "kernel with helpers: memory",
        "latency of all cells, relative to stock",
    ];
    assert_eq!(targets, expected);
    sandbox.assert_nothing_left(Duration::from_secs(1));
}

#[test]
fn an_interrupt_leaves_nothing() {
    let sandbox = Sandbox::new();
    let mut child = bench_kernel(&sandbox)
        .args(["--starts", "cold", "--cells", "none", "--no-first-variable"])
        .spawn()
        .unwrap();
    // The guard, the kernel and its own.
    eventually("a kernel", || (sandbox.processes().len() >= 3).then_some(()));
    send(libc::SIGINT, child.id() as i32);
    let status = wait(&mut child, Duration::from_secs(20));
    assert_eq!(status.code(), Some(2));
    sandbox.assert_nothing_left(Duration::from_secs(1));
}

#[test]
fn unknown_names_are_refused() {
    let sandbox = Sandbox::new();
    for (option, name) in [("--starts", "lukewarm"), ("--cells", "goto"), ("--rounds", "0")] {
        let output = bench_kernel(&sandbox).args([option, name]).output().unwrap();
        assert_eq!(output.status.code(), Some(2), "{}", output_text(&output));
        assert!(output_text(&output).contains(name), "{}", output_text(&output));
    }
    let output = bench_kernel(&sandbox)
        .args(["--starts", "none", "--cells", "none", "--no-first-variable"])
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(
        output_text(&output).contains("nothing is left to measure"),
        "{}",
        output_text(&output)
    );
}

#[test]
fn helpers_are_compared_with_the_same_by_hand() {
    let sandbox = Sandbox::new();
    let output = bench(&sandbox, "helpers").args(["--json", "--rounds", "1"]).output().unwrap();
    assert!(output.status.success(), "{}", output_text(&output));
    let report: Value = serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|error| panic!("{error}: {}", output_text(&output)));
    let comparisons = report["comparisons"].as_array().unwrap();
    assert!(comparisons.iter().any(|comparison| comparison["name"] == "progress"), "{report:#}");
    for comparison in comparisons {
        let (helper, hand) = (
            positive(&comparison["helper_seconds"]["median"]),
            positive(&comparison["hand_seconds"]["median"]),
        );
        assert!((positive(&comparison["ratio"]["median"]) - helper / hand).abs() < 1e-9);
    }
    sandbox.assert_nothing_left(Duration::from_secs(1));
}

/// One notebook of four cells, of which one has no code and one must not compile; one single cell.
#[test]
fn cells_are_measured_relative_to_the_simplest() {
    let sandbox = Sandbox::new();
    let helpers = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("helpers");
    let first = format!(":dep parcourse = {{ path = {helpers:?} }}\nuse parcourse::prelude::*;");
    let pool = "threads::Pool::new(2).map(|x: &u64| x + 1, &[1, 2, 3])";
    let notebook = sandbox.path("few.ipynb");
    std::fs::write(&notebook, notebook_of(&[&first, pool, ":vars", "let wrong: i64 = \"text\";"]))
        .unwrap();
    let mut command = bench(&sandbox, "cells");
    let output = command
        .args(["--json", "--rounds", "1", "--cells", "1+1"])
        .arg(&notebook)
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", output_text(&output));
    let report: Value = serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|error| panic!("{error}: {}", output_text(&output)));

    let few = &report["notebooks"][0];
    assert_eq!(few["left_out"], 2, "{report:#}");
    let cells = few["cells"].as_array().unwrap();
    assert_eq!(
        cells.iter().map(|cell| cell["number"].as_u64().unwrap()).collect::<Vec<_>>(),
        [1, 2]
    );
    let (unit, cost) = (positive(&few["unit_cpu_seconds"]), &cells[1]["cost"]);
    assert!((positive(&cells[1]["ratio"]) - positive(&cost["cpu_seconds"]) / unit).abs() < 1e-9);
    assert_eq!(few["summary"]["cpu"]["max"], report["all"]["cpu"]["max"]);

    // The parts of a cell's code.
    let single = &report["cells"][0];
    assert_eq!(single["name"], "1+1");
    assert!(
        positive(&cost["object"]["code_bytes"]) > positive(&single["object"]["code_bytes"]),
        "{report:#}"
    );
    let parts = cost["object"]["parts"].as_array().unwrap();
    assert!(
        parts.iter().any(|part| part["origin"] == "parcourse::threads" || part["origin"] == "cell"),
        "{report:#}"
    );
    sandbox.assert_nothing_left(Duration::from_secs(1));
}

fn notebook_of(cells: &[&str]) -> String {
    let cell = |(number, source): (usize, &&str)| json!({ "cell_type": "code", "id": number.to_string(), "metadata": {}, "source": source, "outputs": [], "execution_count": null });
    let kernel = json!({ "name": "rust", "display_name": "Rust", "language": "rust" });
    let cells: Vec<Value> = cells.iter().enumerate().map(cell).collect();
    json!({ "cells": cells, "metadata": { "kernelspec": kernel }, "nbformat": 4, "nbformat_minor": 5 }).to_string()
}

/// Small problems and one round. Python's packages need 400 MB, so without a Python its programs
/// are skipped with the reason.
#[test]
fn cells_are_compared_with_programs() {
    let sandbox = Sandbox::new();
    let mut command = bench(&sandbox, "parallel");
    let output = command
        .args(["--json", "--quick", "--rounds", "1", "--python", "/no/such/python"])
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", output_text(&output));
    let report: Value = serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|error| panic!("{error}: {}", output_text(&output)));
    judge_parallel(&report, |side| match side {
        "ours" | "rayon" | "persistent" => Some(""),
        // If gcc is missing or lacks OpenMP.
        "c" | "c-fast" | "c-native" => Some("gcc"),
        _ => None,
    });
    assert!(report.to_string().contains("/no/such/python, which cannot be started"), "{report:#}");
    assert!(
        report["targets"].as_array().unwrap().is_empty(),
        "small problems say nothing: {report:#}"
    );
    sandbox.assert_nothing_left(Duration::from_secs(1));
}

/// All programs, including Python.
#[test]
#[ignore = "installs 400 MB from PyPI"]
fn cells_are_compared_with_all_programs() {
    let sandbox = Sandbox::new();
    let output =
        bench(&sandbox, "parallel").args(["--json", "--quick", "--rounds", "2"]).output().unwrap();
    assert!(output.status.success(), "{}", output_text(&output));
    let report: Value = serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|error| panic!("{error}: {}", output_text(&output)));
    judge_parallel(&report, |_| Some(""));
    sandbox.assert_nothing_left(Duration::from_secs(1));
}

/// Every row has every side, measured or skipped with a reason. `measured` says whether a side must
/// be measured (`Some("")`), may be skipped for a reason that contains a word, or must be skipped
/// (`None`).
fn judge_parallel(report: &Value, measured: impl Fn(&str) -> Option<&'static str>) {
    let rows = report["rows"].as_array().unwrap();
    let names: Vec<&str> = rows.iter().map(|row| row["name"].as_str().unwrap()).collect();
    for name in [
        "map-few",
        "map-many",
        "sum-few",
        "sum-many",
        "processes-start",
        "processes-task",
        "expression",
        "mandelbrot",
        "pi",
    ] {
        assert!(names.contains(&name), "{names:?}");
    }
    for row in rows {
        let sides = row["sides"].as_array().unwrap();
        assert_eq!(sides[0]["name"], "ours");
        assert!(sides.len() > 1, "{row:#}");
        for side in sides {
            let left_out = side["left_out"].as_str();
            match (measured(side["name"].as_str().unwrap()), left_out) {
                (Some(_), None) => {
                    let ratio = positive(&side["seconds"]["median"])
                        / positive(&sides[0]["seconds"]["median"]);
                    if side["seconds"]["samples"].as_array().unwrap().len() == 1 {
                        assert!((positive(&side["ratio"]["median"]) - ratio).abs() < 1e-9);
                    }
                }
                (Some(reason), Some(left_out)) => {
                    assert!(!reason.is_empty() && left_out.contains(reason), "{side:#}")
                }
                (None, left_out) => assert!(left_out.is_some(), "{side:#}"),
            }
        }
    }
}

#[test]
fn unknown_benchmarks_are_refused_with_the_list() {
    let sandbox = Sandbox::new();
    let output = bench(&sandbox, "parallel").args(["--only", "goto"]).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    for name in ["goto", "pool", "processes", "expression", "mandelbrot", "pi"] {
        assert!(output_text(&output).contains(name), "{}", output_text(&output));
    }
}
