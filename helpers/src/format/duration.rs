//! Durations as people read them: three significant figures and a fitting unit.

use super::three_figures;
use std::fmt;
use std::time::Duration;

/// A duration that prints with three significant figures, as IPython does: `89.3 µs`, `300 ms`,
/// `1.37 s`; from one minute on, `1min 3s`.
///
/// `Debug` prints the same as `Display`, so a notebook shows it too. Width and alignment are
/// respected.
///
/// # Examples
///
/// ```
/// use parcourse::time::FineDuration;
/// use std::time::Duration;
/// assert_eq!(FineDuration(Duration::from_micros(1370)).to_string(), "1.37 ms");
/// assert_eq!(format!("{:>8}", FineDuration(Duration::from_secs(63))), " 1min 3s");
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct FineDuration(
    /// The duration itself.
    pub Duration,
);

impl fmt::Display for FineDuration {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(&in_words(self.0))
    }
}

impl fmt::Debug for FineDuration {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, formatter)
    }
}

fn in_words(duration: Duration) -> String {
    let nanoseconds = duration.as_nanos();
    if nanoseconds < 1000 {
        return format!("{nanoseconds} ns");
    }
    for (unit, per_unit) in [("µs", 1e3), ("ms", 1e6), ("s", 1e9)] {
        let value = nanoseconds as f64 / per_unit;
        // 999.5 rounds to 1000, which belongs to the next unit; 59.95 s to 60.0 s, which is a
        // minute.
        let limit = if unit == "s" { 59.95 } else { 999.5 };
        if value < limit {
            return format!("{} {unit}", three_figures(value));
        }
    }
    let seconds = (nanoseconds as f64 / 1e9).round() as u64;
    let (hours, minutes, seconds) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    if hours > 0 {
        format!("{hours}h {minutes}min {seconds}s")
    } else {
        format!("{minutes}min {seconds}s")
    }
}

/// Formats seconds the same way, also below a nanosecond, which a [`Duration`] cannot hold: `2.55
/// ns`, `0.312 ns`.
pub(crate) fn fine_seconds(seconds: f64) -> String {
    let nanoseconds = seconds * 1e9;
    // Negated, so that NaN gets here as well.
    if !(nanoseconds >= 0.0005) {
        return "0 ns".to_string();
    }
    if nanoseconds < 999.5 {
        // Three figures below 1, too: one more decimal for every zero after the point.
        let zeros = if nanoseconds < 0.9995 {
            (-(nanoseconds * 1.0005).log10().floor()) as usize
        } else {
            0
        };
        return if zeros > 0 {
            format!("{nanoseconds:.*} ns", zeros + 2)
        } else {
            format!("{} ns", three_figures(nanoseconds))
        };
    }
    Duration::try_from_secs_f64(seconds).map_or_else(|_| format!("{seconds:.3e} s"), in_words)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seconds_below_a_nanosecond_have_figures_too() {
        assert_eq!(fine_seconds(0.0), "0 ns");
        assert_eq!(fine_seconds(0.0893e-9), "0.0893 ns");
        assert_eq!(fine_seconds(0.312e-9), "0.312 ns");
        assert_eq!(fine_seconds(0.99949e-9), "0.999 ns");
        assert_eq!(fine_seconds(0.9999e-9), "1.00 ns");
        assert_eq!(fine_seconds(2.554e-9), "2.55 ns");
        assert_eq!(fine_seconds(123.4e-9), "123 ns");
        assert_eq!(fine_seconds(999.6e-9), "1.00 µs");
        assert_eq!(fine_seconds(7.24e-3), "7.24 ms");
        assert_eq!(fine_seconds(63.0), "1min 3s");
    }

    fn text(nanoseconds: u64) -> String {
        FineDuration(Duration::from_nanos(nanoseconds)).to_string()
    }

    #[test]
    fn unit_follows_the_magnitude() {
        assert_eq!(text(0), "0 ns");
        assert_eq!(text(999), "999 ns");
        assert_eq!(text(1_000), "1.00 µs");
        assert_eq!(text(89_300), "89.3 µs");
        assert_eq!(text(300_000_000), "300 ms");
        assert_eq!(text(1_370_000_000), "1.37 s");
        assert_eq!(text(63_000_000_000), "1min 3s");
        assert_eq!(text(3_723_000_000_000), "1h 2min 3s");
    }

    /// A naive implementation prints `1000 µs`, `10.00 s` or `60.0 s` here.
    #[test]
    fn rounding_carries_over_to_the_next_unit() {
        assert_eq!(text(9_994), "9.99 µs");
        assert_eq!(text(9_996), "10.0 µs");
        assert_eq!(text(99_960), "100 µs");
        assert_eq!(text(999_400), "999 µs");
        assert_eq!(text(999_600), "1.00 ms");
        assert_eq!(text(999_600_000), "1.00 s");
        assert_eq!(text(59_940_000_000), "59.9 s");
        assert_eq!(text(59_970_000_000), "1min 0s");
        assert_eq!(text(3_599_700_000_000), "1h 0min 0s");
    }

    #[test]
    fn debug_shows_the_same_and_width_is_honoured() {
        let duration = FineDuration(Duration::from_millis(300));
        assert_eq!(format!("{duration:?}"), "300 ms");
        assert_eq!(format!("{duration:>9}|"), "   300 ms|");
    }
}
