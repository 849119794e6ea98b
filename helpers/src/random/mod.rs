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
//!     (0..points).filter(|_| rng.random::<f64>().powi(2) + rng.random::<f64>().powi(2) < 1.0).count() as u64
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

mod streams;

pub use streams::{BLOCK, Stream, Streams, streams};
