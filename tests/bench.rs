//! `parcourse bench`, small: one round, two cells, starts that need no compilation of the helper crate.

mod support;

use serde_json::Value;
use std::process::{Command, Stdio};
use std::time::Duration;
use support::{BINARY, World, eventually, send, told, wait};

/// `parcourse bench WHAT`, in a world of its own.
fn bench(world: &World, what: &str) -> Command {
    // Only the place is that of a run.
    let run = world.run("parcourse");
    let environment = run.get_envs().filter_map(|(name, value)| Some((name.to_owned(), value?.to_owned())));
    let mut command = Command::new(BINARY);
    command.current_dir(env!("CARGO_MANIFEST_DIR")).envs(environment);
    command.args(["bench", what]).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

fn bench_kernel(world: &World) -> Command {
    let mut command = bench(world, "kernel");
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
    let world = World::new();
    let mut command = bench_kernel(&world);
    command.args(["--json", "--rounds", "1", "--starts", "warm,python", "--python", "/no/such/python", "--cells", "expression,error"]);
    let output = command.output().unwrap();
    assert!(output.status.success(), "{}", told(&output));
    let report: Value = serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {}", told(&output)));

    let starts = report["starts"].as_array().unwrap();
    assert_eq!(starts.len(), 2);
    assert_eq!(starts[0]["name"], "warm");
    let median = positive(&starts[0]["seconds"]["median"]);
    let parts = ["answer_seconds", "first_cell_seconds", "second_cell_seconds"].map(|part| positive(&starts[0][part]["median"]));
    assert!((median - parts.iter().sum::<f64>()).abs() < 1e-9, "{report:#}");
    assert!(starts[1]["left_out"].as_str().unwrap().contains("/no/such/python"), "{report:#}");

    // A cell that builds on another one brings it along.
    let cells = report["cells"].as_array().unwrap();
    let names: Vec<&str> = cells.iter().map(|cell| cell["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["let", "expression", "error"]);
    for cell in cells {
        let (stock, ours) = (positive(&cell["evcxr"]["seconds"]["median"]), positive(&cell["parcourse"]["seconds"]["median"]));
        assert!((positive(&cell["ratio"]["median"]) - ours / stock).abs() < 1e-9);
        assert_eq!(cell["parcourse"]["seconds"]["samples"].as_array().unwrap().len(), 1);
        assert_eq!(cell["parcourse"]["compile_seconds"]["median"].is_null(), cell["name"] == "error");
    }
    if cfg!(target_os = "linux") {
        let memory = report["memory"].as_array().unwrap();
        for (kernel, process) in [("evcxr", "kernel"), ("evcxr", "user process"), ("parcourse", "kernel"), ("parcourse", "user process")] {
            let part = memory.iter().find(|part| part["kernel"] == kernel && part["process"] == process);
            let part = part.unwrap_or_else(|| panic!("no {process} of {kernel}: {report:#}"));
            assert!(positive(&part["rss_bytes"]) >= positive(&part["pss_bytes"]));
        }
    }
    let targets: Vec<&str> = report["targets"].as_array().unwrap().iter().map(|target| target["name"].as_str().unwrap()).collect();
    assert_eq!(targets, ["warm: time to the first result", "latency of all cells, relative to stock"]);
    world.assert_nothing_left(Duration::from_secs(1));
}

#[test]
fn an_interrupt_leaves_nothing() {
    let world = World::new();
    let mut child = bench_kernel(&world).args(["--starts", "cold", "--cells", "none"]).spawn().unwrap();
    // The guard, the kernel and its own.
    eventually("a kernel", || (world.processes().len() >= 3).then_some(()));
    send(libc::SIGINT, child.id() as i32);
    let status = wait(&mut child, Duration::from_secs(20));
    assert_eq!(status.code(), Some(2));
    world.assert_nothing_left(Duration::from_secs(1));
}

#[test]
fn unknown_names_are_refused() {
    let world = World::new();
    for (option, name) in [("--starts", "lukewarm"), ("--cells", "goto"), ("--rounds", "0")] {
        let output = bench_kernel(&world).args([option, name]).output().unwrap();
        assert_eq!(output.status.code(), Some(2), "{}", told(&output));
        assert!(told(&output).contains(name), "{}", told(&output));
    }
    let output = bench_kernel(&world).args(["--starts", "none", "--cells", "none"]).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(told(&output).contains("nothing is left to measure"), "{}", told(&output));
}

#[test]
fn helpers_are_compared_with_the_same_by_hand() {
    let world = World::new();
    let output = bench(&world, "helpers").args(["--json", "--rounds", "1"]).output().unwrap();
    assert!(output.status.success(), "{}", told(&output));
    let report: Value = serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {}", told(&output)));
    let comparisons = report["comparisons"].as_array().unwrap();
    assert!(comparisons.iter().any(|comparison| comparison["name"] == "progress"), "{report:#}");
    for comparison in comparisons {
        let (helper, hand) = (positive(&comparison["helper_seconds"]["median"]), positive(&comparison["hand_seconds"]["median"]));
        assert!((positive(&comparison["ratio"]["median"]) - helper / hand).abs() < 1e-9);
    }
    world.assert_nothing_left(Duration::from_secs(1));
}
