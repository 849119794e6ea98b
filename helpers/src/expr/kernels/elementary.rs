//! sin, cos, exp and ln without branches or tables, for arguments in a usual range.
//!
//! Every step is an IEEE operation or a fused multiply-add, on one number; the compiler vectorises
//! them. All arguments go through every operation, so each takes the same time. Outside of the
//! range the results are meaningless, and the caller uses std.
//!
//! The methods are those of the textbooks (W. J. Cody and W. Waite, *Software Manual for the
//! Elementary Functions*, 1980; J.-M. Muller, *Elementary Functions*, 2016): reduce the argument
//! with the constant in two or three parts, evaluate a polynomial, combine the parts. The
//! polynomials of sin and exp are minimax approximations of the relative error, computed for this
//! file by Remez' algorithm in 60 digits; that of ln is the one of Sun's FDLIBM (`e_log.c`, 1993;
//! error below 2⁻⁵⁸·⁴⁵), which adds steps that keep the error below one unit in the last place. The
//! largest errors found in the tests, against std, are 2 units in the last place for sin, cos and
//! ln and 1 for exp.

use std::f64::consts::{FRAC_1_PI, LOG2_E};
use std::ops::RangeInclusive;

/// One of the functions.
pub(super) trait Elementary {
    /// The arguments for which `fast` is right.
    const FAST_RANGE: RangeInclusive<f64>;

    /// Must be inlined into a function for which fused multiply-add is enabled.
    fn fast(x: f64) -> f64;

    /// The function of std.
    fn slow(x: f64) -> f64;
}

macro_rules! elementary {
    ($name:ident, $function:ident, $usual:expr) => {
        pub(super) struct $name;

        impl Elementary for $name {
            const FAST_RANGE: RangeInclusive<f64> = $usual;

            #[inline(always)]
            fn fast(x: f64) -> f64 {
                $function(x)
            }

            fn slow(x: f64) -> f64 {
                x.$function()
            }
        }
    };
}

// For angles, n · π must be known well beyond their last bit.
elementary!(Sin, sin, -1e9..=1e9);
elementary!(Cos, cos, -1e9..=1e9);
// The result is a normal number.
elementary!(Exp, exp, -708.0..=709.0);
// Positive normal numbers.
elementary!(Ln, ln, f64::MIN_POSITIVE..=f64::MAX);

/// 1.5 · 2⁵²: added to a number below 2⁵¹, it leaves the nearest integer in the last bits.
const TO_INTEGER: f64 = 6_755_399_441_055_744.0;

const SIGN: u64 = 1 << 63;

/// π in three parts of 53 bits each.
const PI: [f64; 3] =
    [std::f64::consts::PI, 1.224_646_799_147_353_2e-16, -2.994_769_809_718_339_7e-33];

/// Of sin(r) = r + r³ · p(r²) for |r| up to π/2, highest power first; relative error below 2.8e-19.
const SIN: [f64; 8] = [
    2.721_129_911_469_881e-15,
    -7.642_987_298_697_826e-13,
    1.605_893_954_839_583_8e-10,
    -2.505_210_686_974_239_3e-8,
    2.755_731_921_110_47e-6,
    -0.000_198_412_698_412_090_34,
    0.008_333_333_333_333_194,
    -0.166_666_666_666_666_66,
];

/// `polynomial(x, c) = c[0] xⁿ + … + c[n]`, by Horner's rule.
#[inline(always)]
fn polynomial<const N: usize>(x: f64, coefficients: [f64; N]) -> f64 {
    let mut value = coefficients[0];
    for coefficient in &coefficients[1..] {
        value = value.mul_add(x, *coefficient);
    }
    value
}

/// `angle - multiple * π`; the first step is exact.
#[inline(always)]
fn less_pi(angle: f64, multiple: f64) -> f64 {
    let r = multiple.mul_add(-PI[0], angle);
    let r = multiple.mul_add(-PI[1], r);
    multiple.mul_add(-PI[2], r)
}

/// sin(r) for |r| up to π/2.
#[inline(always)]
fn sin_of_reduced(r: f64) -> f64 {
    let square = r * r;
    (r * square).mul_add(polynomial(square, SIN), r)
}

/// sin(|x|) = (-1)ⁿ sin(|x| - n π), where n is the integer nearest to |x| / π.
#[inline(always)]
fn sin(x: f64) -> f64 {
    let shifted = x.abs().mul_add(FRAC_1_PI, TO_INTEGER);
    let sine = sin_of_reduced(less_pi(x.abs(), shifted - TO_INTEGER));
    f64::from_bits(sine.to_bits() ^ (shifted.to_bits() << 63) ^ (x.to_bits() & SIGN))
}

/// cos(x) = -(-1)ⁿ sin(|x| - (n + ½) π), where n + ½ is the one nearest to |x| / π.
#[inline(always)]
fn cos(x: f64) -> f64 {
    let shifted = x.abs().mul_add(FRAC_1_PI, -0.5) + TO_INTEGER;
    let sine = sin_of_reduced(less_pi(x.abs(), shifted - TO_INTEGER + 0.5));
    f64::from_bits(sine.to_bits() ^ (shifted.to_bits() << 63) ^ SIGN)
}

/// Of exp(r) = 1 + r + r² · p(r) for |r| up to ln(2)/2, highest power first; relative error below
/// 3.7e-18.
const EXP: [f64; 10] = [
    2.499_999_988_703_6e-8,
    2.763_030_593_332_016e-7,
    2.755_758_686_126_941_7e-6,
    2.480_149_295_061_905_4e-5,
    0.000_198_412_695_057_136_7,
    0.001_388_888_894_375_891,
    0.008_333_333_333_495_003,
    0.041_666_666_666_529_73,
    0.166_666_666_666_664_1,
    0.500_000_000_000_001_1,
];

/// exp(x) = 2ⁿ exp(x - n ln 2), where n is the integer nearest to x / ln 2.
#[inline(always)]
fn exp(x: f64) -> f64 {
    const LN_2: [f64; 2] = [std::f64::consts::LN_2, 2.319_046_813_846_299_6e-17];
    let shifted = x.mul_add(LOG2_E, TO_INTEGER);
    let n = shifted - TO_INTEGER;
    let r = n.mul_add(-LN_2[1], n.mul_add(-LN_2[0], x));
    let power = (r * r).mul_add(polynomial(r, EXP), r) + 1.0;
    // 2ⁿ: n is added to the exponent, which is above 52 bits of fraction.
    f64::from_bits(power.to_bits().wrapping_add(shifted.to_bits() << 52))
}

/// Of ln((1 + s) / (1 - s)) = 2 s + s³ · p(s²), highest power first, for 1 + f = (1 + s) / (1 - s)
/// from √½ to √2.
const LN: [f64; 7] = [
    0.147_981_986_051_165_86,
    0.153_138_376_992_093_73,
    0.181_835_721_616_180_5,
    0.222_221_984_321_497_84,
    0.285_714_287_436_623_9,
    0.399_999_999_994_094_2,
    0.666_666_666_666_673_5,
];

/// ln(2ᵏ m) = k ln 2 + ln(m), where m lies between √½ and √2.
#[inline(always)]
fn ln(x: f64) -> f64 {
    const SQRT_HALF: u64 = 0x3FE6_A09E_667F_3BCD;
    const ONE: u64 = 0x3FF0_0000_0000_0000;
    const FRACTION: u64 = (1 << 52) - 1;
    // The bits of 2⁵²: an integer below it, put into the fraction, is added to it.
    const FROM_INTEGER: u64 = 0x4330_0000_0000_0000;
    // ln 2 in two parts, the first with so few bits that k times it is exact.
    const LN_2: [f64; 2] = [0.693_147_180_369_123_8, 1.908_214_929_270_587_7e-10];

    let bits = x.to_bits().wrapping_add(ONE - SQRT_HALF);
    let k = f64::from_bits((bits >> 52) | FROM_INTEGER) - (f64::from_bits(FROM_INTEGER) + 1023.0);
    let m = f64::from_bits((bits & FRACTION).wrapping_add(SQRT_HALF));
    let f = m - 1.0;
    let s = f / (2.0 + f);
    let square = s * s;
    let low = (s * square).mul_add(polynomial(square, LN), k * LN_2[1]);
    k.mul_add(LN_2[0], s.mul_add(2.0, low))
}
