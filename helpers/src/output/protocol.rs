//! The bytes that go to the kernel; see `README.md` beside this file.

use super::bundle::Bundle;
use super::json;
use std::io::Write;
use std::sync::LazyLock;

/// The MIME type of the messages that only the Parcourse kernel understands.
const MESSAGE: &str = "application/vnd.parcourse.message+json";

/// What reads our stdout.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Reader {
    Parcourse,
    Stock,
    Terminal,
}

/// The environment is read once: the kernel sets these variables before the program starts.
static READER: LazyLock<Reader> = LazyLock::new(|| {
    if std::env::var_os("PARCOURSE_KERNEL").is_some_and(|value| value == "1") {
        Reader::Parcourse
    } else if std::env::var_os("EVCXR_IS_RUNTIME").is_some() {
        Reader::Stock
    } else {
        Reader::Terminal
    }
});

/// Whether the Parcourse kernel runs this program. It understands our messages and sends SIGINT to
/// interrupt.
pub(crate) fn on_parcourse_kernel() -> bool {
    *READER == Reader::Parcourse
}

impl Bundle {
    /// Called by the kernel for the last expression of a cell.
    pub fn evcxr_display(&self) {
        send_result(self);
    }
}

/// The result of a cell: plain blocks, which the kernel turns into an `execute_result`.
pub(crate) fn send_result(bundle: &Bundle) {
    match *READER {
        Reader::Parcourse | Reader::Stock => write(&blocks(bundle)),
        Reader::Terminal => write(&line(bundle)),
    }
}

/// Shows output in the middle of a cell.
pub(crate) fn send_display(bundle: &Bundle, display_id: Option<&str>) {
    match *READER {
        Reader::Parcourse => write(&message("display_data", &content(bundle, display_id))),
        Reader::Stock => write(&blocks(bundle)),
        Reader::Terminal => write(&line(bundle)),
    }
}

/// Updates an output shown before. The stock kernel has no updates, but it shows only the last
/// content it gets.
pub(crate) fn send_update(bundle: &Bundle, display_id: &str) {
    match *READER {
        Reader::Parcourse => {
            write(&message("update_display_data", &content(bundle, Some(display_id))))
        }
        Reader::Stock => write(&blocks(bundle)),
        Reader::Terminal => write(&line(bundle)),
    }
}

/// Clears the cell's output, if the kernel supports it.
pub(crate) fn send_clear_output(wait: bool) {
    if on_parcourse_kernel() {
        write(&message("clear_output", &format!(",\"wait\":{wait}")));
    }
}

/// The program is about to unwind because of an interrupt.
pub(crate) fn send_interrupted() {
    if on_parcourse_kernel() {
        write(&message("interrupted", ""));
    }
}

/// Writes everything in one piece, so that no other thread's output comes in between. A closed
/// stdout is not a reason to panic.
fn write(text: &str) {
    let mut stdout = std::io::stdout().lock();
    let _ = stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush());
}

fn line(bundle: &Bundle) -> String {
    bundle.get("text/plain").map(|text| format!("{text}\n")).unwrap_or_default()
}

fn blocks(bundle: &Bundle) -> String {
    bundle.parts().map(|(mime_type, content)| block(mime_type, content)).collect()
}

fn block(mime_type: &str, content: &str) -> String {
    format!("EVCXR_BEGIN_CONTENT {mime_type}\n{}\nEVCXR_END_CONTENT\n", without_markers(content))
}

/// Appends a space to lines that the kernel would take for the end of the content.
fn without_markers(content: &str) -> std::borrow::Cow<'_, str> {
    let is_marker = |line: &str| {
        matches!(line.trim_end_matches('\r'), "EVCXR_END_CONTENT" | "EVCXR_PANIC_NOTIFICATION")
    };
    if !content.lines().any(is_marker) {
        return content.into();
    }
    let lines: Vec<String> = content
        .split('\n')
        .map(|line| format!("{line}{}", if is_marker(line) { " " } else { "" }))
        .collect();
    lines.join("\n").into()
}

fn message(kind: &str, members: &str) -> String {
    block(MESSAGE, &format!("{{\"msg\":\"{kind}\"{members}}}"))
}

/// The members `data`, `metadata` and `display_id`.
fn content(bundle: &Bundle, display_id: Option<&str>) -> String {
    let data = bundle.parts().map(|(mime_type, content)| {
        format!("{}:{}", json::quote(mime_type), json_value(mime_type, content))
    });
    let display_id =
        display_id.map(|id| format!(",\"display_id\":{}", json::quote(id))).unwrap_or_default();
    format!(",\"data\":{{{}}},\"metadata\":{{}}{display_id}", data.collect::<Vec<_>>().join(","))
}

/// JSON types carry a value, on one line; all others a string. So does content that turns out not
/// to be valid JSON.
fn json_value(mime_type: &str, content: &str) -> String {
    let is_json_type = mime_type == "application/json" || mime_type.ends_with("+json");
    if is_json_type && json::is_valid(content) {
        // Valid JSON has line breaks only between its tokens.
        content.replace(['\n', '\r'], " ")
    } else {
        json::quote(content)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_of_a_bundle_follow_each_other() {
        let bundle = Bundle::plain("x").with("text/html", "<b>\nx</b>");
        let expected = "EVCXR_BEGIN_CONTENT text/plain\nx\nEVCXR_END_CONTENT\n\
                        EVCXR_BEGIN_CONTENT text/html\n<b>\nx</b>\nEVCXR_END_CONTENT\n";
        assert_eq!(blocks(&bundle), expected);
        assert_eq!(line(&bundle), "x\n");
    }

    /// Otherwise content that quotes this very source would end its block early, and the rest would
    /// be printed.
    #[test]
    fn content_cannot_end_its_block() {
        assert_eq!(without_markers("a\nEVCXR_END_CONTENT\nb\n"), "a\nEVCXR_END_CONTENT \nb\n");
        assert_eq!(without_markers("EVCXR_PANIC_NOTIFICATION\r"), "EVCXR_PANIC_NOTIFICATION\r ");
        assert_eq!(without_markers("say EVCXR_END_CONTENT"), "say EVCXR_END_CONTENT");
    }

    #[test]
    fn messages_are_one_line_of_json() {
        let bundle = Bundle::plain("a \"b\"\nc").with("application/json", "{\n\"n\": 1}");
        let text = message("display_data", &content(&bundle, Some("id-1")));
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines[0], "EVCXR_BEGIN_CONTENT application/vnd.parcourse.message+json");
        let expected = r#"{"msg":"display_data","data":{"text/plain":"a \"b\"\nc","application/json":{ "n": 1}},"metadata":{},"display_id":"id-1"}"#;
        assert_eq!(lines[1], expected);
        assert!(json::is_valid(lines[1]));
        assert_eq!(lines[2..], ["EVCXR_END_CONTENT"]);
    }

    #[test]
    fn messages_without_content() {
        assert_eq!(message("interrupted", "").lines().nth(1), Some(r#"{"msg":"interrupted"}"#));
        assert_eq!(
            message("clear_output", ",\"wait\":true").lines().nth(1),
            Some(r#"{"msg":"clear_output","wait":true}"#)
        );
        let anonymous = message("display_data", &content(&Bundle::plain("x"), None));
        assert_eq!(
            anonymous.lines().nth(1),
            Some(r#"{"msg":"display_data","data":{"text/plain":"x"},"metadata":{}}"#)
        );
    }

    #[test]
    fn broken_json_travels_as_a_string() {
        assert_eq!(json_value("application/json", "{oops"), r#""{oops""#);
        assert_eq!(json_value("text/html", "[1]"), r#""[1]""#);
    }
}
