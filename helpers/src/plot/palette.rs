//! Colours: of series, and of the values of a heat map.

use super::canvas::Colour;

/// Told apart by people with the usual kinds of colour blindness, and contrasting with white and with near-black (at least 3 each).
pub(super) const SERIES: [Colour; 7] = [
    Colour(0x1f, 0x7a, 0xc4),
    Colour(0xd9, 0x5f, 0x02),
    Colour(0x0f, 0x96, 0x6f),
    Colour(0xc2, 0x5f, 0xa0),
    Colour(0x9c, 0x7e, 0x0a),
    Colour(0x7d, 0x6c, 0xd9),
    Colour(0x8c, 0x6d, 0x5a),
];

/// Samples of matplotlib's *viridis* (CC0): equal steps look equal, in grey and to colour-blind people too.
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

/// The colour of a series: the first seven differ.
pub(super) fn series(index: usize) -> Colour {
    SERIES[index % SERIES.len()]
}

/// The colour of a share, from 0 to 1, of the way from the lowest to the highest value.
pub(super) fn viridis(share: f64) -> Colour {
    let place = share.clamp(0.0, 1.0) * (VIRIDIS.len() - 1) as f64;
    let index = (place as usize).min(VIRIDIS.len() - 2);
    let (from, to, rest) = (VIRIDIS[index], VIRIDIS[index + 1], place - index as f64);
    let mix = |from: u8, to: u8| (f64::from(from) + rest * (f64::from(to) - f64::from(from))).round() as u8;
    Colour(mix(from.0, to.0), mix(from.1, to.1), mix(from.2, to.2))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn series_are_seen_on_light_and_dark() {
        for colour in SERIES {
            let (light, dark) = (colour.contrast(Colour::WHITE), colour.contrast(Colour(0x11, 0x11, 0x11)));
            assert!(light >= 3.0 && dark >= 3.0, "{colour:?}: {light:.2}, {dark:.2}");
        }
    }

    #[test]
    fn higher_values_are_lighter() {
        assert_eq!((viridis(-1.0), viridis(2.0)), (VIRIDIS[0], VIRIDIS[8]));
        let luminances: Vec<f64> = (0..=100).map(|percent| viridis(f64::from(percent) / 100.0).luminance()).collect();
        assert!(luminances.is_sorted());
    }
}
