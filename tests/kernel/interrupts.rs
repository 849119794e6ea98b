//! Interrupts: with and without the variables, while compiling, twice, and when there is nothing to
//! interrupt.

use super::client::{Channel, Gate, Kernel, LONG, Setup};
use super::{PRELUDE, SAY_WHEN_PROTECTED, TIMEOUT};
use crate::support::send;
use serde_json::json;
use std::time::{Duration, Instant};

#[test]
fn helpers_are_interrupted_and_variables_stay() {
    let mut kernel = Kernel::start();
    kernel.ok(PRELUDE);
    kernel.ok("let kept = vec![1, 2, 3];\nlet items: Vec<u64> = (0..1_000_000).collect();");
    kernel.ok(SAY_WHEN_PROTECTED);
    for code in [
        "say_when_protected(); Pool::new(2).map(|_| \
         std::thread::sleep(std::time::Duration::from_millis(5)), &items).len()",
        "say_when_protected(); sleep(std::time::Duration::from_secs(1000));",
    ] {
        let id = kernel.begin(code);
        kernel.wait_for_text(&id, "begun");
        let asked = Instant::now();
        assert_eq!(kernel.interrupt(), json!({ "status": "ok" }));
        let cell = kernel.finish(&id);
        assert!(cell.replied_at().duration_since(asked) < TIMEOUT, "{code}");
        assert_eq!(cell.ename(), "Interrupted", "{}", cell.all_output());
        assert!(cell.evalue().contains("variables are kept"), "{}", cell.evalue());
        assert_eq!(cell.stderr(), "");
        cell.assert_honest();
        assert_eq!(kernel.ok("kept.len()").result(), Some("3"));
    }

    // An item that does not end: the first interrupt waits for it and says so, the second one kills
    // the process.
    let id = kernel.begin(
        "say_when_protected(); Pool::new(2).map(|_| loop { \
        std::thread::yield_now() }, &[1, 2]).len()",
    );
    kernel.wait_for_text(&id, "begun");
    kernel.interrupt();
    kernel.wait_for_text(&id, "interrupt again");
    let asked = Instant::now();
    kernel.interrupt();
    let cell = kernel.finish(&id);
    assert!(cell.replied_at().duration_since(asked) < TIMEOUT);
    assert_eq!(cell.ename(), "Interrupted");
    assert!(cell.traceback().contains("variables are lost"), "{}", cell.traceback());
    assert_eq!(kernel.ok("2 * 3").result(), Some("6"));
}

#[test]
fn other_code_is_stopped_with_its_process() {
    // By message and by signal, because front ends differ.
    let mut kernel = Kernel::start();
    kernel.ok("fn double(x: i32) -> i32 { 2 * x }\nlet lost = 1;");
    for by_signal in [false, true] {
        let id = kernel.begin("println!(\"begun\"); loop { std::hint::spin_loop(); }");
        kernel.wait_for_text(&id, "begun");
        let asked = Instant::now();
        if by_signal {
            send(libc::SIGINT, kernel.pid());
        } else {
            kernel.interrupt();
        }
        let cell = kernel.finish(&id);
        assert!(
            cell.replied_at().duration_since(asked) < TIMEOUT,
            "{:?}",
            cell.replied_at().duration_since(asked)
        );
        assert_eq!(cell.ename(), "Interrupted", "{}", cell.all_output());
        assert!(
            cell.assert_honest().traceback().contains("variables are lost"),
            "{}",
            cell.traceback()
        );
        assert_eq!(kernel.ok("double(2)").result(), Some("4"));
    }
    assert_eq!(kernel.fails("lost").ename(), "CompileError");

    // A program that ignores the signal is stopped too.
    kernel.ok("unsafe extern \"C\" { fn signal(number: i32, handler: usize) -> usize; }\nfn \
        ignore() { unsafe { signal(2, 1); } }");
    let id = kernel.begin("ignore(); println!(\"begun\"); loop { std::thread::park(); }");
    kernel.wait_for_text(&id, "begun");
    kernel.interrupt();
    assert_eq!(kernel.finish(&id).ename(), "Interrupted");

    // Queued cells do not run after an interrupt.
    let running = kernel.begin("println!(\"begun\"); loop { std::thread::park(); }");
    let queued = kernel.begin("println!(\"never\");");
    kernel.wait_for_text(&running, "begun");
    kernel.interrupt();
    assert_eq!(
        (kernel.finish(&running).status(), kernel.finish(&queued).status()),
        ("error", "aborted")
    );

    // Interrupts every tenth of a second while nothing runs do no harm, now or to the next cell.
    let kept = kernel.user_process();
    for _ in 0..5 {
        kernel.interrupt();
        send(libc::SIGINT, kernel.pid());
    }
    std::thread::sleep(Duration::from_millis(300));
    assert_eq!(kernel.user_process(), kept);
}

#[test]
fn compilation_is_interrupted_and_variables_stay() {
    let mut kernel = Setup::default().start();
    kernel.ok("let kept = 7;");
    // A constant that takes the compiler an hour.
    let code = "#[allow(long_running_const_eval)]\nconst SLOW: u64 = { let mut i = 0; while i < \
        100_000_000_000 { i += 1 } i };\nSLOW + kept";
    let id = kernel.begin(code);
    kernel
        .wait_for("busy", LONG, |message| message.kind == "execute_input" && message.parent == id);
    std::thread::sleep(Duration::from_secs(5));
    let asked = Instant::now();
    kernel.interrupt();
    let cell = kernel.finish(&id);
    let took = cell.replied_at().duration_since(asked);
    assert_eq!((cell.status(), cell.ename()), ("error", "Interrupted"), "{}", cell.evalue());
    assert!(cell.evalue().contains("compiling was stopped"), "{}", cell.evalue());
    assert!(took < 3 * TIMEOUT, "{took:?}");
    assert_eq!(kernel.ok("kept").result(), Some("7"));
}

/// An interrupt that is answered late must not delay other messages to the front end.
#[test]
fn control_answers_while_a_cell_runs() {
    let mut kernel = Kernel::start();
    let gate = Gate::new(&kernel, "gate");
    let id = kernel.begin(&format!("println!(\"begun\"); {}", gate.wait()));
    kernel.wait_for_text(&id, "begun");
    assert_eq!(
        kernel.ask(Channel::Control, "kernel_info_request", json!({}))["language_info"]["name"],
        "rust"
    );
    kernel.heartbeat();
    gate.open();
    assert_eq!(kernel.finish(&id).status(), "ok");
}
