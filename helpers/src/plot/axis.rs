//! From values to positions: ranges, ticks and their labels.

use super::canvas::Font;

/// One axis: the range it shows, linear or logarithmic, and its ticks.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct Axis {
    low: f64,
    high: f64,
    log: bool,
    pub(super) ticks: Vec<Tick>,
}

/// A mark at a value; minor ticks have no label.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct Tick {
    pub(super) value: f64,
    pub(super) label: Option<String>,
}

/// The values that an axis must show.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(super) struct Extent {
    low: f64,
    high: f64,
    /// All values are whole numbers: a tick at 1.5 threads would be nonsense.
    whole: bool,
    /// All values are powers of two, as numbers of threads often are.
    powers_of_two: bool,
}

impl Extent {
    /// Ticks at whole numbers only, if `whole` is true.
    pub(super) fn or_whole(self, whole: bool) -> Extent {
        Extent { whole: self.whole || whole, ..self }
    }

    /// The extent of finite values; `None` without values.
    pub(super) fn of(values: impl IntoIterator<Item = f64>) -> Option<Extent> {
        let mut extent: Option<Extent> = None;
        for value in values {
            let one = Extent {
                low: value,
                high: value,
                whole: value.fract() == 0.0,
                powers_of_two: value > 0.0 && value.log2().fract() == 0.0,
            };
            extent = Some(extent.map_or(one, |so_far| so_far.and(one)));
        }
        extent
    }

    /// Extended to include zero.
    pub(super) fn with_zero(self) -> Extent {
        Extent { low: self.low.min(0.0), high: self.high.max(0.0), ..self }
    }

    /// The extent of both.
    pub(super) fn and(self, other: Extent) -> Extent {
        Extent {
            low: self.low.min(other.low),
            high: self.high.max(other.high),
            whole: self.whole && other.whole,
            powers_of_two: self.powers_of_two && other.powers_of_two,
        }
    }
}

impl Axis {
    /// A linear axis with some margin around the values, and at most `ticks` steps. It starts at
    /// zero if the value nearest to zero is less than `zero_share` of the farthest; pass 1 for
    /// bars, whose length must be true.
    pub(super) fn linear(extent: Extent, zero_share: f64, ticks: usize) -> Axis {
        let Extent { mut low, mut high, whole, .. } = extent;
        // Limited to a quarter of the largest number, so that differences are finite.
        (low, high) = (
            low.clamp(-f64::MAX / 4.0, f64::MAX / 4.0),
            high.clamp(-f64::MAX / 4.0, f64::MAX / 4.0),
        );
        if high - low <= (f64::EPSILON * 8.0 * low.abs().max(high.abs())).max(1e-300) {
            let around = if low.abs() < 1e-300 { 1.0 } else { low.abs() / 2.0 };
            (low, high) = (low - around, high + around);
        }
        let room = 0.05 * (high - low);
        let touches_zero = extent.low >= 0.0 && low <= zero_share * high;
        let hangs_from_zero = !touches_zero && extent.high <= 0.0 && high >= zero_share * low;
        (low, high) = match (touches_zero, hangs_from_zero) {
            (true, _) => (0.0, high + 0.05 * high),
            (_, true) => (low + 0.05 * low, 0.0),
            _ => (low - room, high + room),
        };
        Axis::exactly(low, high, whole, ticks)
    }

    /// A linear axis from `low` to `high`.
    pub(super) fn exactly(low: f64, high: f64, whole: bool, ticks: usize) -> Axis {
        let mut step = nice_step((high - low) / ticks.max(1) as f64);
        if whole {
            step = step.max(1.0);
        }
        let first = (low / step - 1e-9).ceil() as i64;
        let last = (high / step + 1e-9).floor() as i64;
        let values: Vec<f64> = (first..=last).take(100).map(|count| count as f64 * step).collect();
        let largest = values.iter().fold(0.0_f64, |largest, value| largest.max(value.abs()));
        let ticks = values
            .into_iter()
            .map(|value| Tick { value, label: Some(linear_label(value, step, largest)) })
            .collect();
        Axis { low, high, log: false, ticks }
    }

    /// From one value to another, which may be smaller.
    pub(super) fn between((from, to): (f64, f64), whole: bool, ticks: usize) -> Axis {
        let mut axis = Axis::exactly(from.min(to), from.max(to), whole, ticks);
        (axis.low, axis.high) = (from, to);
        axis
    }

    /// An axis for a single value, in the middle.
    pub(super) fn flat(value: f64) -> Axis {
        let label = linear_label(value, value.abs() / 1000.0, value.abs());
        Axis {
            low: value - 1.0,
            high: value + 1.0,
            log: false,
            ticks: vec![Tick { value, label: Some(label) }],
        }
    }

    /// The same range on a logarithmic axis; both ends are positive.
    pub(super) fn between_logarithmic((from, to): (f64, f64), ticks: usize) -> Axis {
        let mut axis = Axis::logarithmic(
            Extent { low: from.min(to), high: from.max(to), whole: false, powers_of_two: false },
            ticks,
        );
        (axis.low, axis.high) = (from, to);
        axis.ticks
            .retain(|tick| (0.0..=1.0).contains(&((tick.value / from).ln() / (to / from).ln())));
        axis
    }

    /// The width of the widest label, in pixels.
    pub(super) fn widest_label(&self, font: Font) -> f64 {
        self.ticks
            .iter()
            .filter_map(|tick| tick.label.as_ref())
            .map(|label| font.width(label))
            .fold(0.0, f64::max)
    }

    /// A logarithmic axis; all values are positive.
    pub(super) fn logarithmic(extent: Extent, ticks: usize) -> Axis {
        let (from, to) = (extent.low.log10(), extent.high.log10());
        let room = (0.05 * (to - from)).max(0.02);
        let (from, to) = (from - room, to + room);
        let mut axis =
            Axis { low: 10_f64.powf(from), high: 10_f64.powf(to), log: true, ticks: Vec::new() };
        axis.ticks =
            if extent.powers_of_two && (to - from) / 2_f64.log10() <= 2.0 * ticks as f64 + 2.0 {
                powers_of_two(from, to)
            } else if to - from < 0.7 {
                // Less than a decade contains too few round numbers.
                Axis::exactly(axis.low, axis.high, extent.whole, ticks).ticks
            } else {
                decades(from, to, ticks)
            };
        axis
    }

    /// The position of a value: 0 at the start of the axis, 1 at its end.
    pub(super) fn position(&self, value: f64) -> f64 {
        let place = if self.log {
            (value.ln() - self.low.ln()) / (self.high.ln() - self.low.ln())
        } else {
            (value - self.low) / (self.high - self.low)
        };
        // The largest numbers have no margin; values far outside stay near.
        place.clamp(-1e3, 1e3)
    }

    /// Whether a value can be shown on the axis.
    pub(super) fn can_show(log: bool, value: f64) -> bool {
        value.is_finite() && (!log || value > 0.0)
    }

    /// Where bars start.
    pub(super) fn base(&self) -> f64 {
        if self.log { self.low } else { 0.0_f64.clamp(self.low, self.high) }
    }
}

/// The next step that is 1, 2 or 5 times a power of ten.
fn nice_step(rough: f64) -> f64 {
    let power = 10_f64.powf(rough.log10().floor());
    let mantissa = rough / power;
    let nice =
        [1.0, 2.0, 5.0, 10.0].into_iter().find(|&nice| mantissa <= nice * 1.1).unwrap_or(10.0);
    nice * power
}

fn powers_of_two(from: f64, to: f64) -> Vec<Tick> {
    let (first, last) = ((from / 2_f64.log10()).ceil() as i32, (to / 2_f64.log10()).floor() as i32);
    let every = ((last - first) / 10 + 1).max(1);
    let label = |power: i32| {
        let value = 2_f64.powi(power);
        if (-4..=19).contains(&power) {
            format!("{value}")
        } else {
            format!("2{}", superscript(power))
        }
    };
    (first..=last)
        .map(|power| Tick {
            value: 2_f64.powi(power),
            label: ((power - first) % every == 0).then(|| label(power)),
        })
        .collect()
}

fn decades(from: f64, to: f64, ticks: usize) -> Vec<Tick> {
    let (first, last) = (from.floor() as i32, to.ceil() as i32);
    let within = (to.floor() - from.ceil() + 1.0).max(1.0);
    let every = (within / ticks.max(1) as f64).ceil() as i32;
    // With few decades, 2 and 5 are labelled, too.
    let between = to - from < 1.0 + ticks as f64 / 5.0;
    let mut found = Vec::new();
    for decade in first..=last {
        for digit in 1..=9 {
            let value = f64::from(digit) * 10_f64.powi(decade);
            if value.log10() < from - 1e-9 || value.log10() > to + 1e-9 || (digit > 1 && every > 1)
            {
                continue;
            }
            let labelled = (digit == 1 && decade.rem_euclid(every) == 0)
                || (between && matches!(digit, 2 | 5));
            found.push(Tick { value, label: labelled.then(|| log_label(digit, decade)) });
        }
    }
    found
}

fn log_label(digit: i32, decade: i32) -> String {
    match (digit, decade) {
        (_, 0..=4) => format!("{}", i64::from(digit) * 10_i64.pow(decade as u32)),
        (_, -3..=-1) => format!("{digit}e{decade}")
            .parse::<f64>()
            .map(|value| value.to_string())
            .unwrap_or_default(),
        (1, _) => format!("10{}", superscript(decade)),
        _ => format!("{digit}·10{}", superscript(decade)),
    }
}

/// A tick's value with just the decimals that its step needs; very large and very small values with
/// a power of ten.
fn linear_label(value: f64, step: f64, largest: f64) -> String {
    if value == 0.0 {
        return "0".into();
    }
    let exponent = (largest * 1.000_001).log10().floor() as i32;
    let step_exponent = (step * 1.000_001).log10().floor() as i32;
    if (-3..=5).contains(&exponent) {
        let decimals = (-step_exponent).max(0) as usize;
        return with_minus(format!("{value:.decimals$}"));
    }
    let decimals = (exponent - step_exponent).clamp(0, 15) as usize;
    let mantissa = value / 10_f64.powi(exponent);
    with_minus(format!("{mantissa:.decimals$}·10{}", superscript(exponent)))
}

/// A real minus sign; a hyphen is too short next to digits.
fn with_minus(number: String) -> String {
    number.replace('-', "−")
}

/// An exponent in superscript digits.
pub(super) fn superscript(number: i32) -> String {
    let raised = |character| match character {
        '-' => '⁻',
        '1' => '¹',
        '2' => '²',
        '3' => '³',
        digit => char::from_u32('⁰' as u32 + digit as u32 - '0' as u32).unwrap_or(digit),
    };
    number.to_string().chars().map(raised).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(axis: &Axis) -> Vec<&str> {
        axis.ticks.iter().filter_map(|tick| tick.label.as_deref()).collect()
    }

    fn linear(values: &[f64]) -> Axis {
        Axis::linear(Extent::of(values.iter().copied()).unwrap(), 0.5, 5)
    }

    fn logarithmic(values: &[f64]) -> Axis {
        Axis::logarithmic(Extent::of(values.iter().copied()).unwrap(), 6)
    }

    #[test]
    fn ticks_are_round_numbers() {
        assert_eq!(labels(&linear(&[0.0, 0.5, 1.0])), ["0", "0.2", "0.4", "0.6", "0.8", "1.0"]);
        assert_eq!(labels(&linear(&[1.0, 4.0])), ["0", "1", "2", "3", "4"]);
        assert_eq!(
            labels(&linear(&[0.012, 0.013])),
            ["0.0120", "0.0122", "0.0124", "0.0126", "0.0128", "0.0130"]
        );
        assert_eq!(labels(&linear(&[-1.0, 0.5, 1.0])), ["−1.0", "−0.5", "0", "0.5", "1.0"]);
        assert_eq!(labels(&linear(&[0.0, 3e9])), ["0", "1·10⁹", "2·10⁹", "3·10⁹"]);
        assert_eq!(labels(&linear(&[0.0, 3e-7])), ["0", "1·10⁻⁷", "2·10⁻⁷", "3·10⁻⁷"]);
    }

    #[test]
    fn whole_numbers_have_whole_ticks() {
        assert_eq!(labels(&linear(&[1.0, 2.0])), ["0", "1", "2"]);
        assert!(labels(&linear(&[1.0, 2.5])).len() > 2);
    }

    #[test]
    fn one_value_has_room_around_it() {
        for value in [0.0, 1.0, -3.0, 1e300, 5e-324, f64::MAX, f64::MIN] {
            let axis = linear(&[value]);
            assert!(
                (0.0..=1.0).contains(&axis.position(value.clamp(-f64::MAX / 4.0, f64::MAX / 4.0))),
                "{value}: {axis:?}"
            );
            assert!(axis.ticks.len() < 20, "{value}: {axis:?}");
        }
    }

    #[test]
    fn logarithmic_ticks() {
        assert_eq!(labels(&logarithmic(&[1.0, 2.0, 16.0])), ["1", "2", "4", "8", "16"]);
        assert_eq!(
            labels(&logarithmic(&[1.0, 3.0, 90.0])),
            ["1", "2", "5", "10", "20", "50", "100"]
        );
        assert_eq!(labels(&logarithmic(&[1.0, 3e5])), ["1", "10", "100", "1000", "10000", "10⁵"]);
        assert_eq!(
            labels(&logarithmic(&[1e-9, 3e-8])),
            ["10⁻⁹", "2·10⁻⁹", "5·10⁻⁹", "10⁻⁸", "2·10⁻⁸"]
        );
        assert_eq!(labels(&logarithmic(&[3.0, 7.0])), ["3", "4", "5", "6", "7"]);
        assert!(labels(&logarithmic(&[1e-300, 1e300])).len() < 10);
    }

    #[test]
    fn places_run_from_zero_to_one() {
        let axis = logarithmic(&[1.0, 3.0, 100.0]);
        assert!((axis.position(10.0) - 0.5).abs() < 1e-9);
        let axis = linear(&[12.0, 20.0]);
        assert!((axis.position(16.0) - 0.5).abs() < 1e-9);
    }

    #[test]
    fn exponents_are_raised() {
        assert_eq!(superscript(-1234567890), "⁻¹²³⁴⁵⁶⁷⁸⁹⁰");
    }
}
