/// About a microsecond.
fn item(i: u64) -> u64 {
    (0..1000).fold(i | 1, |x, _| std::hint::black_box(x.wrapping_mul(6364136223846793005)))
}

fn sum(results: Vec<u64>) -> f64 {
    results.into_iter().map(|result| (result >> 11) as f64).sum()
}

fn measure_pool(size: usize, runs: usize, threads: usize) {
    for (name, count) in [("few", size / 100), ("many", size)] {
        let items: Vec<u64> = (0..count as u64).collect();
        let runs = (runs * 100_000 / count).min(200);
        let pool = Pool::new(threads);
        let [ours, rayon] = in_turns(
            runs,
            || pool.map(|&i| item(i), &items),
            || items.par_iter().map(|&i| item(i)).collect::<Vec<u64>>(),
        );
        emit(&format!("map-{name}"), "ours", ours.0, Some(sum(ours.1)), None);
        emit(&format!("map-{name}"), "rayon", rayon.0, Some(sum(rayon.1)), None);
        let [ours, rayon] = in_turns(
            runs,
            || items.par_iter().map(|&i| item(i) as f64).reproducible_sum(),
            || items.par_iter().map(|&i| item(i) as f64).sum::<f64>(),
        );
        emit(&format!("sum-{name}"), "ours", ours.0, Some(ours.1), None);
        emit(&format!("sum-{name}"), "rayon", rayon.0, Some(rayon.1), None);
    }
}
