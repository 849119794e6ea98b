//! Renders compiler diagnostics in the compiler's own layout, with the notebook's lines.

use super::{Failure, headline};
use crate::kernel::cell_source::CellSource;
use crate::kernel::colours::{BLUE, BOLD, RED, RESET};
use evcxr::CompilationError;

/// Turns diagnostics into one failure. Skips warnings and repetitions.
pub fn failure(errors: &[CompilationError], code: &str, execution_count: u64) -> Failure {
    let mut reports: Vec<String> = Vec::new();
    let serious = errors.iter().filter(|error| error.level() != "warning");
    for error in serious.clone() {
        let report = render(error, code, execution_count);
        if !reports.contains(&report) {
            reports.push(report);
        }
    }
    let first = serious.clone().next().or(errors.first());
    let mut evalue = first.map_or_else(|| "compilation failed".to_owned(), title);
    if reports.len() > 1 {
        evalue += &format!(" (and {} more)", reports.len() - 1);
    }
    reports.push(headline("CompileError", &evalue));
    Failure { ename: "CompileError".to_owned(), evalue, traceback: reports }
}

/// The failure of a cell that cannot be parsed, found before the engine sees it.
pub fn unreadable(source: &CellSource, execution_count: u64) -> Option<Failure> {
    if source.is_too_deep() {
        return Some(Failure::new("CompileError", "brackets are nested too deeply", Vec::new()));
    }
    source
        .let_without_pattern()
        .map(|line| let_without_pattern(source.code(), line, execution_count))
}

fn let_without_pattern(code: &str, line: usize, execution_count: u64) -> Failure {
    let source = code.lines().nth(line - 1).unwrap_or_default();
    let title = "expected a pattern after `let`";
    let report = format!(
        "{RED}error{RESET}{BOLD}: {title}{RESET}\n  {BLUE}-->{RESET} cell [{execution_count}], \
         line {line}\n{BLUE}{line} |{RESET} {source}"
    );
    Failure::new("CompileError", title, vec![report])
}

fn title(error: &CompilationError) -> String {
    match error.code() {
        Some(code) => format!("{code}: {}", error.message()),
        None => error.message(),
    }
}

fn render(error: &CompilationError, code: &str, execution_count: u64) -> String {
    let lines: Vec<&str> = code.lines().collect();
    let number = error.code().map(|code| format!("[{code}]")).unwrap_or_default();
    let mut text = format!("{RED}error{number}{RESET}{BOLD}: {}{RESET}\n", error.message());
    if let Some(span) = error.primary_spanned_message().and_then(|message| message.span) {
        text += &format!(
            "  {BLUE}-->{RESET} cell [{execution_count}], line {}, column {}\n",
            span.start_line, span.start_column
        );
    }
    let mut shown: Vec<_> =
        error.spanned_messages().iter().filter(|message| message.span.is_some()).collect();
    shown.sort_by_key(|message| message.span.map(|span| (span.start_line, span.start_column)));
    let last_line = shown
        .iter()
        .filter_map(|message| message.span)
        .map(|span| span.start_line)
        .max()
        .unwrap_or(1);
    let width = last_line.to_string().len();
    let gutter = |number: &str| format!("{BLUE}{number:>width$} |{RESET}");
    let mut previous = None;
    for message in shown {
        let Some(span) = message.span else { continue };
        let Some(source) = lines.get(span.start_line.wrapping_sub(1)) else { continue };
        match previous {
            Some(line) if line == span.start_line => {}
            _ => {
                if previous.is_some_and(|line| line + 1 < span.start_line) {
                    text += &format!("{BLUE}{:>width$}{RESET}\n", "...");
                }
                text += &format!("{} {source}\n", gutter(&span.start_line.to_string()));
                previous = Some(span.start_line);
            }
        }
        let end = if span.end_line == span.start_line {
            span.end_column
        } else {
            source.chars().count() + 1
        };
        let (mark, colour) = if message.is_primary { ("^", RED) } else { ("-", BLUE) };
        let marks = mark.repeat(end.saturating_sub(span.start_column).max(1));
        let indent = " ".repeat(span.start_column.saturating_sub(1));
        // If the compiler gives no label, the engine repeats the title.
        let label =
            if message.label.ends_with(&error.message()) { "" } else { message.label.trim() };
        text += format!("{} {indent}{colour}{marks} {label}", gutter("")).trim_end();
        text += &format!("{RESET}\n");
    }
    for help in error.help() {
        let (advice, replacement) = help.split_once("\n\n").unwrap_or((&help, ""));
        let replacement = if replacement.is_empty() {
            String::new()
        } else {
            format!(": `{}`", replacement.trim())
        };
        text += &format!("  {BLUE}={RESET} {BOLD}help{RESET}: {advice}{replacement}\n");
    }
    if let Some(hint) = note(error) {
        text += &format!("  {BLUE}={RESET} {BOLD}note{RESET}: {hint}\n");
    }
    text.truncate(text.trim_end().len());
    text
}

/// Notes on what is specific to notebooks.
fn note(error: &CompilationError) -> Option<&'static str> {
    match error.code()? {
        "E0597" | "E0716" | "E0505" => Some(
            "variables of a notebook live on after their cell, so they cannot hold references to \
             each other; clone the data, or put the code in a block { }",
        ),
        "E0384" | "E0596" => {
            Some("make a variable of an earlier cell mutable with `let mut x = x;`")
        }
        _ => error.evcxr_extra_hint(),
    }
}
