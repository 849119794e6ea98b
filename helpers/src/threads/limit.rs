//! How many threads rayon uses.

/// Has rayon use so many threads for everything that `f` does: `par_iter`, `par_azip!`, `join`.
/// numba's `set_num_threads`, for a while.
///
/// `f` runs on one of these threads. They start and end with the call, which takes about 40 µs per
/// thread.
///
/// # Panics
///
/// With 0 threads; when the threads cannot be started. A panic of `f` comes through.
///
/// # Examples
///
/// ```
/// use parcourse::prelude::*;
/// let numbers: Vec<f64> = (0..1000).map(f64::from).collect();
/// let (sum, threads) = threads::with_num_threads(3, || (numbers.par_iter().sum::<f64>(), rayon::current_num_threads()));
/// assert_eq!((sum, threads), (499_500.0, 3));
/// ```
#[track_caller]
pub fn with_num_threads<R: Send>(num_threads: usize, f: impl FnOnce() -> R + Send) -> R {
    let (mut f, mut result) = (Some(f), None);
    install(num_threads, &mut || result = f.take().map(|f| f()));
    result.expect("called once")
}

#[track_caller]
#[inline(never)]
fn install(num_threads: usize, f: &mut (dyn FnMut() + Send)) {
    assert!(num_threads > 0, "nothing can be done on no thread: with_num_threads(0, …)");
    match rayon::ThreadPoolBuilder::new()
        .num_threads(num_threads)
        .thread_name(|number| format!("rayon-{number}"))
        .build()
    {
        Ok(pool) => pool.install(f),
        Err(error) => panic!("failed to start {num_threads} threads: {error}"),
    }
}
