//! Completion and documentation, from the engine's rust-analyzer.

use evcxr::CommandContext;
use serde_json::{Value, json};

/// The byte offset of the character with this index, or the end if there are fewer characters.
/// Jupyter counts Unicode characters.
fn byte_offset(code: &str, characters: usize) -> usize {
    code.char_indices().nth(characters).map_or(code.len(), |(offset, _)| offset)
}

fn character_offset(code: &str, bytes: usize) -> usize {
    code.char_indices().take_while(|(offset, _)| *offset < bytes).count()
}

/// Content of a complete_reply.
pub fn complete(context: &mut CommandContext, code: &str, cursor: usize) -> Value {
    let position = byte_offset(code, cursor);
    match context.completions(code, position) {
        Ok(completions) => {
            let (start, end) = (
                character_offset(code, completions.start_offset),
                character_offset(code, completions.end_offset),
            );
            let matches: Vec<&str> =
                completions.completions.iter().map(|completion| completion.code.as_str()).collect();
            let types: Vec<Value> = completions
                .completions
                .iter()
                .map(|completion| {
                    json!({
                        "text": completion.code, "type": completion.kind,
                        "signature": completion.label, "start": start, "end": end,
                    })
                })
                .collect();
            json!({
                "status": "ok", "matches": matches, "cursor_start": start, "cursor_end": end,
                "metadata": { "_jupyter_types_experimental": types },
            })
        }
        // Code that cannot be parsed yet has no completions.
        Err(_) => {
            json!({
                "status": "ok", "matches": [], "cursor_start": cursor, "cursor_end": cursor,
                "metadata": {},
            })
        }
    }
}

/// Content of an inspect_reply: the documentation of the name at the cursor.
pub fn inspect(context: &mut CommandContext, code: &str, cursor: usize) -> Value {
    let nothing = json!({ "status": "ok", "found": false, "data": {}, "metadata": {} });
    let Some(position) = end_of_name(code, byte_offset(code, cursor)) else { return nothing };
    match context.hover_at(code, position) {
        Ok((text, html)) if !text.is_empty() && text != "No documentation found" => {
            // Hide the crate that the engine generates from a notebook.
            let text = text.strip_prefix("ctx\n\n").unwrap_or(&text);
            let html = html
                .strip_prefix("<pre><code class=\"language-rust\">ctx\n</code></pre>\n")
                .unwrap_or(&html);
            let data = json!({ "text/plain": text, "text/html": html });
            json!({ "status": "ok", "found": true, "data": data, "metadata": {} })
        }
        _ => nothing,
    }
}

/// The end of the name at or before the cursor; of the function's name if the cursor is after an
/// opening parenthesis.
fn end_of_name(code: &str, position: usize) -> Option<usize> {
    let is_part =
        |character: char| character.is_alphanumeric() || character == '_' || character == '!';
    let mut position = position;
    if !code[position..].starts_with(is_part) {
        position = code[..position].trim_end_matches(['(', ' ']).len();
    }
    let end = position
        + code[position..].find(|character| !is_part(character)).unwrap_or(code.len() - position);
    code[..end].ends_with(is_part).then_some(end)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn offsets_count_characters() {
        let code = "é = 🦀x";
        assert_eq!(byte_offset(code, 5), "é = 🦀".len());
        assert_eq!(character_offset(code, "é = 🦀".len()), 5);
        assert_eq!(byte_offset(code, 99), code.len());
    }

    #[test]
    fn names_at_the_cursor() {
        assert_eq!(end_of_name("let v = Vec::new(", 11), Some(11));
        assert_eq!(end_of_name("let v = Vec::new(", 9), Some(11));
        assert_eq!(end_of_name("let v = Vec::new(", 17), Some(16));
        assert_eq!(end_of_name("  ", 1), None);
    }
}
