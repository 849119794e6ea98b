//! Random numbers for parallel programs: seeded, and the same for any number of threads.
//!
//! One generator shared by all threads would need a lock, and which thread draws which number would
//! be chance. One generator per *thread* gives results that change with the number of threads. So
//! here there is one generator per *task*: [`streams`] is a family of numbered generators, made
//! from one seed. A task takes the stream of its own number, on whichever thread it runs.
//!
//! ```
//! use parcourse::prelude::*;
//! fn hits(mut rng: Stream, points: u64) -> u64 {
//!     let mut square = || rng.random::<f64>().powi(2);
//!     (0..points).filter(|_| square() + square() < 1.0).count() as u64
//! }
//! let points = 1_000_000;
//! let hits: u64 = streams(42).par_blocks(points).map(|(rng, points)| hits(rng, points)).sum();
//! let pi = 4.0 * hits as f64 / points as f64;
//! assert!((pi - std::f64::consts::PI).abs() < 0.01);
//! ```
//!
//! The NumPy counterpart is `[default_rng(child) for child in SeedSequence(seed).spawn(tasks)]`.
//!
//! # How the streams are made
//!
//! A stream is a [xoshiro256++](https://prng.di.unimi.it/) generator (Blackman and Vigna,
//! "Scrambled linear pseudorandom number generators", ACM TOMS 47, 2021): 32 bytes of state, period
//! 2²⁵⁶ - 1, about a nanosecond per number. Its four words of initial state come, as its authors
//! recommend, from a SplitMix64 generator (Steele, Lea and Flood, OOPSLA 2014) started with the
//! scrambled seed: stream `i` takes outputs `4i` to `4i + 3`. SplitMix64 can start anywhere in its
//! sequence, so stream 10⁹ costs no more than stream 0; jumping ahead by 2¹²⁸ steps per stream
//! would not allow that.
//!
//! All words are outputs of one bijection at different positions, so no two streams of a family
//! start alike. They are long stretches of the same cycle; the probability that any two of `n`
//! stretches of length `l` overlap is at most n² · l / 2²⁵⁶ (Vigna, "On the probability of overlap
//! of random subsequences of pseudorandom number generators", 2020): for a billion streams of 10¹⁵
//! numbers each, 10⁻⁴⁴. Not for secrets: anyone who sees some numbers can compute the others.

use rand::rngs::Xoshiro256PlusPlus;
use rand::{SeedableRng, TryRng};
use rayon::iter::{IndexedParallelIterator, IntoParallelIterator, ParallelIterator};
use std::convert::Infallible;
use std::fmt;

/// How many draws [`Streams::blocks`] gives to one stream: enough to make the cost of starting it
/// and handing it to a thread small (well below one per cent), few enough to keep all cores busy to
/// the end.
pub const BLOCK: u64 = 1 << 16;

/// The family of generators of a seed. Costs nothing: streams are made on demand.
///
/// # Examples
///
/// ```
/// use parcourse::prelude::*;
/// let mut first = streams(42).stream(0);
/// let mut second = streams(42).stream(1);
/// assert_ne!(first.random::<u64>(), second.random::<u64>());
/// ```
pub fn streams(seed: u64) -> Streams {
    // Scrambled, so that neighbouring seeds do not start at neighbouring positions of the sequence
    // that all families share.
    Streams { origin: scramble(seed) }
}

/// A family of independent random number generators; see [`streams`] and the [module](self).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Streams {
    origin: u64,
}

impl Streams {
    /// The generator of this number, always the same one. Costs a few nanoseconds for any number.
    ///
    /// # Examples
    ///
    /// One simulation per item, each with its own stream:
    ///
    /// ```
    /// use parcourse::prelude::*;
    /// let temperatures = [250.0, 300.0, 350.0];
    /// let noisy =
    ///     |(number, t): (usize, &f64)| t + streams(7).stream(number as u64).random::<f64>();
    /// let serial: Vec<f64> = temperatures.iter().enumerate().map(noisy).collect();
    /// let parallel: Vec<f64> = temperatures.par_iter().enumerate().map(noisy).collect();
    /// assert_eq!(serial, parallel);
    /// ```
    pub fn stream(&self, number: u64) -> Stream {
        Stream::from_state(
            [0, 1, 2, 3]
                .map(|word| split_mix(self.origin, number.wrapping_mul(4).wrapping_add(word))),
        )
    }

    /// Streams `0` to `tasks - 1`, as a parallel iterator: `streams(seed).par_iter(100).map(|mut
    /// rng| …)`.
    pub fn par_iter(&self, tasks: u64) -> impl ParallelIterator<Item = Stream> + use<> {
        let streams = *self;
        (0..tasks).into_par_iter().map(move |number| streams.stream(number))
    }

    /// Divides `draws` into blocks of [`BLOCK`] (the last one may be shorter), each with a stream
    /// of its own: returns pairs of a generator and how often to draw from it. What a draw is, is
    /// up to you: it may take several random numbers.
    ///
    /// # Examples
    ///
    /// ```
    /// use parcourse::prelude::*;
    /// let block = |(mut rng, draws): (Stream, u64)| -> f64 {
    ///     (0..draws).map(|_| rng.random::<f64>()).sum()
    /// };
    /// let sum: f64 = streams(3).blocks(100_000).map(block).sum();
    /// assert!((sum / 100_000.0 - 0.5).abs() < 0.01);
    /// ```
    pub fn blocks(&self, draws: u64) -> impl Iterator<Item = (Stream, u64)> + use<> {
        let streams = *self;
        (0..draws.div_ceil(BLOCK)).map(move |number| streams.block(number, draws))
    }

    /// [`blocks`](Self::blocks) as a parallel iterator: the same streams and draws, on all threads
    /// of rayon's pool.
    ///
    /// The blocks are the same for any number of threads. So is a result computed from them, if
    /// combining them does not depend on the order: counts and collected blocks do not; the last
    /// digits of a `sum` of floats do.
    ///
    /// # Examples
    ///
    /// ```
    /// use parcourse::prelude::*;
    /// let heads =
    ///     |(mut rng, draws): (Stream, u64)| (0..draws).filter(|_| rng.random_bool(0.5)).count();
    /// let parallel: usize = streams(3).par_blocks(1_000_000).map(heads).sum();
    /// let serial: usize = streams(3).blocks(1_000_000).map(heads).sum();
    /// assert_eq!(parallel, serial);
    /// ```
    pub fn par_blocks(
        &self,
        draws: u64,
    ) -> impl IndexedParallelIterator<Item = (Stream, u64)> + use<> {
        let streams = *self;
        let blocks = usize::try_from(draws.div_ceil(BLOCK)).expect("fewer blocks than addresses");
        (0..blocks).into_par_iter().map(move |number| streams.block(number as u64, draws))
    }

    fn block(&self, number: u64, draws: u64) -> (Stream, u64) {
        (self.stream(number), BLOCK.min(draws - number * BLOCK))
    }
}

/// Output `place` (counted from 0) of the SplitMix64 generator that starts at `origin`.
fn split_mix(origin: u64, place: u64) -> u64 {
    /// 2⁶⁴ divided by the golden ratio, odd: adding it again and again visits every number once.
    const GAMMA: u64 = 0x9e3779b97f4a7c15;
    scramble(origin.wrapping_add(GAMMA.wrapping_mul(place.wrapping_add(1))))
}

/// SplitMix64's output function, a bijection (David Stafford's variant 13 of the finaliser of
/// MurmurHash3).
fn scramble(z: u64) -> u64 {
    let z = (z ^ (z >> 30)).wrapping_mul(0xbf58476d1ce4e5b9);
    let z = (z ^ (z >> 27)).wrapping_mul(0x94d049bb133111eb);
    z ^ (z >> 31)
}

/// A random number generator, one of a family; made by [`streams`].
///
/// The crate [`rand`] can do everything with it: `rng.random::<f64>()` (0 ≤ x < 1, 53 bits),
/// `rng.random_range(1..=6)`, `rng.random_bool(0.1)`, `rng.fill(&mut array[..])`. A clone continues
/// with the same numbers.
///
/// # Examples
///
/// ```
/// use parcourse::prelude::*;
/// let mut rng = streams(1).stream(0);
/// let mut same = streams(1).stream(0);
/// let dice: Vec<u32> = (0..10).map(|_| rng.random_range(1..=6)).collect();
/// assert!(dice.iter().all(|&die| die == same.random_range(1..=6)));
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct Stream {
    generator: Xoshiro256PlusPlus,
}

impl Stream {
    /// The generator in the given state; at least one word must be nonzero.
    fn from_state(state: [u64; 4]) -> Stream {
        let mut seed = [0; 32];
        seed.chunks_exact_mut(8)
            .zip(state)
            .for_each(|(bytes, word)| bytes.copy_from_slice(&word.to_le_bytes()));
        Stream { generator: Xoshiro256PlusPlus::from_seed(seed) }
    }
}

/// Implemented instead of [`rand::Rng`], which follows from it.
impl TryRng for Stream {
    type Error = Infallible;

    #[inline]
    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        self.generator.try_next_u32()
    }

    #[inline]
    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        self.generator.try_next_u64()
    }

    #[inline]
    fn try_fill_bytes(&mut self, destination: &mut [u8]) -> Result<(), Infallible> {
        self.generator.try_fill_bytes(destination)
    }
}

impl fmt::Debug for Stream {
    /// The state is of no use to readers.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Stream (xoshiro256++)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::{Rng, RngExt};
    use std::collections::HashSet;

    fn on_threads<R: Send>(threads: usize, f: impl FnOnce() -> R + Send) -> R {
        rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap().install(f)
    }

    /// First outputs of Vigna's `splitmix64.c` for the seed 1234567.
    #[test]
    fn split_mix_is_that_of_the_reference_implementation() {
        let numbers: [u64; 5] = std::array::from_fn(|place| split_mix(1234567, place as u64));
        let expected = [
            6457827717110365317,
            3203168211198807973,
            9817491932198370423,
            4593380528125082431,
            16408922859458223821,
        ];
        assert_eq!(numbers, expected);
    }

    /// Draws at the edges of blocks: one, two and three threads give the same, and so does the
    /// serial form.
    #[test]
    fn numbers_do_not_depend_on_the_number_of_threads() {
        let first = |(mut rng, draws): (Stream, u64)| (rng.next_u64(), draws);
        for draws in [0, 1, BLOCK - 1, BLOCK, BLOCK + 1, 10 * BLOCK] {
            let serial: Vec<(u64, u64)> = streams(42).blocks(draws).map(first).collect();
            assert_eq!(serial.iter().map(|block| block.1).sum::<u64>(), draws);
            assert!(serial.iter().all(|block| 1 <= block.1 && block.1 <= BLOCK));
            for threads in [1, 2, 3] {
                let parallel: Vec<(u64, u64)> =
                    on_threads(threads, || streams(42).par_blocks(draws).map(first).collect());
                assert_eq!(serial, parallel, "{draws} draws on {threads} threads");
                let tasks: Vec<u64> = on_threads(threads, || {
                    streams(42).par_iter(draws.min(50)).map(|mut rng| rng.next_u64()).collect()
                });
                assert_eq!(
                    tasks,
                    (0..draws.min(50))
                        .map(|number| streams(42).stream(number).next_u64())
                        .collect::<Vec<_>>()
                );
            }
        }
    }

    #[test]
    fn seeds_and_numbers_give_different_streams() {
        let seeds = [0, 1, 2, 42, u64::MAX];
        let numbers = (0..1000).chain([u64::MAX / 4]);
        let starts: Vec<u64> = numbers
            .flat_map(|number| seeds.map(|seed| streams(seed).stream(number).next_u64()))
            .collect();
        assert_eq!(starts.iter().collect::<HashSet<_>>().len(), starts.len());
    }

    /// Uniform numbers have mean 1/2 and variance 1/12; here over many streams, and over many
    /// numbers of one stream. The bounds are five standard deviations of the estimates, and the
    /// seed is fixed.
    #[test]
    fn mean_and_variance_are_those_of_uniform_numbers() {
        const N: u64 = 100_000;
        let across: Vec<f64> = (0..N).map(|number| streams(1).stream(number).random()).collect();
        let mut rng = streams(1).stream(0);
        let along: Vec<f64> = (0..N).map(|_| rng.random()).collect();
        for numbers in [across, along] {
            let n = N as f64;
            let mean = numbers.iter().sum::<f64>() / n;
            let variance = numbers.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / n;
            assert!((mean - 0.5).abs() < 5.0 * (1.0 / 12.0 / n).sqrt(), "mean {mean}");
            // The variance of the squared deviation is 1/80 - 1/144 = 1/180.
            assert!(
                (variance - 1.0 / 12.0).abs() < 5.0 * (1.0 / 180.0 / n).sqrt(),
                "variance {variance}"
            );
        }
    }

    /// Neighbouring streams, number by number: a correlation would be seen as a coefficient far
    /// from 0.
    #[test]
    fn neighbouring_streams_are_not_correlated() {
        const N: usize = 100_000;
        for (seed, number) in [(0, 0), (42, 1), (42, 1_000_000)] {
            let (mut left, mut right) =
                (streams(seed).stream(number), streams(seed).stream(number + 1));
            let sum: f64 =
                (0..N).map(|_| (left.random::<f64>() - 0.5) * (right.random::<f64>() - 0.5)).sum();
            let coefficient = 12.0 * sum / N as f64;
            assert!(coefficient.abs() < 5.0 / (N as f64).sqrt(), "coefficient {coefficient}");
        }
    }

    /// First outputs of the authors' C program for this state.
    #[test]
    fn numbers_are_those_of_the_reference_implementation() {
        let mut stream = Stream::from_state([1, 2, 3, 4]);
        let numbers: [u64; 4] = std::array::from_fn(|_| stream.next_u64());
        assert_eq!(numbers, [41943041, 58720359, 3588806011781223, 3591011842654386]);
    }
}
