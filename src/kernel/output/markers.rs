//! Finds the engine's marker lines in the bytes that a program writes to stdout.
//!
//! The engine's generated code, and types that display themselves, send messages to the kernel as
//! lines on the program's stdout. Everything else is text for the user and must not be delayed: a
//! prompt without a line end or a progress line with `\r` appears at once.

/// A piece of stdout.
#[derive(Debug, PartialEq)]
pub enum Piece {
    /// Ordinary output.
    Text(Vec<u8>),
    /// A complete `EVCXR_BEGIN_CONTENT … EVCXR_END_CONTENT` block.
    Content { mime: String, body: String },
    /// The cell's code panicked and the engine caught it.
    Panicked,
    /// The cell returned early through `?`.
    ErrorReturned,
    /// A variable was lost because its type was redefined; the whole line, for the engine.
    VariableLost(String),
    /// The program asks for input with this prompt.
    InputRequest { prompt: String, password: bool },
}

const PREFIX: &[u8] = b"EVCXR_";
const BEGIN_CONTENT: &str = "EVCXR_BEGIN_CONTENT ";
const END_CONTENT: &[u8] = b"EVCXR_END_CONTENT";
const PANIC: &str = "EVCXR_PANIC_NOTIFICATION";
const ERROR: &str = "EVCXR_ERROR_OCCURRED";
const VARIABLE_LOST: &str = "EVCXR_VARIABLE_CHANGED_TYPE:";
const INPUT_PASSWORD: &str = "EVCXR_INPUT_REQUEST_PASSWORD:";
const INPUT: &str = "EVCXR_INPUT_REQUEST:";

/// Splits a stream of bytes into pieces, regardless of packet boundaries.
#[derive(Default)]
pub struct Markers {
    /// Bytes that may be the start of a marker, or the inside of an unfinished block.
    held: Vec<u8>,
    /// Where to continue to search for the end of an unfinished block.
    searched: usize,
}

impl Markers {
    /// Adds bytes and returns the pieces that are complete.
    pub fn push(&mut self, bytes: &[u8]) -> Vec<Piece> {
        self.held.extend_from_slice(bytes);
        let mut pieces = Vec::new();
        while let Some(piece) = self.next_piece() {
            pieces.push(piece);
        }
        pieces
    }

    /// Returns a partial marker as text, unless a block has begun.
    pub fn flush(&mut self) -> Option<Piece> {
        if self.is_inside_block() { None } else { self.finish() }
    }

    /// Returns everything that is held as text, including an unfinished block. Call this at the end
    /// of the stream.
    pub fn finish(&mut self) -> Option<Piece> {
        self.searched = 0;
        let held = std::mem::take(&mut self.held);
        (!held.is_empty()).then_some(Piece::Text(held))
    }

    pub fn is_inside_block(&self) -> bool {
        self.held.starts_with(BEGIN_CONTENT.as_bytes())
    }

    fn next_piece(&mut self) -> Option<Piece> {
        if self.held.is_empty() {
            return None;
        }
        let start = find(&self.held, PREFIX)
            .unwrap_or_else(|| self.held.len() - possible_start(&self.held));
        if start > 0 {
            let rest = self.held.split_off(start);
            return Some(Piece::Text(std::mem::replace(&mut self.held, rest)));
        }
        let end = self.held.iter().position(|byte| *byte == b'\n')?;
        let line = String::from_utf8_lossy(&self.held[..end]).into_owned();
        if let Some(mime) = line.strip_prefix(BEGIN_CONTENT) {
            return self.content(mime, end + 1);
        }
        let rest = self.held.split_off(end + 1);
        let whole = std::mem::replace(&mut self.held, rest);
        Some(if line == PANIC {
            Piece::Panicked
        } else if line == ERROR {
            Piece::ErrorReturned
        } else if line.starts_with(VARIABLE_LOST) {
            Piece::VariableLost(line)
        } else if let Some(prompt) = line.strip_prefix(INPUT_PASSWORD) {
            Piece::InputRequest { prompt: prompt.to_owned(), password: true }
        } else if let Some(prompt) = line.strip_prefix(INPUT) {
            Piece::InputRequest { prompt: prompt.to_owned(), password: false }
        } else {
            Piece::Text(whole)
        })
    }

    /// The block whose body starts at `body`, if it is complete. A panic also ends the block, which
    /// is then discarded.
    fn content(&mut self, mime: &str, body: usize) -> Option<Piece> {
        let mut at = body.max(self.searched);
        loop {
            let Some(length) = self.held[at..].iter().position(|byte| *byte == b'\n') else {
                self.searched = at;
                return None;
            };
            let line = &self.held[at..at + length];
            let next = at + length + 1;
            if line.ends_with(PANIC.as_bytes()) {
                self.drop_block(next);
                return Some(Piece::Panicked);
            }
            // If the body has no final line end, the marker is at the end of its last line.
            if line.ends_with(END_CONTENT) {
                let text = &self.held[body..at + length - END_CONTENT.len()];
                let text = text.strip_suffix(b"\n").unwrap_or(text);
                let piece = Piece::Content {
                    mime: mime.trim().to_owned(),
                    body: String::from_utf8_lossy(text).into_owned(),
                };
                self.drop_block(next);
                return Some(piece);
            }
            at = next;
        }
    }

    fn drop_block(&mut self, length: usize) {
        self.held.drain(..length);
        self.searched = 0;
    }
}

fn find(bytes: &[u8], wanted: &[u8]) -> Option<usize> {
    bytes.windows(wanted.len()).position(|window| window == wanted)
}

/// How many bytes at the end could be the start of [`PREFIX`].
fn possible_start(bytes: &[u8]) -> usize {
    (1..PREFIX.len()).rev().find(|length| bytes.ends_with(&PREFIX[..*length])).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(text: &str) -> Piece {
        Piece::Text(text.as_bytes().to_vec())
    }

    const SESSION: &str = "before\nEVCXR_BEGIN_CONTENT text/html\n<b>\nhi</b>\n\
        EVCXR_END_CONTENT\nEVCXR_PANIC_NOTIFICATION\nafter";

    #[test]
    fn partial_lines_are_not_delayed() {
        let mut markers = Markers::default();
        assert_eq!(markers.push(b"10 %\r"), [text("10 %\r")]);
        assert_eq!(markers.push(b"name? "), [text("name? ")]);
    }

    #[test]
    fn markers_are_found_at_any_packet_boundary() {
        let expected = |pieces: Vec<Piece>| {
            let mut joined = Vec::new();
            for piece in pieces {
                match (joined.last_mut(), piece) {
                    (Some(Piece::Text(last)), Piece::Text(more)) => last.extend(more),
                    (_, piece) => joined.push(piece),
                }
            }
            joined
        };
        let whole = expected(Markers::default().push(SESSION.as_bytes()));
        let content = Piece::Content { mime: "text/html".into(), body: "<b>\nhi</b>".into() };
        assert_eq!(whole, [text("before\n"), content, Piece::Panicked, text("after")]);
        for cut in 1..SESSION.len() {
            let mut markers = Markers::default();
            let mut pieces = markers.push(&SESSION.as_bytes()[..cut]);
            pieces.extend(markers.push(&SESSION.as_bytes()[cut..]));
            assert_eq!(expected(pieces), whole, "cut at {cut}");
        }
    }

    #[test]
    fn marker_after_a_partial_line() {
        let pieces = Markers::default().push(b"no line endEVCXR_ERROR_OCCURRED\n");
        assert_eq!(pieces, [text("no line end"), Piece::ErrorReturned]);
    }

    #[test]
    fn look_alikes_are_text() {
        let mut markers = Markers::default();
        assert_eq!(markers.push(b"EVCXR_ is a prefix\nE"), [text("EVCXR_ is a prefix\n")]);
        assert_eq!(markers.flush(), Some(text("E")));
        assert_eq!(markers.flush(), None);
    }

    #[test]
    fn a_panic_inside_a_block_discards_the_block() {
        let pieces = Markers::default()
            .push(b"EVCXR_BEGIN_CONTENT text/plain\nhalf\nEVCXR_PANIC_NOTIFICATION\nx");
        assert_eq!(pieces, [Piece::Panicked, text("x")]);
    }

    /// Otherwise the program's output would be lost.
    #[test]
    fn an_unfinished_block_becomes_text() {
        let mut markers = Markers::default();
        assert_eq!(markers.push(b"EVCXR_BEGIN_CONTENT text/plain\nhalf\n"), []);
        assert_eq!(markers.flush(), None);
        assert_eq!(markers.finish(), Some(text("EVCXR_BEGIN_CONTENT text/plain\nhalf\n")));
    }

    /// A figure of many megabytes arrives in hundreds of packets, each of which must be searched
    /// only once.
    #[test]
    fn long_blocks_are_searched_once() {
        let mut markers = Markers::default();
        markers.push(b"EVCXR_BEGIN_CONTENT text/html\n");
        for _ in 0..2000 {
            markers.push(&[b"0123456\n".repeat(500), b"tail".to_vec()].concat());
        }
        // Only its last line remains to be searched.
        assert_eq!(markers.held.len() - markers.searched, b"tail".len());
        let pieces = markers.push(b"\nEVCXR_END_CONTENT\n");
        assert!(matches!(&pieces[..], [Piece::Content { body, .. }] if body.len() == 2000 * 4004));
    }

    #[test]
    fn input_requests() {
        let pieces = Markers::default()
            .push(b"EVCXR_INPUT_REQUEST:Name?\nEVCXR_INPUT_REQUEST_PASSWORD:Secret\n");
        assert_eq!(
            pieces,
            [
                Piece::InputRequest { prompt: "Name?".into(), password: false },
                Piece::InputRequest { prompt: "Secret".into(), password: true }
            ]
        );
    }
}
