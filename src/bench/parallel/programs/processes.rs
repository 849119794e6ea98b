use parcourse::processes;

fn increment(i: &u64) -> u64 {
    i + 1
}

fn total(results: Vec<u64>) -> Option<f64> {
    Some(results.iter().sum::<u64>() as f64)
}

fn measure_processes(size: usize, runs: usize, _threads: usize) {
    let (few, many): (Vec<u64>, Vec<u64>) = ((0..100).collect(), (0..size as u64).collect());
    let per_task = |(seconds, results): (f64, Vec<u64>)| (seconds / size as f64, total(results));

    // Forks for each map.
    let (seconds, results) = best(runs, || processes::Pool::new(4).map(increment, &few));
    emit("processes-start", "ours", seconds, total(results), None);
    let pool = processes::Pool::new(4);
    pool.map(increment, &few);
    let (seconds, results) = best(runs, || pool.map(increment, &few));
    emit("processes-second", "ours", seconds, total(results), None);
    let (seconds, sum) = per_task(best(runs, || pool.map(increment, &many)));
    emit("processes-task", "ours", seconds, sum, None);
    let pool = processes::Pool::new(4).chunk_size(1);
    let (seconds, sum) = per_task(best(runs, || pool.map(increment, &many)));
    emit("processes-single", "ours", seconds, sum, None);

    // Keeps its processes. Their end is not timed, as for the others.
    let start = || {
        let pool = processes::PersistentPool::new(4);
        let results = pool.map(increment, &few);
        (pool, results)
    };
    let (seconds, (pool, results)) = best(runs, start);
    emit("processes-start", "persistent", seconds, total(results), None);
    let (seconds, results) = best(runs, || pool.map(increment, &few));
    emit("processes-second", "persistent", seconds, total(results), None);
    let (seconds, sum) = per_task(best(runs, || pool.map(increment, &many)));
    emit("processes-task", "persistent", seconds, sum, None);
    let pool = processes::PersistentPool::new(4).chunk_size(1);
    pool.map(increment, &few);
    let (seconds, sum) = per_task(best(runs, || pool.map(increment, &many)));
    emit("processes-single", "persistent", seconds, sum, None);
}
