// As in the notebook on computing π.
fn is_inside(rng: &mut Stream) -> bool {
    let (x, y): (f64, f64) = rng.random();
    x * x + y * y < 1.0
}

fn count_hits(rng: &mut Stream, samples: u64) -> u64 {
    (0..samples).filter(|_| is_inside(rng)).count() as u64
}

fn pi_parallel(samples: u64, seed: u64) -> f64 {
    let hits: u64 = streams(seed).par_blocks(samples).map(|(mut rng, draws)| count_hits(&mut rng, draws)).sum();
    4.0 * hits as f64 / samples as f64
}

fn measure_pi(size: usize, runs: usize, _threads: usize) {
    let (seconds, pi) = best(runs, || pi_parallel(size as u64, 42));
    emit("pi", "ours", seconds, Some(pi), None);
}
