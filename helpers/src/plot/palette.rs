//! Colours: of series, and of the values of a heat map.

use super::canvas::Colour;

/// Distinguishable with the common kinds of colour blindness, and with a contrast of at least 3 to
/// white and to near-black.
pub(super) const SERIES: [Colour; 7] = [
    Colour(0x1f, 0x7a, 0xc4),
    Colour(0xd9, 0x5f, 0x02),
    Colour(0x0f, 0x96, 0x6f),
    Colour(0xc2, 0x5f, 0xa0),
    Colour(0x9c, 0x7e, 0x0a),
    Colour(0x7d, 0x6c, 0xd9),
    Colour(0x8c, 0x6d, 0x5a),
];

/// Samples of matplotlib's *viridis* (CC0): equal steps look equal, in greyscale and to
/// colour-blind people, too.
const VIRIDIS: [Colour; 9] = [
    Colour(0x44, 0x01, 0x54),
    Colour(0x47, 0x2d, 0x7b),
    Colour(0x3b, 0x52, 0x8b),
    Colour(0x2c, 0x72, 0x8e),
    Colour(0x21, 0x91, 0x8c),
    Colour(0x28, 0xae, 0x80),
    Colour(0x5e, 0xc9, 0x62),
    Colour(0xad, 0xdc, 0x30),
    Colour(0xfd, 0xe7, 0x25),
];

/// The colour of a series; the first seven differ.
pub(super) fn series(index: usize) -> Colour {
    SERIES[index % SERIES.len()]
}

/// The colour at `share` (0 to 1) of the way from the first to the last of these colours; of
/// viridis, if the slice is empty.
pub(super) fn mixed(colours: &[Colour], share: f64) -> Colour {
    let colours = if colours.is_empty() { &VIRIDIS } else { colours };
    let place = share.clamp(0.0, 1.0) * (colours.len() - 1) as f64;
    let index = (place as usize).min(colours.len().saturating_sub(2));
    let (from, to, rest) =
        (colours[index], colours[(index + 1).min(colours.len() - 1)], place - index as f64);
    let mix = |from: u8, to: u8| {
        (f64::from(from) + rest * (f64::from(to) - f64::from(from))).round() as u8
    };
    Colour(mix(from.0, to.0), mix(from.1, to.1), mix(from.2, to.2))
}

/// Parses a colour in HTML notation: `#ff8000`.
#[track_caller]
pub(super) fn parsed(text: &str) -> Colour {
    let digits = text.strip_prefix('#').filter(|digits| {
        digits.len() == 6 && digits.bytes().all(|digit| digit.is_ascii_hexdigit())
    });
    let number = digits.and_then(|digits| u32::from_str_radix(digits, 16).ok());
    let Some(number) = number else {
        panic!("`{text}` is not a colour: it should look like `#ff8000`")
    };
    let [_, red, green, blue] = number.to_be_bytes();
    Colour(red, green, blue)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn series_are_seen_on_light_and_dark() {
        for colour in SERIES {
            let (light, dark) =
                (colour.contrast(Colour::WHITE), colour.contrast(Colour(0x11, 0x11, 0x11)));
            assert!(light >= 3.0 && dark >= 3.0, "{colour:?}: {light:.2}, {dark:.2}");
        }
    }

    #[test]
    fn higher_values_are_lighter() {
        assert_eq!((mixed(&[], -1.0), mixed(&[], 2.0)), (VIRIDIS[0], VIRIDIS[8]));
        let luminances: Vec<f64> =
            (0..=100).map(|percent| mixed(&[], f64::from(percent) / 100.0).luminance()).collect();
        assert!(luminances.is_sorted());
    }

    #[test]
    fn colours_are_mixed() {
        let colours = ["#000000", "#ff8000", "#0A0b0c"].map(parsed);
        assert_eq!(colours, [Colour(0, 0, 0), Colour(255, 128, 0), Colour(10, 11, 12)]);
        assert_eq!(
            (mixed(&colours, 0.25), mixed(&colours, 0.5), mixed(&colours, 1.0)),
            (Colour(128, 64, 0), colours[1], colours[2])
        );
        assert_eq!(mixed(&colours[..1], 0.7), colours[0]);
    }

    #[test]
    fn what_is_no_colour_is_refused() {
        for text in ["ff8000", "#ff80", "#ff800g", "#+f8000", "red", ""] {
            assert!(std::panic::catch_unwind(|| parsed(text)).is_err(), "{text}");
        }
    }
}
