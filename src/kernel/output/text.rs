//! Decodes a stream of bytes to text.

/// Decodes UTF-8 that arrives in pieces. An incomplete character waits for its rest; invalid bytes
/// become U+FFFD.
#[derive(Default)]
pub struct Decoder {
    /// At most three bytes of an unfinished character.
    rest: Vec<u8>,
}

impl Decoder {
    pub fn push(&mut self, bytes: &[u8]) -> String {
        let mut all = std::mem::take(&mut self.rest);
        all.extend_from_slice(bytes);
        let unfinished = unfinished_suffix(&all);
        self.rest = all.split_off(all.len() - unfinished);
        String::from_utf8_lossy(&all).into_owned()
    }

    /// Decodes what remains of an incomplete character at the end of the stream.
    pub fn finish(&mut self) -> String {
        String::from_utf8_lossy(&std::mem::take(&mut self.rest)).into_owned()
    }
}

/// The number of bytes at the end that begin an incomplete character.
fn unfinished_suffix(bytes: &[u8]) -> usize {
    for back in 1..=bytes.len().min(3) {
        let byte = bytes[bytes.len() - back];
        let length = match byte {
            0b1100_0000..=0b1101_1111 => 2,
            0b1110_0000..=0b1110_1111 => 3,
            0b1111_0000..=0b1111_0111 => 4,
            0b1000_0000..=0b1011_1111 => continue,
            _ => return 0,
        };
        return if length > back { back } else { 0 };
    }
    0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn split_characters_are_joined() {
        let text = "aé∑🦀z";
        for cut in 0..=text.len() {
            let mut decoder = Decoder::default();
            let mut decoded = decoder.push(&text.as_bytes()[..cut]);
            decoded += &decoder.push(&text.as_bytes()[cut..]);
            assert_eq!(decoded, text, "cut at {cut}");
            assert_eq!(decoder.finish(), "");
        }
    }

    #[test]
    fn invalid_bytes_are_replaced() {
        let mut decoder = Decoder::default();
        assert_eq!(decoder.push(b"a\xffb\xf0\x9f"), "a\u{fffd}b");
        assert_eq!(decoder.finish(), "\u{fffd}");
    }
}
