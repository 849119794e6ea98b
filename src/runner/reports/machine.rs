//! Reports for other programs: JSON, and JUnit with one test case per code cell.

use crate::runner::Settings;
use crate::runner::execute::NotebookResult;
use crate::runner::notebook::Source;
use crate::runner::verdict::{Exercise, Verdict};
use anyhow::{Context, Result};
use quick_xml::Writer;
use quick_xml::events::{BytesDecl, BytesEnd, BytesStart, BytesText, Event};
use serde_json::{Value, json};
use std::path::Path;

/// Writes the JSON report.
pub fn write_json(
    path: &Path,
    sources: &[Source],
    results: &[NotebookResult],
    settings: &Settings,
) -> Result<()> {
    let notebooks: Vec<Value> =
        sources.iter().zip(results).map(|(source, result)| notebook_json(source, result)).collect();
    let report = json!({ "kernel": settings.kernel.to_string(), "parameters": settings.parameters, "notebooks": notebooks });
    let text = serde_json::to_string_pretty(&report)? + "\n";
    std::fs::write(path, text).with_context(|| format!("failed to write {}", path.display()))
}

fn notebook_json(source: &Source, result: &NotebookResult) -> Value {
    let cells = result.cells.iter().map(|cell| {
        let exercise = exercise(&cell.verdict);
        let (verdict, reason, failure) = match &cell.verdict {
            Verdict::Passed(_) => ("passed", None, None),
            Verdict::Skipped(reason) => ("skipped", Some(*reason), None),
            Verdict::Failed(failure) => {
                let (kind, summary, detail, line) =
                    (failure.kind.name(), &failure.summary, &failure.detail, failure.line);
                (
                    "failed",
                    None,
                    Some(
                        json!({ "kind": kind, "summary": summary, "detail": detail, "line": line }),
                    ),
                )
            }
        };
        json!({
            "number": cell.cell.number,
            "id": source.notebook.cells[cell.cell.index].id().as_str(),
            "verdict": verdict,
            "exercise": exercise.map(Exercise::name),
            "skipped_because": reason,
            "failure": failure,
            "execution_count": cell.execution_count,
            "wall_seconds": cell.wall.as_secs_f64(),
            "measured": cell.measured,
        })
    });
    json!({
        "path": source.path,
        "title": source.title,
        "planned_minutes": source.minutes,
        "outcome": result.outcome(),
        "error": result.could_not_run,
        "startup_seconds": result.startup.as_secs_f64(),
        "wall_seconds": result.wall.as_secs_f64(),
        "cells": cells.collect::<Vec<_>>(),
    })
}

fn exercise(verdict: &Verdict) -> Option<&Exercise> {
    if let Verdict::Passed(exercise) = verdict { exercise.as_ref() } else { None }
}

/// Writes the JUnit report.
pub fn write_junit(
    path: &Path,
    sources: &[Source],
    results: &[NotebookResult],
    settings: &Settings,
) -> Result<()> {
    let text = junit(sources, results, settings)?;
    std::fs::write(path, text).with_context(|| format!("failed to write {}", path.display()))
}

fn junit(sources: &[Source], results: &[NotebookResult], settings: &Settings) -> Result<Vec<u8>> {
    let mut writer = Writer::new_with_indent(Vec::new(), b' ', 2);
    writer.write_event(Event::Decl(BytesDecl::new("1.0", Some("UTF-8"), None)))?;
    let total =
        |count: fn(&NotebookResult) -> usize| results.iter().map(count).sum::<usize>().to_string();
    let mut suites = BytesStart::new("testsuites");
    suites.push_attribute(("name", format!("parcourse run --kernel {}", settings.kernel).as_str()));
    suites.push_attribute(("tests", total(|result| result.cells.len().max(1)).as_str()));
    suites.push_attribute(("failures", total(NotebookResult::failures).as_str()));
    suites.push_attribute((
        "errors",
        total(|result| usize::from(result.could_not_run.is_some())).as_str(),
    ));
    writer.write_event(Event::Start(suites))?;
    for (source, result) in sources.iter().zip(results) {
        suite(&mut writer, source, result)?;
    }
    writer.write_event(Event::End(BytesEnd::new("testsuites")))?;
    let mut text = writer.into_inner();
    text.push(b'\n');
    Ok(text)
}

fn suite(writer: &mut Writer<Vec<u8>>, source: &Source, result: &NotebookResult) -> Result<()> {
    let name = legal(&source.path.display().to_string());
    let skipped =
        result.cells.iter().filter(|cell| matches!(cell.verdict, Verdict::Skipped(_))).count();
    let mut suite = BytesStart::new("testsuite");
    suite.push_attribute(("name", name.as_str()));
    suite.push_attribute(("tests", result.cells.len().max(1).to_string().as_str()));
    suite.push_attribute(("failures", result.failures().to_string().as_str()));
    suite.push_attribute((
        "errors",
        usize::from(result.could_not_run.is_some()).to_string().as_str(),
    ));
    suite.push_attribute(("skipped", skipped.to_string().as_str()));
    suite.push_attribute(("time", format!("{:.3}", result.wall.as_secs_f64()).as_str()));
    writer.write_event(Event::Start(suite))?;
    if let Some(error) = &result.could_not_run {
        let case = case(&name, "start the kernel", result.startup.as_secs_f64());
        writer.write_event(Event::Start(case))?;
        element(writer, "error", &[("message", error.lines().next().unwrap_or_default())], error)?;
        writer.write_event(Event::End(BytesEnd::new("testcase")))?;
    }
    for cell in &result.cells {
        let first = cell
            .cell
            .source
            .lines()
            .find(|line| !line.trim().is_empty())
            .unwrap_or_default()
            .trim();
        let title = format!("cell {}: {first}", cell.cell.number);
        writer.write_event(Event::Start(case(&name, &title, cell.wall.as_secs_f64())))?;
        match &cell.verdict {
            Verdict::Passed(None) => {}
            Verdict::Passed(Some(exercise)) => property(writer, "exercise", exercise.name())?,
            Verdict::Skipped(reason) => element(writer, "skipped", &[("message", reason)], "")?,
            Verdict::Failed(failure) => {
                let text = format!("{}\n\n{}", cell.cell.source, failure.detail);
                element(
                    writer,
                    "failure",
                    &[("type", failure.kind.name()), ("message", &failure.summary)],
                    &text,
                )?;
            }
        }
        writer.write_event(Event::End(BytesEnd::new("testcase")))?;
    }
    writer.write_event(Event::End(BytesEnd::new("testsuite")))?;
    Ok(())
}

fn case(class: &str, name: &str, seconds: f64) -> BytesStart<'static> {
    let mut case = BytesStart::new("testcase");
    case.push_attribute(("classname", class));
    case.push_attribute(("name", legal(name).as_str()));
    case.push_attribute(("time", format!("{seconds:.3}").as_str()));
    case
}

/// Adds a property to a test case.
fn property(writer: &mut Writer<Vec<u8>>, name: &str, value: &str) -> Result<()> {
    writer.write_event(Event::Start(BytesStart::new("properties")))?;
    let mut property = BytesStart::new("property");
    property.push_attribute(("name", name));
    property.push_attribute(("value", value));
    writer.write_event(Event::Empty(property))?;
    writer.write_event(Event::End(BytesEnd::new("properties")))?;
    Ok(())
}

fn element(
    writer: &mut Writer<Vec<u8>>,
    name: &str,
    attributes: &[(&str, &str)],
    text: &str,
) -> Result<()> {
    let mut start = BytesStart::new(name);
    for (key, value) in attributes {
        start.push_attribute((*key, legal(value).as_str()));
    }
    writer.write_event(Event::Start(start))?;
    writer.write_event(Event::Text(BytesText::new(&legal(text))))?;
    writer.write_event(Event::End(BytesEnd::new(name)))?;
    Ok(())
}

/// Removes control characters that are not allowed in XML.
fn legal(text: &str) -> String {
    text.chars()
        .filter(|c| {
            matches!(c, '\t' | '\n' | '\r') || (*c >= ' ' && !matches!(c, '\u{fffe}' | '\u{ffff}'))
        })
        .collect()
}
