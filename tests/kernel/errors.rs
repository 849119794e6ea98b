//! Cells that fail report what and where; variables are kept.

use super::PRELUDE;
use super::client::{Channel, Kernel, LONG};
use serde_json::json;

#[test]
fn failures_name_cell_and_line_and_keep_variables() {
    let mut kernel = Kernel::start();
    kernel.ok("let kept = vec![1, 2, 3];");
    let count = |kernel: &mut Kernel| kernel.ok("kept.len()").count() + 1;

    let number = count(&mut kernel);
    let cell = kernel.fails("let a = 1;\nlet b = a + 1;\npanic!(\"boom {b}\");");
    assert_eq!((cell.ename(), cell.evalue()), ("Panic", "boom 2"));
    assert!(
        cell.assert_honest().traceback().contains(&format!("cell [{number}], line 3")),
        "{}",
        cell.traceback()
    );
    assert!(cell.traceback().contains("--> 3 | panic!(\"boom {b}\");"), "{}", cell.traceback());
    assert_eq!(cell.stderr(), "", "a panic is reported once");

    // In a function of an earlier cell: both locations, the call first.
    let defined = count(&mut kernel);
    kernel
        .ok("#[inline(never)]\nfn checked(x: Option<u32>) -> u32 {\n    x.expect(\"no value\")\n}");
    let cell = kernel.fails("let y = 1;\nchecked(None) + y");
    assert_eq!((cell.ename(), cell.evalue()), ("Panic", "no value"));
    let trace = cell.assert_honest().traceback();
    assert!(trace.contains(&format!("cell [{defined}], line 3, in checked")), "{trace}");
    assert!(
        trace.find(&format!("cell [{}]", defined + 1)).unwrap()
            < trace.find(&format!("cell [{defined}]")).unwrap(),
        "{trace}"
    );

    let number = count(&mut kernel);
    let cell = kernel.fails("\nlet parsed: i32 = \"forty\".parse()?;\nparsed");
    assert_eq!((cell.ename(), cell.evalue()), ("Error", "invalid digit found in string"));
    assert!(
        cell.assert_honest().traceback().contains(&format!("cell [{number}], line 2")),
        "{}",
        cell.traceback()
    );
    assert_eq!(cell.stderr(), "");
    // What the program printed just before does not belong to the error.
    let cell =
        kernel.fails("eprintln!(\"about to read\");\nstd::fs::read_to_string(\"/no/such/file\")?;");
    assert_eq!(
        (cell.stderr().as_str(), cell.evalue()),
        ("about to read\n", "No such file or directory (os error 2)")
    );

    let cell = kernel.fails("let r: Result<u8, String> = Err(\"bad luck\".into());\nr.unwrap();");
    assert_eq!(cell.evalue(), "called `Result::unwrap()` on an `Err` value: \"bad luck\"");
    assert!(cell.assert_honest().traceback().contains("line 2"), "{}", cell.traceback());
    // A message that grows when it is escaped, and a payload that is not a string.
    let cell = kernel.fails("panic!(\"{}\", \"\\u{1}\".repeat(100_000));");
    assert!(cell.evalue().starts_with("\u{1}\u{1}"));
    assert_eq!(kernel.fails("std::panic::panic_any(17);").ename(), "Panic");
    assert_eq!(kernel.ok("kept.iter().sum::<i32>()").result(), Some("6"));
}

#[test]
fn panics_that_the_cell_survives_are_no_failures() {
    let mut kernel = Kernel::start();
    kernel.ok("let kept = 5;");
    let cell = kernel.ok("let joined = \
        std::thread::Builder::new().name(\"worker\".into()).spawn(|| panic!(\"in a \
        thread\")).unwrap().join().is_err();\njoined");
    assert_eq!(cell.result(), Some("true"));
    assert!(
        cell.stderr().contains("thread 'worker' panicked at cell [2], line 1:\nin a thread"),
        "{}",
        cell.stderr()
    );
    let cell = kernel.ok("let caught = std::panic::catch_unwind(|| \
        panic!(\"caught\")).is_err();\nprintln!(\"went on\");\ncaught");
    assert_eq!(
        (cell.result(), cell.order()),
        (Some("true"), vec!["stderr", "stdout", "execute_result"])
    );
    assert!(cell.stderr().contains("caught"));
    // If the cell propagates it, it is an error.
    let cell = kernel.fails("std::thread::spawn(|| panic!(\"deep down\")).join().unwrap();");
    assert!(cell.stderr().contains("deep down"), "{}", cell.all_output());
    cell.assert_honest();

    kernel.ok(PRELUDE);
    let cell = kernel.fails(
        "let items = vec![1, 2, 3, 4];\nPool::new(2).map(|x| if *x == 3 { \
        panic!(\"item {x}\") } else { *x }, &items)",
    );
    assert_eq!(
        (cell.ename(), cell.evalue()),
        ("Panic", "the function panicked on items[2] = 3: item 3 (at cell [6], line 2)")
    );
    cell.assert_honest();
    assert_eq!(kernel.ok("kept").result(), Some("5"));
}

#[test]
fn compile_errors_are_one_report_each() {
    let mut kernel = Kernel::start();
    kernel.ok("let kept = 1;");
    let cell = kernel.fails("let a: i32 = \"text\";\nlet b = missing_name;\nlet c: bool = 5;");
    assert_eq!(cell.ename(), "CompileError");
    assert!(cell.evalue().contains("and 2 more"), "{}", cell.evalue());
    let reports = cell.content()["traceback"].as_array().unwrap();
    assert_eq!(reports.len(), 4, "three reports and a headline: {}", cell.traceback());
    let trace = cell.assert_honest().traceback();
    for (line, word) in [(1, "E0308"), (2, "missing_name"), (3, "expected `bool`")] {
        assert!(
            trace.contains(&format!("cell [2], line {line}")) && trace.contains(word),
            "{trace}"
        );
    }
    assert_eq!(cell.order(), ["error"]);
    for unfinished in ["let = 5", "fn f( {", "\"abc"] {
        assert_eq!(kernel.fails(unfinished).ename(), "CompileError", "{unfinished}");
    }
    // It would overflow the stack of any parser.
    assert_eq!(kernel.fails(&"(".repeat(50_000)).evalue(), "brackets are nested too deeply");
    assert_eq!(kernel.ok("kept").result(), Some("1"));
}

#[test]
fn queued_cells_are_aborted_after_an_error() {
    let mut kernel = Kernel::start();
    let codes = [
        "std::thread::sleep(std::time::Duration::from_secs(1)); panic!(\"stop\");",
        "println!(\"never\");",
        "1",
    ];
    let ids = codes.map(|code| kernel.begin(code));
    let info = kernel.send(Channel::Shell, "kernel_info_request", json!({}));
    let [failed, second, third] = ids.map(|id| kernel.finish(&id));
    assert_eq!([failed.status(), second.status(), third.status()], ["error", "aborted", "aborted"]);
    assert_eq!(second.order(), Vec::<&str>::new());
    // A front end would show the count beside a cell that was not executed.
    assert!(second.content().get("execution_count").is_none());
    // Other requests are answered, and later cells run.
    kernel.wait_for("kernel info", LONG, |message| {
        message.parent == info && message.kind == "kernel_info_reply"
    });
    assert_eq!(kernel.ok("3").count(), 2);

    let ids = codes.map(|code| kernel.begin_with(code, json!({ "stop_on_error": false })));
    let [failed, second, third] = ids.map(|id| kernel.finish(&id));
    assert_eq!([failed.status(), second.status(), third.status()], ["error", "ok", "ok"]);
    assert_eq!((second.stdout().as_str(), third.result()), ("never\n", Some("1")));
}
