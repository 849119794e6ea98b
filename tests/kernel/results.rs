//! Rich output, results, execution counts and the other fields of a reply.

use super::PRELUDE;
use super::client::{Gate, Kernel};
use serde_json::json;

#[test]
fn counters_results_and_metadata() {
    let mut kernel = Kernel::start();
    let cell = kernel.ok("let x = 20; x + 22");
    assert_eq!((cell.count(), cell.result()), (1, Some("42")));
    assert_eq!(cell.of("execute_input")[0]["execution_count"], 1);
    assert_eq!(cell.of("execute_result")[0]["execution_count"], 1);
    assert_eq!(cell.published.first().unwrap().content["execution_state"], "busy");

    // Silent: no result, no echoed input, no new execution count. Not stored: no new execution
    // count either.
    let silent = kernel.execute_with("x + 1", json!({ "silent": true }));
    assert_eq!((silent.status(), silent.order()), ("ok", vec![]));
    let unstored = kernel.execute_with("x + 2", json!({ "store_history": false }));
    assert_eq!((unstored.count(), unstored.result()), (1, Some("22")));
    assert_eq!(kernel.execute("   \n").count(), 1);
    assert_eq!(kernel.ok("x").count(), 2);

    // Only the last expression is a result.
    for code in ["let y = 1;", "x + 1;", "()", "fn f() {}", "// nothing"] {
        assert_eq!(kernel.ok(code).of("execute_result").len(), 0, "{code}");
    }

    // Compile time, run time, CPU time and memory are reported separately; cells are built for
    // measuring.
    let cell = kernel.ok("let block = std::hint::black_box(vec![1u8; 300 << 20]); let begun = \
         std::time::Instant::now(); while begun.elapsed().as_millis() < 300 {} drop(block);");
    let timing = &cell.metadata()["parcourse"];
    let seconds = |name: &str| timing[name].as_f64().unwrap();
    assert!(
        seconds("compile_seconds") > 0.0
            && seconds("run_seconds") >= 0.3
            && seconds("cpu_seconds") > 0.0,
        "{timing}"
    );
    assert!(timing["peak_memory_bytes"].as_u64().unwrap() >= 300 << 20, "{timing}");
    // The clock starts before the code and stops after it, so the time is never less than the
    // sleep. (Regression test: it was off by 4 ms.)
    let sleeps =
        (0..5).map(|_| kernel.ok("std::thread::sleep(std::time::Duration::from_millis(300));"));
    let timings: Vec<_> = sleeps.map(|cell| cell.metadata()["parcourse"].clone()).collect();
    assert!(
        timings.iter().all(|timing| timing["run_seconds"].as_f64().unwrap() >= 0.3),
        "{timings:?}"
    );
    let timing = &timings[0];
    assert!(
        timing["cpu_seconds"].as_f64().unwrap() < timing["run_seconds"].as_f64().unwrap(),
        "{timing}"
    );
    assert!(
        timing["peak_memory_bytes"].as_u64().unwrap() < 300 << 20,
        "the peak is the cell's own: {timing}"
    );
    assert_eq!(kernel.ok("cfg!(debug_assertions)").result(), Some("false"));

    // Expressions in a request are answered separately and show nothing.
    let cell = kernel.execute_with(
        "let z = 5;",
        json!({ "user_expressions": {
            "good": "z * 2", "bad": "no_such_name", "fails": "panic!(\"p\")",
        } }),
    );
    assert_eq!(cell.status(), "ok", "{}", cell.all_output());
    let answers = &cell.content()["user_expressions"];
    assert_eq!(
        answers["good"],
        json!({ "status": "ok", "data": { "text/plain": "10" }, "metadata": {} })
    );
    assert_eq!(
        (&answers["bad"]["status"], &answers["bad"]["ename"]),
        (&json!("error"), &json!("CompileError"))
    );
    assert_eq!(
        (&answers["fails"]["status"], &answers["fails"]["evalue"]),
        (&json!("error"), &json!("p"))
    );
    assert_eq!(cell.order(), Vec::<&str>::new());
    assert_eq!(kernel.ok("println!(\"shown again\"); z").stdout(), "shown again\n");
}

#[test]
fn rich_output_comes_early_and_in_all_its_forms() {
    let mut kernel = Kernel::start();
    let gate = Gate::new(&kernel, "gate");
    let early = r#"println!("EVCXR_BEGIN_CONTENT text/html\n<i>early</i>\nEVCXR_END_CONTENT"); println!("between");"#;
    let id = kernel.begin(&format!("{early}\n{}\n7", gate.wait()));
    kernel.wait_for_text(&id, "between");
    gate.open();
    let cell = kernel.finish(&id);
    assert_eq!(cell.status(), "ok", "{}", cell.all_output());
    assert_eq!(cell.order(), ["display_data", "stdout", "execute_result"]);
    let early = cell.published.iter().find(|message| message.kind == "display_data").unwrap();
    assert_eq!(early.content["data"], json!({ "text/html": "<i>early</i>" }));

    // A value in several types is one output, however large, as display_data and as a result.
    kernel.ok(r#"
        pub struct Figure(usize);
        impl Figure {
            pub fn evcxr_display(&self) {
                let svg = "<svg/>\n".repeat(self.0);
                print!("EVCXR_BEGIN_CONTENT \
                    text/plain\nfigure\nEVCXR_END_CONTENT\nEVCXR_BEGIN_CONTENT \
                    text/html\n{svg}\nEVCXR_END_CONTENT\n");
            }
        }
        "#);
    // Sizes around a packet's, so that a marker may be split between packets.
    for size in [1, 7010, 7011, 7012, 7013, 7014, 7015, 7016, 7017, 7018, 7019, 100_000] {
        let cell = kernel.ok(&format!("Figure({size})"));
        assert_eq!(cell.order(), ["execute_result"], "{size}");
        let data = &cell.of("execute_result")[0]["data"];
        assert_eq!(data["text/plain"], "figure");
        assert_eq!(data["text/html"].as_str().unwrap().len(), 7 * size - 1 + 1, "{size}");
    }
    let cell = kernel.ok("Figure(3).evcxr_display(); println!(\"after\");");
    assert_eq!(cell.order(), ["display_data", "stdout"]);
    assert_eq!(cell.of("display_data")[0]["data"].as_object().unwrap().len(), 2);
    // JSON is sent as JSON.
    let cell = kernel.ok("println!(\"EVCXR_BEGIN_CONTENT application/json\\n{{\\\"a\\\": [1, \
        2]}}\\nEVCXR_END_CONTENT\");");
    assert_eq!(cell.of("display_data")[0]["data"]["application/json"], json!({ "a": [1, 2] }));
}

#[test]
fn helpers_change_what_they_have_shown() {
    let mut kernel = Kernel::start();
    kernel.ok(PRELUDE);
    let cell = kernel.ok(r#"
        let handle = display_with_id(Html::new("0 %"));
        println!("working");
        handle.update(Html::new("100 %"));
        display(Html::new("other"));
        clear_output(true);
        println!("done");
        "#);
    assert_eq!(
        cell.order(),
        ["display_data", "stdout", "update_display_data", "display_data", "clear_output", "stdout"]
    );
    let (shown, updated) = (cell.of("display_data")[0], cell.of("update_display_data")[0]);
    assert_eq!(
        (&shown["data"]["text/html"], &updated["data"]["text/html"]),
        (&json!("0 %"), &json!("100 %"))
    );
    assert!(shown["transient"]["display_id"].is_string());
    assert_eq!(shown["transient"], updated["transient"]);
    assert_eq!(cell.of("display_data")[1]["transient"], json!({}));
    assert_eq!(cell.of("clear_output")[0], &json!({ "wait": true }));
    // Also from a later cell.
    let later = kernel.ok("handle.update(Html::new(\"later\"));");
    assert_eq!(later.of("update_display_data")[0]["transient"], shown["transient"]);
    assert_eq!(
        kernel.ok("Html::new(\"<b>r</b>\")").of("execute_result")[0]["data"]["text/html"],
        "<b>r</b>"
    );
}

/// The engine's variable store is compiled once and not with every cell. If another release of the
/// engine has different code, cells still work, but compile more slowly.
#[test]
fn variables_are_kept_by_a_library() {
    let mut kernel = Kernel::start();
    kernel.ok("#[derive(Debug, Clone, PartialEq)]\nstruct Station { name: String, altitude: f64 }");
    kernel.ok("let station = Station { name: \"Davos\".to_string(), altitude: 1594.0 };\nlet \
        heights = vec![station.altitude; 3];");
    let source = "std::fs::read_to_string(format!(\"{}/src/lib.rs\", \
        std::env::var(\"EVCXR_TMPDIR\").unwrap())).unwrap()";
    // In two parts, because the cell is part of the source.
    let replaced = "[\"extern crate \", \"catch(\", \"take::<\", \"put_back::<\", \
        \"panicked()\"].map(|what| source.contains(&match what {
        \"extern crate \" => format!(\"{what}parcourse_cell as\"),
        function => format!(\"::parcourse_{}{function}\", \"cell::\"),
    }))";
    assert_eq!(
        kernel.ok(&format!("let source = {source};\n{replaced}")).result(),
        Some("[true, true, true, true, true]")
    );
    kernel.ok(
        "let mut heights = heights;\nheights.push(station.altitude);\nlet station = station.name;",
    );
    assert_eq!(kernel.ok("(station, heights.len())").result(), Some("(\"Davos\", 4)"));
    // Moved variables are gone. Values that cannot be kept until the next cell are rejected with an
    // error about the cell.
    assert!(kernel.fails("station").evalue().contains("station"));
    let refused = kernel.fails("let borrowed = &heights[..];");
    assert!(
        !refused.traceback().contains("parcourse_cell")
            && refused.all_output().contains("borrowed"),
        "{}",
        refused.all_output()
    );
}
