//! The part of a stack that is in the user's cells.

use crate::engine::user_process::wire::Address;
use crate::kernel::output::source::{Location, Sources};

/// A call in one of the notebook's cells.
#[derive(Debug, Clone, PartialEq)]
pub struct Frame {
    /// The function's name; empty for the cell itself.
    pub function: String,
    pub location: Location,
}

/// Looks up the calls on a stack and keeps those in cells, outermost first. Calls in crates and in
/// the engine's generated code would not help the user.
pub fn frames(stack: &[Address], sources: &Sources) -> Vec<Frame> {
    let mut objects = std::collections::HashMap::new();
    let mut frames: Vec<Frame> = Vec::new();
    for address in stack {
        let object = objects
            .entry(&address.object)
            .or_insert_with(|| addr2line::Loader::new(&address.object).ok());
        let Some(mut inlined) =
            object.as_ref().and_then(|object| object.find_frames(address.offset).ok())
        else {
            continue;
        };
        while let Ok(Some(found)) = inlined.next() {
            let location = found.location.and_then(|location| location.file.zip(location.line));
            let Some(location) = location.and_then(|(file, line)| sources.locate(file, line))
            else {
                continue;
            };
            let name = found
                .function
                .and_then(|function| function.demangle().ok().map(|name| plain_name(&name)));
            // A closure and the function around it often have the same location.
            if frames.last().is_none_or(|last| last.location != location) {
                frames.push(Frame { function: name.unwrap_or_default(), location });
            }
        }
    }
    frames.reverse();
    frames
}

/// The function's name without crate and hash; empty for the engine's wrapper around a cell.
fn plain_name(path: &str) -> String {
    let path = path.strip_prefix("ctx::").unwrap_or(path);
    let name = path.split("::{{closure}}").next().unwrap_or(path);
    let name = name.split("::{closure").next().unwrap_or(name);
    if name.starts_with("run_user_code") || name.starts_with('{') || name.contains("evcxr") {
        String::new()
    } else {
        name.to_owned()
    }
}

/// The traceback: one paragraph for each frame.
pub fn render(frames: &[Frame], sources: &Sources) -> Vec<String> {
    frames
        .iter()
        .map(|frame| {
            let mut text = sources.name(&frame.location);
            if !frame.function.is_empty() {
                text += &format!(", in {}", frame.function);
            }
            for line in sources.excerpt(&frame.location, 2) {
                text.push('\n');
                text += &line;
            }
            text
        })
        .collect()
}
