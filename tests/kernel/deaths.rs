//! User processes that die during a cell: the reply names the cause at once, and the next cell
//! runs.

use super::TIMEOUT;
use super::client::{Cell, Kernel, LONG};
use crate::support::send;
use std::time::{Duration, Instant};

/// Checks the cell's failure, and that the session continues: definitions are kept, variables are
/// not.
fn assert_lost(kernel: &mut Kernel, cell: &Cell, ename: &str, words: &str) {
    assert_eq!(cell.ename(), ename, "{}", cell.all_output());
    assert!(cell.evalue().contains(words), "{}", cell.all_output());
    assert!(
        cell.assert_honest().traceback().contains("variables are lost"),
        "{}",
        cell.traceback()
    );
    assert_eq!(kernel.ok("double(21)").result(), Some("42"));
    assert_eq!(kernel.fails("precious").ename(), "CompileError");
    kernel.ok("let precious = 1;");
}

#[test]
fn every_death_is_named_and_survived() {
    let mut kernel = Kernel::start();
    kernel.ok("fn double(x: i32) -> i32 { 2 * x }\nlet precious = 1;");
    let cases = [
        ("print!(\"last words\"); std::process::exit(3);", "ProcessExited", "status 3"),
        ("std::process::exit(0);", "ProcessExited", "status 0"),
        ("unsafe { std::ptr::null_mut::<i32>().write_volatile(1) };", "ProcessKilled", "SIGSEGV"),
        ("eprintln!(\"giving up\"); std::process::abort();", "ProcessKilled", "aborted (SIGABRT)"),
        (
            "#[inline(never)] fn deep(n: u64) -> u64 { let here = [n; 512]; \
             std::hint::black_box(&here); deep(n + 1) + here[3] }\ndeep(0)",
            "ProcessKilled",
            "stack overflow",
        ),
        (
            "let huge: Vec<u8> = Vec::with_capacity(1 << 60); huge.len()",
            "ProcessKilled",
            "out of memory: memory allocation of 1152921504606846976",
        ),
    ];
    for (code, ename, words) in cases {
        let cell = kernel.execute(code);
        assert_lost(&mut kernel, &cell, ename, words);
        if code.contains("last words") {
            assert_eq!(cell.stdout(), "last words");
        }
        if code.contains("giving up") {
            assert_eq!(cell.stderr(), "giving up\n");
        }
    }
}

#[test]
fn death_from_outside_is_noticed() {
    let mut kernel = Kernel::start();
    kernel.ok("fn double(x: i32) -> i32 { 2 * x }\nlet precious = 1;");
    for (signal, words) in [(libc::SIGKILL, "SIGKILL"), (libc::SIGTERM, "SIGTERM")] {
        // With a child that keeps all inherited descriptors open.
        let id = kernel.begin(
            "let child = \
            std::process::Command::new(\"sleep\").arg(\"1000\").spawn().unwrap();\nprintln!(\"{} \
            {} \", std::process::id(), child.id());\nloop { std::thread::park(); }",
        );
        kernel.wait_for_text(&id, " \n");
        let text = kernel
            .wait_for("stream", LONG, |message| message.kind == "stream" && message.parent == id)
            .content["text"]
            .clone();
        let pids: Vec<i32> =
            text.as_str().unwrap().split_whitespace().map(|pid| pid.parse().unwrap()).collect();
        let killed = Instant::now();
        send(signal, pids[0]);
        let cell = kernel.finish(&id);
        assert!(
            cell.replied_at().duration_since(killed) < TIMEOUT,
            "{:?}",
            cell.replied_at().duration_since(killed)
        );
        assert_lost(&mut kernel, &cell, "ProcessKilled", words);
        // Its children end with it.
        crate::support::eventually("end of the child", || (!is_running(pids[1])).then_some(()));
    }
    // Between two cells: the next one may fail, the one after that runs.
    let pid = kernel.user_process();
    send(libc::SIGKILL, pid);
    std::thread::sleep(Duration::from_millis(300));
    let cell = kernel.execute("double(4)");
    assert!(cell.status() == "ok" || cell.ename() == "ProcessKilled", "{}", cell.all_output());
    assert_eq!(kernel.ok("double(4)").result(), Some("8"));
}

/// Whether there is a process with this id that is not a zombie.
pub fn is_running(pid: i32) -> bool {
    let status = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    status.rsplit_once(") ").is_some_and(|(_, rest)| !rest.starts_with(['Z', 'X']))
}
