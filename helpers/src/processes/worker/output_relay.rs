//! Forwards what a child prints to where the parent prints: in whole lines and whole blocks of rich
//! output, so that the output of several processes is never mixed within a line.

use crate::processes::fork::ParentFd;
use std::io::{self, Write};
use std::os::fd::{AsFd, AsRawFd};

/// Where the output goes.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Target {
    Stdout,
    Stderr,
}

#[derive(Debug)]
pub(crate) struct Relay {
    pipe: Option<ParentFd>,
    to: Target,
    lines: LineBuffer,
}

impl Relay {
    /// The pipe must not block.
    pub(crate) fn new(pipe: ParentFd, to: Target) -> Relay {
        Relay { pipe: Some(pipe), to, lines: LineBuffer::default() }
    }

    /// The descriptor to wait for, while more output may come.
    pub(crate) fn descriptor(&self) -> Option<i32> {
        self.pipe.as_ref().map(|pipe| pipe.as_fd().as_raw_fd())
    }

    /// Forwards what has arrived so far.
    pub(crate) fn forward(&mut self) {
        let mut buffer = [0; 16 << 10];
        while let Some(pipe) = &self.pipe {
            // SAFETY: the buffer is as long as we say.
            let length = unsafe {
                libc::read(pipe.as_fd().as_raw_fd(), buffer.as_mut_ptr().cast(), buffer.len())
            };
            match length {
                1.. => self.lines.add(&buffer[..length as usize]),
                0 => self.pipe = None,
                _ if io::Error::last_os_error().kind() == io::ErrorKind::Interrupted => continue,
                // Nothing more for now.
                _ => break,
            }
            if (length as usize) < buffer.len() {
                break;
            }
        }
        let whole = self.lines.whole();
        self.write(whole);
    }

    /// Forwards what has arrived, including an unfinished line. The child has ended.
    pub(crate) fn finish(&mut self) {
        self.forward();
        let rest = self.lines.rest();
        self.write(rest);
    }

    /// A closed stdout is no reason to panic.
    fn write(&self, bytes: Vec<u8>) {
        let _ = match self.to {
            _ if bytes.is_empty() => Ok(()),
            Target::Stdout => {
                let mut stdout = io::stdout().lock();
                stdout.write_all(&bytes).and_then(|()| stdout.flush())
            }
            Target::Stderr => io::stderr().lock().write_all(&bytes),
        };
    }
}

/// Splits a stream of bytes into whole lines and blocks.
#[derive(Default, Debug)]
struct LineBuffer {
    held: Vec<u8>,
    /// Lines were scanned up to here.
    seen: usize,
    /// Lines can be forwarded up to here.
    whole: usize,
    in_block: bool,
}

impl LineBuffer {
    fn add(&mut self, bytes: &[u8]) {
        let mut search_from = self.held.len();
        self.held.extend_from_slice(bytes);
        while let Some(length) = self.held[search_from..].iter().position(|byte| *byte == b'\n') {
            let end = search_from + length;
            let line = self.held[self.seen..end].trim_ascii_end();
            if line.starts_with(b"EVCXR_BEGIN_CONTENT ") {
                self.in_block = true;
            } else if line == b"EVCXR_END_CONTENT" {
                self.in_block = false;
            }
            (self.seen, search_from) = (end + 1, end + 1);
            if !self.in_block {
                self.whole = self.seen;
            }
        }
    }

    fn whole(&mut self) -> Vec<u8> {
        let rest = self.held.split_off(self.whole);
        self.seen -= self.whole;
        self.whole = 0;
        std::mem::replace(&mut self.held, rest)
    }

    /// What will never be completed. Drops an unfinished block: the kernel would take everything
    /// after it for a part of the block.
    fn rest(&mut self) -> Vec<u8> {
        let lines = std::mem::take(self);
        if lines.in_block { Vec::new() } else { lines.held }
    }
}

#[cfg(test)]
mod tests {
    use super::LineBuffer;

    fn whole(lines: &mut LineBuffer) -> String {
        String::from_utf8(lines.whole()).unwrap()
    }

    #[test]
    fn lines_go_on_when_they_are_whole() {
        let mut lines = LineBuffer::default();
        lines.add(b"one\ntw");
        assert_eq!(whole(&mut lines), "one\n");
        lines.add(b"o\nthree");
        assert_eq!(whole(&mut lines), "two\n");
        assert_eq!(whole(&mut lines), "");
        assert_eq!(lines.rest(), b"three");
        assert_eq!(lines.rest(), b"");
    }

    #[test]
    fn blocks_go_on_when_they_are_whole() {
        let text =
            b"before\nEVCXR_BEGIN_CONTENT text/html\n<b>\n\nx</b>\nEVCXR_END_CONTENT\nafter\n";
        // Wherever it is cut in two.
        for cut in 0..text.len() {
            let mut lines = LineBuffer::default();
            lines.add(&text[..cut]);
            let first = whole(&mut lines);
            assert!(
                ["", "before\n"].contains(&&first[..]) || first.ends_with("EVCXR_END_CONTENT\n"),
                "{first:?}"
            );
            lines.add(&text[cut..]);
            assert_eq!(first.clone() + &whole(&mut lines), String::from_utf8_lossy(text));
        }
    }

    #[test]
    fn half_a_block_is_dropped() {
        let mut lines = LineBuffer::default();
        lines.add(b"before\nEVCXR_BEGIN_CONTENT text/html\n<b>");
        assert_eq!(whole(&mut lines), "before\n");
        assert_eq!(lines.rest(), b"");
    }
}
