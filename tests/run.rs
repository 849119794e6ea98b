//! The headless runner as users run it: the built binary, real kernels, real sockets.
//!
//! Starting a kernel takes seconds, so tests share one where possible: `verdicts.ipynb` has one
//! cell for every way a cell can end and runs once per kernel; every test checks its own cell.

use crate::support::{Report, Sandbox, eventually, fixture, joined, output_text, send, wait};
use serde_json::Value;
use std::io::{BufRead, BufReader};
use std::sync::LazyLock;
use std::time::Duration;

/// How soon after the command's end everything must be gone; a guard may still be removing the
/// build directory of a killed kernel.
const AT_ONCE: Duration = Duration::from_secs(5);

/// One test per cell of `verdicts.ipynb`: its id, and the accepted verdicts.
macro_rules! verdict_tests {
    ($($name:ident: $id:literal => $($verdict:literal)|+,)+) => {
        $(#[test]
        fn $name() {
            let verdict = VERDICTS.verdict($id);
            assert!([$($verdict),+].contains(&verdict), "{verdict}: \
                {:#}\n{}", VERDICTS.cell($id), VERDICTS.text);
        })+
    };
}

/// The tests of one kernel.
macro_rules! on_kernel {
    ($module:ident, $kernel:literal) => {
        mod $module {
            use super::*;

            const KERNEL: &str = $kernel;

            static VERDICTS: LazyLock<Report> = LazyLock::new(|| {
                let sandbox = Sandbox::new();
                let foreign = sandbox.foreign_results();
                let report = sandbox.report(KERNEL, "verdicts.ipynb", &["--keep-going"]);
                sandbox.assert_nothing_left(AT_ONCE);
                assert!(foreign.is_file(), "a user's results were deleted");
                report
            });

            verdict_tests! {
                fine: "fine" => "passed",
                compile_error: "compile-error" => "error",
                panic: "panic" => "panic",
                question_mark: "question-mark" => "error returned by `?`" | "error",
                question_mark_although_stderr_is_allowed: "question-mark-allowed" => "error \
    returned by `?`" | "error",
                panic_although_stderr_is_allowed: "panic-allowed" => "panic",
                thread_panic_tagged: "thread-panic-tagged" => "passed",
                stderr: "stderr" => "unexpected stderr",
                stderr_allowed: "stderr-allowed" => "passed",
                raises_compile_error: "raises-compile-error" => "passed",
                raises_panic: "raises-panic" => "passed",
                raises_question_mark: "raises-question-mark" => "passed",
                raises_nothing: "raises-nothing" => "no error",
                many_lines: "many-lines" => "passed",
                timeout: "timeout" => "timeout",
                timeout_is_not_the_error_that_was_expected: "timeout-raises" => "timeout",
                after_timeout: "after-timeout" => "passed",
                exit: "exit" => "error",
                after_exit: "after-exit" => "passed",
                segfault: "segfault" => "error",
                after_segfault: "after-segfault" => "passed",
                flood: "flood" => "timeout",
            }

            #[test]
            fn input_request_does_not_hang() {
                // A kernel may return an empty line or an error, because input is not available.
                assert_ne!(VERDICTS.verdict("input-request"), "timeout", "{}", VERDICTS.text);
            }

            #[test]
            fn no_line_of_output_is_lost() {
                let expected: String = (0..20_000).map(|line| format!("line {line}\n")).collect();
                assert!(
                    VERDICTS.stdout("many-lines") == expected,
                    "{} \
                    bytes",
                    VERDICTS.stdout("many-lines").len()
                );
            }

            #[test]
            fn failing_lines_are_known() {
                for (id, line) in [("compile-error", 2), ("panic", 3)] {
                    assert_eq!(
                        VERDICTS.cell(id)["failure"]["line"],
                        line,
                        "{id}: \
                        {}",
                        VERDICTS.text
                    );
                }
                assert!(VERDICTS.text.contains(">   3 | sheep[pasture]"), "{}", VERDICTS.text);
            }

            #[test]
            fn the_report_says_what_happened_and_how_to_see_it_again() {
                assert_eq!(VERDICTS.code, Some(1));
                for expected in [
                    "=== tests/fixtures/verdicts.ipynb, code cell 3 of 23: panic",
                    "index out of bounds: the len is 3 but the index is 7",
                    "cannot multiply `{integer}` by `&str`",
                    "did not finish within 1.5 s",
                    &format!(
                        "To reproduce: parcourse run --kernel {KERNEL} \
                        tests/fixtures/verdicts.ipynb"
                    ),
                ] {
                    assert!(
                        VERDICTS.text.contains(expected),
                        "no {expected:?} \
                        in:\n{}",
                        VERDICTS.text
                    );
                }
                assert!(!VERDICTS.text.contains("stack backtrace"), "{}", VERDICTS.text);
            }

            #[test]
            fn executed_notebook_has_outputs_counts_and_times() {
                let sandbox = Sandbox::new();
                let junit = sandbox.path("junit.xml");
                let report =
                    sandbox.report(KERNEL, "ok.ipynb", &["--junit", junit.to_str().unwrap()]);
                assert_eq!(report.code, Some(0), "{}", report.text);
                sandbox.assert_nothing_left(AT_ONCE);
                let notebook = report.executed.as_ref().unwrap();
                check_format(notebook);
                assert_eq!(report.stdout("print"), "sum 20\n");
                assert_eq!(report.rich("print", "text/plain"), ["6"]);
                let cell = &notebook["cells"][2];
                assert!(cell["execution_count"].as_i64().unwrap() > 0);
                assert!(
                    cell["metadata"]["parcourse"]["run"]["wall_seconds"].as_f64().unwrap() > 0.0
                );
                let times = &cell["metadata"]["execution"];
                assert!(
                    times["iopub.status.busy"].as_str().unwrap()
                        <= times["iopub.status.idle"].as_str().unwrap(),
                    "{times}"
                );
                assert_eq!(notebook["metadata"]["parcourse"]["run"]["outcome"], "passed");
                assert_eq!(report.verdict("skipped"), "skipped");
                assert_eq!(count_cases(&std::fs::read_to_string(junit).unwrap()), 4);
            }

            #[test]
            fn rich_output_is_kept() {
                let sandbox = Sandbox::new();
                let report = sandbox.report(KERNEL, "rich.ipynb", &[]);
                assert_eq!(report.code, Some(0), "{}", report.text);
                assert_eq!(report.rich("table", "text/html"), ["<b>bold</b>"]);
                assert!(report.rich("picture", "image/png")[0].starts_with("iVBORw0KGgo"));
                assert_eq!(report.rich("value", "text/plain"), ["[0.5, 1.5]"]);
            }

            #[test]
            fn parameters_are_injected_with_their_types() {
                let sandbox = Sandbox::new();
                let options = [
                    "-p",
                    "samples",
                    "1e3",
                    "-p",
                    "scale",
                    "2",
                    "-p",
                    "verbose",
                    "true",
                    "-p",
                    "label",
                    "say \"hi\"",
                ];
                let report = sandbox.report(KERNEL, "parameters.ipynb", &options);
                assert_eq!(report.code, Some(0), "{}", report.text);
                assert_eq!(report.stdout("use"), "1000 2.0 true say \"hi\"\n");
                let injected = &report.executed.as_ref().unwrap()["cells"][1];
                assert_eq!(injected["metadata"]["tags"][0], "injected-parameters");
                assert!(
                    joined(&injected["source"]).contains(
                        "let samples: usize = \
                    1000;"
                    ),
                    "{injected}"
                );
            }

            #[test]
            fn parameters_replace_those_of_an_earlier_run() {
                let sandbox = Sandbox::new();
                let report =
                    sandbox.report(KERNEL, "injected_before.ipynb", &["-p", "samples", "30"]);
                assert_eq!(report.stdout("use"), "samples 30\n", "{}", report.text);
                assert_eq!(report.executed.unwrap()["cells"].as_array().unwrap().len(), 3);
            }

            #[test]
            fn outputs_are_compared_when_asked() {
                let sandbox = Sandbox::new();
                let good = sandbox.report(KERNEL, "check_output.ipynb", &[]);
                assert_eq!(good.code, Some(0), "{}", good.text);
                let bad = sandbox.report(KERNEL, "check_output_differs.ipynb", &["--keep-going"]);
                assert_eq!(bad.code, Some(1), "{}", bad.text);
                assert_eq!(bad.verdict("number"), "output differs");
                assert!(
                    bad.text.contains(
                        "stdout, line 1: `41 sheep` instead of `42 \
                    sheep`"
                    ),
                    "{}",
                    bad.text
                );
                assert_eq!(bad.verdict("value"), "output differs");
            }

            #[test]
            fn exercises_may_be_open_or_solved() {
                let sandbox = Sandbox::new();
                let junit = sandbox.path("junit.xml");
                let report = sandbox.report(
                    KERNEL,
                    "exercises.ipynb",
                    &["--keep-going", "--junit", junit.to_str().unwrap()],
                );
                assert_eq!(report.code, Some(1), "{}", report.text);
                let state = |id: &str| {
                    (
                        report.verdict(id).to_string(),
                        report.cell(id)["exercise"].as_str().map(str::to_string),
                    )
                };
                for (id, exercise) in [
                    ("open", "open"),
                    ("open-not-compiled", "open"),
                    ("solved", "solved"),
                    ("needed-and-there", "solved"),
                ] {
                    assert_eq!(
                        state(id),
                        ("passed".to_string(), Some(exercise.to_string())),
                        "{id}: {}",
                        report.text
                    );
                }
                // A cell that may fail must not break other rules, and without the tag it must not
                // fail.
                for (id, verdict) in [
                    (
                        "solved-with-stderr",
                        "unexpected \
                    stderr",
                    ),
                    ("must-pass", "panic"),
                    ("too-slow", "timeout"),
                ] {
                    assert_eq!(state(id), (verdict.to_string(), None), "{id}: {}", report.text);
                }
                assert!(
                    report.text.contains(
                        "exercises: 1 open, 1 \
                        solved"
                    ) && report.text.contains("exercises 1 open and 1 solved"),
                    "{}",
                    report.text
                );
                let junit = std::fs::read_to_string(junit).unwrap();
                assert_eq!(
                    junit
                        .matches(
                            "<property name=\"exercise\" \
                    value=\"open\"/>"
                        )
                        .count(),
                    2
                );
            }

            #[test]
            fn a_failure_ends_its_notebook_but_not_the_others() {
                let sandbox = Sandbox::new();
                let json = sandbox.path("report.json");
                let mut command = sandbox.run(KERNEL);
                command.args(["--jobs", "2", "--json"]).arg(&json);
                let output = command
                    .args([fixture("check_output_differs.ipynb"), fixture("old_minor.ipynb")])
                    .output()
                    .unwrap();
                assert_eq!(output.status.code(), Some(1), "{}", output_text(&output));
                let report: Value =
                    serde_json::from_str(&std::fs::read_to_string(json).unwrap()).unwrap();
                let [first, second] = [&report["notebooks"][0], &report["notebooks"][1]];
                assert_eq!(first["cells"][1]["skipped_because"], "an earlier cell had failed");
                assert_eq!(second["outcome"], "passed");
                sandbox.assert_nothing_left(AT_ONCE);
            }

            #[test]
            fn nothing_outlives_a_run() {
                let sandbox = Sandbox::new();
                let status = sandbox
                    .run(KERNEL)
                    .env("PARCOURSE_TEST_WAIT", "0")
                    .arg(fixture("leaves_processes.ipynb"))
                    .output()
                    .unwrap();
                assert_eq!(status.status.code(), Some(0), "{}", output_text(&status));
                sandbox.assert_nothing_left(AT_ONCE);
            }

            #[test]
            fn nothing_outlives_a_signal() {
                let sandbox = Sandbox::new();
                let mut runner = start_sleeping(&sandbox, KERNEL);
                send(libc::SIGINT, runner.id() as i32);
                let status = wait(&mut runner, Duration::from_secs(10));
                assert_eq!(status.code(), Some(2));
                sandbox.assert_nothing_left(AT_ONCE);
                assert!(output_text(&runner.wait_with_output().unwrap()).contains(
                    "stopped by \
                    SIGINT"
                ));
            }

            /// SIGKILL leaves the runner no time to clean up.
            #[test]
            fn nothing_outlives_a_killed_runner() {
                let sandbox = Sandbox::new();
                let mut runner = start_sleeping(&sandbox, KERNEL);
                runner.kill().unwrap();
                runner.wait().unwrap();
                sandbox.assert_nothing_left(Duration::from_secs(3));
            }

            #[test]
            fn a_dead_kernel_is_noticed() {
                let sandbox = Sandbox::new();
                let mut runner = start_sleeping(&sandbox, KERNEL);
                let is_kernel = |(_, line): &(i32, String)| {
                    line.contains("connection.json") && !line.contains("__guard")
                };
                let (kernel, _) = sandbox.processes().into_iter().find(is_kernel).expect(
                    "a \
                    kernel process",
                );
                send(libc::SIGKILL, kernel);
                let mut lines =
                    BufReader::new(runner.stdout.take().unwrap()).lines().map_while(Result::ok);
                let noticed = lines.find(|line| {
                    line.contains(
                        "code cell 2: dead kernel: the \
                    kernel process was killed by signal 9",
                    )
                });
                assert!(noticed.is_some(), "the cell sleeps for ten minutes");
                let text: Vec<String> = lines.collect();
                let status = wait(&mut runner, Duration::from_secs(10));
                assert_eq!(status.code(), Some(1));
                sandbox.assert_nothing_left(AT_ONCE);
                assert!(
                    text.iter().any(|line| line.contains(
                        "code cell 2 of 3: dead \
                    kernel"
                    )),
                    "{text:?}"
                );
            }

            /// An interrupt does not stop a busy compiler, so the kernel is killed together with
            /// the compiler.
            #[test]
            fn a_cell_that_cannot_be_interrupted_is_killed() {
                let sandbox = Sandbox::new();
                let report = sandbox.report(KERNEL, "stubborn.ipynb", &[]);
                assert_eq!(report.verdict("compile-forever"), "timeout", "{}", report.text);
                sandbox.assert_nothing_left(AT_ONCE);
            }

            #[test]
            fn a_kernel_that_does_not_start_in_time_is_given_up() {
                let sandbox = Sandbox::new();
                let output = sandbox
                    .run(KERNEL)
                    .args(["--startup-timeout", "0.05"])
                    .arg(fixture("ok.ipynb"))
                    .output()
                    .unwrap();
                assert_eq!(output.status.code(), Some(2), "{}", output_text(&output));
                assert!(
                    output_text(&output).contains(
                        "the kernel did not answer within 0.05 s \
                    (--startup-timeout)"
                    ),
                    "{}",
                    output_text(&output)
                );
                sandbox.assert_nothing_left(AT_ONCE);
            }
        }
    };
}

on_kernel!(parcourse, "parcourse");
on_kernel!(evcxr, "evcxr");

/// Otherwise the other notebook would affect the result of `check_fast!`.
#[test]
fn a_cell_that_compares_speeds_runs_alone() {
    let sandbox = Sandbox::new();
    let executed = sandbox.path("executed");
    let mut command = sandbox.run("parcourse");
    command.args(["--jobs", "2", "--output"]).arg(&executed);
    let output =
        command.args([fixture("alone.ipynb"), fixture("neighbour.ipynb")]).output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", output_text(&output));
    // When each cell began and ended, as printed by the cell.
    let spans = |name: &str| -> Vec<(u64, u64)> {
        let notebook: Value =
            serde_json::from_str(&std::fs::read_to_string(executed.join(name)).unwrap()).unwrap();
        let texts = notebook["cells"]
            .as_array()
            .unwrap()
            .iter()
            .map(|cell| joined(&cell["outputs"][0]["text"]));
        let numbers = |text: String| {
            text.split_whitespace().map(|word| word.parse().unwrap()).collect::<Vec<u64>>()
        };
        texts
            .map(numbers)
            .filter(|numbers| numbers.len() == 2)
            .map(|numbers| (numbers[0], numbers[1]))
            .collect()
    };
    let (alone, neighbours) = (spans("alone.ipynb")[0], spans("neighbour.ipynb"));
    assert_eq!(neighbours.len(), 6);
    for neighbour in neighbours {
        assert!(neighbour.1 <= alone.0 || alone.1 <= neighbour.0, "{neighbour:?} during {alone:?}");
    }
}

/// Our kernel reports panics of the cell itself as errors, so a panic on stderr must be a thread's.
/// On the stock kernel stderr is the only evidence, so the tag is needed.
#[test]
fn thread_panic_passes_on_our_kernel_and_needs_a_tag_on_the_stock_one() {
    let (ours, stock) = (Sandbox::new(), Sandbox::new());
    let ours = ours.report("parcourse", "thread_panic.ipynb", &[]);
    assert_eq!(ours.verdict("survive"), "passed", "{}", ours.text);
    let stock = stock.report("evcxr", "thread_panic.ipynb", &[]);
    assert_eq!(stock.verdict("survive"), "unexpected stderr", "{}", stock.text);
}

/// On a terminal: one line per notebook, redrawn repeatedly, cut to the terminal's width, and
/// erased at the end.
#[test]
fn progress_is_live_on_a_terminal() {
    let sandbox = Sandbox::new();
    let (mut master, slave) = crate::support::terminal(60);
    let mut command = sandbox.run("parcourse");
    let mut runner = command.arg(fixture("ok.ipynb")).stdout(slave).spawn().unwrap();
    // The terminal ends when its other side is closed, so the command must not keep it open.
    drop(command);
    let mut shown = Vec::new();
    // Reading the end of a terminal is an error on Linux.
    let _ = std::io::Read::read_to_end(&mut master, &mut shown);
    assert_eq!(wait(&mut runner, Duration::from_secs(10)).code(), Some(0));
    let shown = String::from_utf8_lossy(&shown);
    for expected in [
        "starting the kernel",
        "cell 1 of 4: let fib",
        "\x1b[1A\r\x1b[J",
        "passed  tests/fixtures/ok.ipynb  2 cells in",
    ] {
        assert!(shown.contains(expected), "no {expected:?} in {shown:?}");
    }
    let live = shown
        .split("\r\n")
        .map(|line| line.rsplit("\x1b[J").next().unwrap_or(line))
        .filter(|line| line.contains(" of 4: "));
    live.for_each(|line| assert!(line.chars().count() < 60, "{line:?}"));
}

/// Starts a run and waits until its cell has started two `sleep` processes and sleeps itself.
fn start_sleeping(sandbox: &Sandbox, kernel: &str) -> std::process::Child {
    let runner = sandbox
        .run(kernel)
        .env("PARCOURSE_TEST_WAIT", "600")
        .arg(fixture("leaves_processes.ipynb"))
        .spawn()
        .unwrap();
    eventually("the cell that waits", || {
        let sleepers = sandbox
            .processes()
            .into_iter()
            .filter(|(_, line)| line.starts_with("sleep 600"))
            .count();
        (sleepers == 2).then_some(())
    });
    // The next cell is being compiled or running now; both must be survived.
    std::thread::sleep(Duration::from_millis(1500));
    runner
}

/// What nbformat 4.5 requires of every notebook.
fn check_format(notebook: &Value) {
    assert_eq!(
        (&notebook["nbformat"], &notebook["nbformat_minor"]),
        (&Value::from(4), &Value::from(5))
    );
    assert_eq!(notebook["metadata"]["kernelspec"]["name"], "rust");
    assert!(
        notebook["metadata"]["language_info"]["name"]
            .as_str()
            .unwrap()
            .eq_ignore_ascii_case("rust")
    );
    for cell in notebook["cells"].as_array().unwrap() {
        assert!(
            cell["id"].as_str().is_some_and(|id| !id.is_empty())
                && cell["metadata"].is_object()
                && !cell["source"].is_null(),
            "{cell}"
        );
        if cell["cell_type"] == "code" {
            assert!(cell.get("execution_count").is_some() && cell["outputs"].is_array(), "{cell}");
        }
    }
}

fn count_cases(junit: &str) -> usize {
    let mut reader = quick_xml::Reader::from_str(junit);
    let mut cases = 0;
    loop {
        match reader.read_event().expect("well-formed XML") {
            quick_xml::events::Event::Start(element) if element.name().as_ref() == b"testcase" => {
                cases += 1
            }
            quick_xml::events::Event::Eof => return cases,
            _ => {}
        }
    }
}
