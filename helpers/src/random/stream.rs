//! One generator.

use rand::rngs::Xoshiro256PlusPlus;
use rand::{SeedableRng, TryRng};
use std::convert::Infallible;
use std::fmt;

/// A random number generator, one of a family; made by [`streams`](super::streams).
///
/// Everything the crate [`rand`] does with generators can be done with it: `rng.random::<f64>()` (0
/// ≤ x < 1, 53 bits), `rng.random_range(1..=6)`, `rng.random_bool(0.1)`, `rng.fill(&mut
/// array[..])`. A clone goes on with the same numbers.
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
    /// The generator in the given state, of which not every word may be zero.
    pub(super) fn from_state(state: [u64; 4]) -> Stream {
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
    /// The state is of no use to anyone.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Stream (xoshiro256++)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::Rng;

    /// First outputs of the authors' C program for this state.
    #[test]
    fn numbers_are_those_of_the_reference_implementation() {
        let mut stream = Stream::from_state([1, 2, 3, 4]);
        let numbers: [u64; 4] = std::array::from_fn(|_| stream.next_u64());
        assert_eq!(numbers, [41943041, 58720359, 3588806011781223, 3591011842654386]);
    }
}
