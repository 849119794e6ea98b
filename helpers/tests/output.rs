//! What goes to stdout on each kernel, byte for byte, and how much of it.
#![cfg(unix)]

mod child;

use child::On;
use parcourse::prelude::*;

const MESSAGE: &str = "EVCXR_BEGIN_CONTENT application/vnd.parcourse.message+json\n";

fn show_everything() {
    display(Html::new("<b>\"1\"</b>"));
    let handle = display_with_id(Markdown::new("*2*"));
    handle.update(Markdown::new("*3*"));
    clear_output(true);
    Json::new("{\"n\": 4}").evcxr_display();
}

/// The random part of a display id, replaced.
fn with_id_x(text: &str) -> String {
    let Some((_, rest)) = text.split_once("\"display_id\":\"") else { return text.to_string() };
    let id = &rest[..rest.find('"').unwrap()];
    assert!(id.starts_with("parcourse-"), "{id}");
    text.replace(id, "x")
}

#[test]
fn parcourse_kernel_gets_messages() {
    let child = child::spawn("parcourse_kernel_gets_messages", On::Parcourse, show_everything);
    let stdout = with_id_x(&child.finish().success());
    let bodies = [
        r#"{"msg":"display_data","data":{"text/plain":"[HTML, 10 bytes]","text/html":"<b>\"1\"</b>"},"metadata":{}}"#,
        r#"{"msg":"display_data","data":{"text/plain":"*2*","text/markdown":"*2*"},"metadata":{},"display_id":"x"}"#,
        r#"{"msg":"update_display_data","data":{"text/plain":"*3*","text/markdown":"*3*"},"metadata":{},"display_id":"x"}"#,
        r#"{"msg":"clear_output","wait":true}"#,
    ];
    let messages: String =
        bodies.map(|body| format!("{MESSAGE}{body}\nEVCXR_END_CONTENT\n")).concat();
    let result = "EVCXR_BEGIN_CONTENT text/plain\n{\"n\": 4}\nEVCXR_END_CONTENT\nEVCXR_BEGIN_CONTENT application/json\n{\"n\": 4}\nEVCXR_END_CONTENT\n";
    assert_eq!(stdout, messages + result);
}

/// Plain blocks only; it would show a message as if it were a result.
#[test]
fn stock_kernel_gets_contents() {
    let child = child::spawn("stock_kernel_gets_contents", On::Stock, show_everything);
    let block = |(mime_type, content): (&str, &str)| {
        format!("EVCXR_BEGIN_CONTENT {mime_type}\n{content}\nEVCXR_END_CONTENT\n")
    };
    let expected = [
        ("text/plain", "[HTML, 10 bytes]"),
        ("text/html", "<b>\"1\"</b>"),
        ("text/plain", "*2*"),
        ("text/markdown", "*2*"),
        ("text/plain", "*3*"),
        ("text/markdown", "*3*"),
        ("text/plain", "{\"n\": 4}"),
        ("application/json", "{\"n\": 4}"),
    ];
    assert_eq!(child.finish().success(), expected.map(block).concat());
}

#[test]
fn without_a_kernel_there_is_text() {
    let child = child::spawn("without_a_kernel_there_is_text", On::NoKernel, show_everything);
    assert_eq!(child.finish().success(), "[HTML, 10 bytes]\n*2*\n*3*\n{\"n\": 4}\n");
}

/// Threads that print while others display: no block is torn apart.
#[test]
fn blocks_are_written_in_one_piece() {
    let child = child::spawn("blocks_are_written_in_one_piece", On::Stock, || {
        let items: Vec<usize> = (0..2000).collect();
        Pool::new(4).map(
            |index| {
                println!("line {index}");
                display(Html::new(format!("<p>\n{index}\n</p>")));
            },
            &items,
        );
    });
    let stdout = child.finish().success();
    let mut lines = stdout.lines();
    let (mut printed, mut shown) = (0, 0);
    while let Some(line) = lines.next() {
        if line.starts_with("line ") {
            printed += 1;
            continue;
        }
        assert_eq!(line, "EVCXR_BEGIN_CONTENT text/plain");
        assert!(lines.next().unwrap().starts_with("[HTML, "));
        assert_eq!(lines.next(), Some("EVCXR_END_CONTENT"));
        assert_eq!(lines.next(), Some("EVCXR_BEGIN_CONTENT text/html"));
        assert_eq!(lines.next(), Some("<p>"));
        lines.next().unwrap().parse::<usize>().expect("the item's number");
        assert_eq!(lines.next(), Some("</p>"));
        assert_eq!(lines.next(), Some("EVCXR_END_CONTENT"));
        shown += 1;
    }
    assert_eq!((printed, shown), (2000, 2000));
}

fn loop_with_progress() {
    for _ in progress(0..500) {
        std::thread::sleep(Duration::from_millis(1));
    }
}

/// A bar that appears, moves a bounded number of times, and ends full.
#[test]
fn progress_moves_on_the_parcourse_kernel() {
    let child = child::spawn("progress_moves_on_the_parcourse_kernel", On::Parcourse, || {
        let ((), timing) = timed!(loop_with_progress());
        println!("{}", timing.wall.as_millis());
    });
    let stdout = child.finish().success();
    let milliseconds: usize = stdout.lines().last().unwrap().parse().unwrap();
    let appeared = stdout.matches(r#"{"msg":"display_data""#).count();
    let moved = stdout.matches(r#"{"msg":"update_display_data""#).count();
    assert_eq!(appeared, 1);
    // Ten in a second, and the last one.
    assert!(
        moved >= 1 && moved <= milliseconds / 100 + 1,
        "moved {moved} times in {milliseconds} ms"
    );
    let last = stdout.lines().rfind(|line| line.starts_with("{\"msg\"")).unwrap();
    assert!(last.contains("100 %, 500 of 500"), "{last}");
}

/// One line at the end for a loop that takes less than a second or two; no rich output, which would
/// hide the cell's result.
#[test]
fn progress_is_a_few_lines_elsewhere() {
    let child = child::spawn("progress_is_a_few_lines_elsewhere", On::Stock, loop_with_progress);
    let stdout = child.finish().success();
    let lines: Vec<&str> = stdout.lines().collect();
    assert!(lines.len() <= 3, "{stdout}");
    assert!(
        lines.last().unwrap().starts_with("[####################] 100 %, 500 of 500, "),
        "{stdout}"
    );
}

/// A loop that ends early shows how far it got.
#[test]
fn progress_of_a_loop_left_early() {
    let child = child::spawn("progress_of_a_loop_left_early", On::Stock, || {
        progress(1..=4).find(|&x| x == 3);
    });
    assert!(child.finish().success().starts_with("[##########          ]  50 %, 2 of 4, "));
}
