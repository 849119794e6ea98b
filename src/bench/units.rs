//! Formats numbers with three significant figures and a suitable unit.

/// A duration: `850 µs`, `12.3 ms`, `1.67 s`.
pub fn seconds(value: f64) -> String {
    scaled(value, &[("µs", 1e-6), ("ms", 1e-3), ("s", 1.0)], 1000.0)
}

/// A duration that may be very short: `2.35 ns`.
pub fn fine(value: f64) -> String {
    scaled(value, &[("ns", 1e-9), ("µs", 1e-6), ("ms", 1e-3), ("s", 1.0)], 1000.0)
}

/// An amount of memory: `512 KiB`, `48.3 MiB`, `1.20 GiB`.
pub fn bytes(value: f64) -> String {
    scaled(
        value,
        &[("KiB", 1024.0), ("MiB", 1024.0 * 1024.0), ("GiB", 1024.0 * 1024.0 * 1024.0)],
        1024.0,
    )
}

/// A ratio: `0.34`, `1.00`, `12.5`.
pub fn ratio(value: f64) -> String {
    three_figures(value)
}

/// Uses the first unit in which the number is below `step`, else the last.
fn scaled(value: f64, units: &[(&str, f64)], step: f64) -> String {
    let fits = |&&(_, size): &&(&str, f64)| (value / size).abs() < step - 0.5;
    let (name, size) = units.iter().find(fits).unwrap_or(&units[units.len() - 1]);
    format!("{} {name}", three_figures(value / size))
}

fn three_figures(value: f64) -> String {
    let decimals = match value.abs() {
        size if size < 9.995 => 2,
        size if size < 99.95 => 1,
        _ => 0,
    };
    format!("{value:.decimals$}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unit_follows_the_magnitude() {
        assert_eq!(seconds(0.0), "0.00 µs");
        assert_eq!(seconds(0.000_85), "850 µs");
        assert_eq!(seconds(0.0123), "12.3 ms");
        assert_eq!(seconds(1.674), "1.67 s");
        assert_eq!(seconds(16.04), "16.0 s");
        assert_eq!(seconds(163.0), "163 s");
        assert_eq!(bytes(512.0 * 1024.0), "512 KiB");
        assert_eq!(bytes(48.3 * 1048576.0), "48.3 MiB");
        assert_eq!(bytes(1.2 * 1073741824.0), "1.20 GiB");
    }

    /// A naive implementation prints `1000 ms` or `10.00 s` here.
    #[test]
    fn rounding_carries_over_to_the_next_unit() {
        assert_eq!(seconds(0.9994), "999 ms");
        assert_eq!(seconds(0.9996), "1.00 s");
        assert_eq!(seconds(9.996), "10.0 s");
        assert_eq!(bytes(1023.7 * 1024.0), "1.00 MiB");
        assert_eq!(bytes(1023.4 * 1024.0), "1023 KiB");
    }

    #[test]
    fn ratios() {
        assert_eq!(ratio(0.336), "0.34");
        assert_eq!(ratio(1.0), "1.00");
        assert_eq!(ratio(31.24), "31.2");
    }
}
