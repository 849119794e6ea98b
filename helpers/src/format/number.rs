//! Numbers and byte sizes as people read them.

/// A number of at least 1 with three significant figures; larger numbers keep all digits before the
/// point.
pub(crate) fn three_figures(value: f64) -> String {
    let decimals = if value < 9.995 {
        2
    } else if value < 99.95 {
        1
    } else {
        0
    };
    format!("{value:.decimals$}")
}

/// The most significant figures that a number is printed with.
const FIGURES: i32 = 4;

/// A number with four significant figures and no trailing zeros: `0.5`, `3.142`, `12350`,
/// `1.235e-7`.
pub(crate) fn four_figures(number: f64) -> String {
    if number == 0.0 || !number.is_finite() {
        // Without the sign of a negative zero.
        return format!("{}", number + 0.0);
    }
    let rounded = format!("{number:.*e}", FIGURES as usize - 1);
    let (mantissa, exponent) = rounded.split_once('e').unwrap_or((&rounded, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    match exponent {
        -4..=5 => {
            let decimals = (FIGURES - 1 - exponent).max(0) as usize;
            without_zeros(&format!("{number:.decimals$}")).to_string()
        }
        _ => format!("{}e{exponent}", without_zeros(mantissa)),
    }
}

/// Removes trailing zeros of a fraction.
pub(crate) fn without_zeros(text: &str) -> &str {
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.') } else { text }
}

/// The number of decimals for all numbers of a column, so that their points align.
///
/// `None` if the numbers differ too much in size: then common decimals would hide figures or show
/// more than there are.
pub(crate) fn common_decimals(numbers: impl IntoIterator<Item = f64>) -> Option<usize> {
    let texts: Vec<String> =
        numbers.into_iter().filter(|number| number.is_finite()).map(four_figures).collect();
    if texts.iter().any(|text| text.contains('e')) {
        return None;
    }
    let decimals = |text: &String| text.split_once('.').map_or(0, |(_, fraction)| fraction.len());
    let digits =
        |text: &String| text.split('.').next().unwrap_or("").trim_start_matches(['-', '0']).len();
    let (decimals, digits) = (texts.iter().map(decimals).max()?, texts.iter().map(digits).max()?);
    (decimals + digits <= FIGURES as usize + 2).then_some(decimals)
}

/// A count with its noun: `1 core`, `2 cores`.
pub(crate) fn counted(count: usize, noun: &str) -> String {
    format!("{count} {noun}{}", if count == 1 { "" } else { "s" })
}

/// A number of bytes in the binary unit that fits, with at most three significant figures: `48
/// KiB`, `1.5 MiB`, `503 GiB`.
pub(crate) fn byte_size(bytes: u64) -> String {
    let units = ["bytes", "KiB", "MiB", "GiB", "TiB", "PiB"];
    let mut value = bytes as f64;
    let mut unit = 0;
    // 1023.9 would round to 1024.
    while value >= 1023.5 && unit + 1 < units.len() {
        value /= 1024.0;
        unit += 1;
    }
    format!("{} {}", without_zeros(&three_figures(value)), units[unit])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn four_significant_figures() {
        let expected = [
            (0.0, "0"),
            (-0.0, "0"),
            (0.5, "0.5"),
            (1.0, "1"),
            (3.14449, "3.144"),
            (-12.3456, "-12.35"),
            (0.00123456, "0.001235"),
            (99999.0, "99999"),
            (123456.7, "123457"),
            (1234567.0, "1.235e6"),
            (1e9, "1e9"),
            (0.00001234, "1.234e-5"),
            (0.99996, "1"),
            (f64::NAN, "NaN"),
            (f64::INFINITY, "inf"),
        ];
        for (number, text) in expected {
            assert_eq!(four_figures(number), text);
        }
    }

    #[test]
    fn columns_agree_on_decimals_where_it_helps() {
        assert_eq!(common_decimals([1.0, 1.9312, 3.7]), Some(3));
        assert_eq!(common_decimals([1.0, 2.0]), Some(0));
        assert_eq!(common_decimals([50.0, 12.34]), Some(2));
        assert_eq!(common_decimals([12345.0, 0.01234]), None);
        assert_eq!(common_decimals([1e9, 1.0]), None);
        assert_eq!(common_decimals([f64::NAN, 0.5]), Some(1));
        assert_eq!(common_decimals([]), None);
    }

    #[test]
    fn byte_sizes_have_the_unit_that_fits() {
        assert_eq!(byte_size(0), "0 bytes");
        assert_eq!(byte_size(48 << 10), "48 KiB");
        assert_eq!(byte_size(3 << 19), "1.5 MiB");
        assert_eq!(byte_size((1 << 20) - 1), "1 MiB");
        assert_eq!(byte_size(540_000_000_000), "503 GiB");
        assert_eq!(byte_size(24_684_096 * 1024), "23.5 GiB");
        assert_eq!(byte_size(100 << 30), "100 GiB");
        assert_eq!(byte_size(u64::MAX), "16384 PiB");
    }
}
