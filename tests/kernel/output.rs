//! Text on stdout and stderr: order, latency, invalid bytes, floods.

use super::TIMEOUT;
use super::client::{Gate, Kernel, LONG, Setup};
use std::time::{Duration, Instant};

#[test]
fn output_keeps_the_order_of_the_program() {
    let mut kernel = Kernel::start();
    // Hundreds of alternations between three kinds of output, without a pause. Some lines end like
    // the beginning of an engine marker.
    let cell = kernel.ok(r#"
        use std::io::Write;
        for i in 0..300 {
            print!("out {i} DON"); print!("E"); std::io::stdout().flush().unwrap();
            eprint!("err {i};");
            println!("EVCXR_BEGIN_CONTENT text/html\n<b>{i}</b>\nEVCXR_END_CONTENT");
        }
        "#);
    let mut expected = Vec::new();
    for i in 0..300 {
        expected.extend([
            format!("stdout:out {i} DONE"),
            format!("stderr:err {i};"),
            format!("html:<b>{i}</b>"),
        ]);
    }
    let seen: Vec<String> = cell
        .published
        .iter()
        .filter_map(|message| match message.kind.as_str() {
            "stream" => Some(format!(
                "{}:{}",
                message.content["name"].as_str()?,
                message.content["text"].as_str()?
            )),
            "display_data" => {
                Some(format!("html:{}", message.content["data"]["text/html"].as_str()?))
            }
            _ => None,
        })
        .collect();
    assert_eq!(seen, expected);

    // Two lines of one stream may arrive in one message, but each stream's text is complete.
    let cell =
        kernel.ok("for i in 0..500 { println!(\"{i}\"); if i % 7 == 0 { eprintln!(\"{i}\"); } }");
    assert_eq!(cell.stdout(), (0..500).map(|i| format!("{i}\n")).collect::<String>());
    assert_eq!(cell.stderr(), (0..500).step_by(7).map(|i| format!("{i}\n")).collect::<String>());

    // Writes of more than one packet, from several threads at once: no line is split.
    let cell = kernel.ok(
        r#"
        let threads: Vec<_> = (0..4).map(|t| std::thread::spawn(move || for _ in 0..50 { println!("{}", t.to_string().repeat(3000)); })).collect();
        for thread in threads { thread.join().unwrap(); }
        println!("{}", "long ".repeat(60_000));
        "#,
    );
    let stdout = cell.stdout();
    let (short, long): (Vec<&str>, Vec<&str>) = stdout.lines().partition(|line| line.len() == 3000);
    assert_eq!(short.len(), 200);
    assert!(short.iter().all(|line| line.bytes().all(|byte| byte == line.as_bytes()[0])));
    assert_eq!(long, ["long ".repeat(60_000)]);

    // The output of child processes and C code arrives before the cell ends.
    let cell = kernel.ok("std::process::Command::new(\"sh\").args([\"-c\", \"echo from a child; \
        echo oops >&2\"]).status().unwrap();");
    assert_eq!((cell.stdout().as_str(), cell.stderr().as_str()), ("from a child\n", "oops\n"));

    // A child that never stops writing does not prevent the cell from ending. It ends with its
    // process.
    let cell = kernel.ok("let mut child = std::process::Command::new(\"yes\").spawn().unwrap();");
    assert!(cell.replied_at().duration_since(cell.published[0].at) < Duration::from_secs(60));
    kernel.ok("child.kill().unwrap(); child.wait().unwrap();");
}

#[test]
fn partial_lines_and_carriage_returns_are_live() {
    let mut kernel = Kernel::start();
    // Each is shown before the cell can continue.
    let shown = ["0 %\r", "50 %\r", "100 %\r", "no line end"];
    let gates = [0, 1, 2, 3].map(|number| Gate::new(&kernel, &format!("gate{number}")));
    let steps = shown.iter().zip(&gates).enumerate().map(|(number, (text, gate))| {
        let print = if number < 3 {
            format!("print!({text:?}); std::io::stdout().flush().unwrap();")
        } else {
            format!("eprint!({text:?});")
        };
        format!("{print}\n{}\n", gate.wait())
    });
    let id = kernel.begin(&format!(
        "use std::io::Write;\n{}print!(\"never flushed\");",
        steps.collect::<String>()
    ));
    for (text, gate) in shown.iter().zip(&gates) {
        kernel.wait_for_text(&id, text);
        gate.open();
    }
    let cell = kernel.finish(&id);
    assert_eq!(cell.stdout(), "0 %\r50 %\r100 %\rnever flushed");
    assert_eq!(cell.stderr(), "no line end");

    // Bytes that are not text, also split in the middle of a character.
    let cell = kernel.ok(r#"
        use std::io::Write;
        let mut out = std::io::stdout();
        out.write_all(b"caf\xc3").unwrap(); out.flush().unwrap();
        out.write_all(b"\xa9 \xff\xfe ok\n").unwrap();
        std::io::stderr().write_all(b"\xe2\x82").unwrap();
        "#);
    assert_eq!(cell.stdout(), "café \u{fffd}\u{fffd} ok\n");
    assert_eq!(cell.stderr(), "\u{fffd}");
    assert_eq!(kernel.ok("1 + 1").result(), Some("2"));

    // A block that never ends is shown as text.
    let cell = kernel.ok("println!(\"EVCXR_BEGIN_CONTENT text/html\\n<b>half\");");
    assert_eq!(cell.stdout(), "EVCXR_BEGIN_CONTENT text/html\n<b>half\n");
}

#[test]
fn floods_are_bounded_and_starve_nobody() {
    let mut kernel = Setup::default().argument("--output-limit").argument("1000000").start();
    let cell = kernel
        .ok("for i in 0..1_000_000u64 { println!(\"line {i} of a program that says too much\"); }");
    let stdout = cell.stdout();
    let (shown, notice) = stdout
        .split_once("\n[output limit:")
        .unwrap_or_else(|| panic!("no notice: {} bytes", stdout.len()));
    assert_eq!(shown.len(), 1_000_000);
    assert!(shown.starts_with("line 0 of") && notice.contains("976.6 KiB shown"), "{notice}");
    assert!(notice.contains("--output-limit"), "{notice}");
    // The limit applies to each cell.
    assert_eq!(kernel.ok("println!(\"again\");").stdout(), "again\n");

    let id = kernel.begin("loop { println!(\"and on it goes\"); }");
    kernel.wait_for_text(&id, "and on");
    std::thread::sleep(Duration::from_secs(1));
    for _ in 0..3 {
        let beat = kernel.heartbeat();
        assert!(beat < TIMEOUT, "{beat:?}");
    }
    let asked = Instant::now();
    kernel.interrupt();
    let cell = kernel.finish_within(&id, LONG);
    assert!(
        cell.replied_at().duration_since(asked) < TIMEOUT,
        "{:?}",
        cell.replied_at().duration_since(asked)
    );
    assert_eq!(cell.ename(), "Interrupted");
    assert_eq!(kernel.ok("2 + 2").result(), Some("4"));
}

/// A browser on a sleeping laptop must not block the kernel, or the cell could not even be
/// interrupted.
#[test]
fn subscriber_that_does_not_read_stops_nobody() {
    let mut kernel = Setup::default().argument("--output-limit").argument("100000000").start();
    let sleeper = kernel.subscribe_and_sleep();
    kernel.wait_for("second subscription", LONG, |message| message.kind == "iopub_welcome");
    let id = kernel.begin("for _ in 0..1000 { println!(\"{}\", \"x\".repeat(10_000)); }");
    kernel
        .wait_for("reply", LONG, |message| message.kind == "execute_reply" && message.parent == id);
    let id = kernel.begin("loop { println!(\"{}\", \"x\".repeat(10_000)); }");
    std::thread::sleep(Duration::from_secs(3));
    let asked = Instant::now();
    kernel.interrupt();
    kernel
        .wait_for("reply", LONG, |message| message.kind == "execute_reply" && message.parent == id);
    assert!(asked.elapsed() < TIMEOUT + Duration::from_secs(3), "{:?}", asked.elapsed());
    assert!(kernel.heartbeat() < TIMEOUT);
    drop(sleeper);
    assert!(kernel.log().contains("does not read"), "{}", kernel.log());
}
