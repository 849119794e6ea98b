//! Items and a function for tests of pools.

/// A pseudo-random sequence (Knuth's linear congruential generator), the same in every run.
pub fn numbers(length: usize) -> Vec<u64> {
    let step =
        |x: &u64| Some(x.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407));
    std::iter::successors(Some(42), step).take(length).collect()
}

/// Takes longer for some items than for others.
pub fn collatz_steps(start: &u64) -> u32 {
    let mut x = start >> 20;
    let mut steps = 0;
    while x > 1 && steps < 10_000 {
        x = if x.is_multiple_of(2) { x / 2 } else { x.wrapping_mul(3).wrapping_add(1) };
        steps += 1;
    }
    steps
}
