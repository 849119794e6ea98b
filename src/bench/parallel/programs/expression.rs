fn measure_expression(size: usize, runs: usize, _threads: usize) {
    let peak = memory::Measurement::of_peak();
    let mut a = Array1::<f64>::zeros(size);
    a.as_slice_mut().unwrap().par_iter_mut().enumerate().for_each(|(i, a)| *a = (i + 1) as f64 * (100.0 / size as f64));
    let (seconds, total) = best(runs, || (lazy(&a).sin() * lazy(&a).ln() * lazy(&a).square()).sum());
    let peak_bytes = peak.stop().increment() * MIB as f64;
    emit("expression", "ours", seconds, Some(total), Some(peak_bytes));
}
