//! Sizes as people read them.

use crate::display::cell::without_zeros;
use crate::time::three_figures;

/// A number of bytes in the binary unit that fits, with three significant figures at most: `48
/// KiB`, `1.5 MiB`, `503 GiB`.
pub(super) fn in_words(bytes: u64) -> String {
    let units = ["bytes", "KiB", "MiB", "GiB", "TiB", "PiB"];
    let mut value = bytes as f64;
    let mut unit = 0;
    // 1023.9 would be rounded to 1024.
    while value >= 1023.5 && unit + 1 < units.len() {
        value /= 1024.0;
        unit += 1;
    }
    format!("{} {}", without_zeros(&three_figures(value)), units[unit])
}

#[cfg(test)]
mod tests {
    use super::in_words;

    #[test]
    fn unit_follows_the_magnitude() {
        assert_eq!(in_words(0), "0 bytes");
        assert_eq!(in_words(48 << 10), "48 KiB");
        assert_eq!(in_words(3 << 19), "1.5 MiB");
        assert_eq!(in_words((1 << 20) - 1), "1 MiB");
        assert_eq!(in_words(540_000_000_000), "503 GiB");
        assert_eq!(in_words(24_684_096 * 1024), "23.5 GiB");
        assert_eq!(in_words(100 << 30), "100 GiB");
        assert_eq!(in_words(u64::MAX), "16384 PiB");
    }
}
