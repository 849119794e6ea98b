//! What needs no pool: [`map`], the serial twin of [`Pool::map`](super::Pool::map), and
//! [`with_num_threads`], the number of threads that rayon uses.

use crate::interrupt;

/// Applies `f` to every item, one after the other, and returns the results in the same order:
/// Python's `list(map(f, items))`.
///
/// Costs what the loop costs. Can be interrupted between two items. For lazy evaluation use Rust's
/// own `items.iter().map(f)`.
///
/// # Examples
///
/// ```
/// use parcourse::prelude::*;
/// let words = ["computer", "thesis", "mom"];
/// assert_eq!(map(|word| word.len(), &words), [8, 6, 3]);
/// ```
pub fn map<'items, T, R>(mut f: impl FnMut(&'items T) -> R, items: &'items [T]) -> Vec<R> {
    interrupt::scope(|| {
        let step = |item| {
            interrupt::check();
            f(item)
        };
        items.iter().map(step).collect()
    })
}

/// Runs `f` with rayon limited to `num_threads` threads, for `par_iter`, `par_azip!` and `join`:
/// numba's `set_num_threads`, for one call.
///
/// `f` runs on one of these threads. They start and end with the call, which takes about 40 µs per
/// thread.
///
/// # Panics
///
/// With 0 threads; if the threads cannot be started. A panic of `f` is passed on.
///
/// # Examples
///
/// ```
/// use parcourse::prelude::*;
/// let numbers: Vec<f64> = (0..1000).map(f64::from).collect();
/// let sum = || (numbers.par_iter().sum::<f64>(), rayon::current_num_threads());
/// let (sum, threads) = threads::with_num_threads(3, sum);
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
    assert!(num_threads > 0, "nothing can run on 0 threads: with_num_threads(0, …)");
    match rayon::ThreadPoolBuilder::new()
        .num_threads(num_threads)
        .thread_name(|number| format!("rayon-{number}"))
        .build()
    {
        Ok(pool) => pool.install(f),
        Err(error) => panic!("failed to start {num_threads} threads: {error}"),
    }
}

#[cfg(test)]
mod tests {
    use super::map;

    #[test]
    fn results_are_in_order_and_may_borrow_from_the_items() {
        let words = vec!["  computer".to_string(), " mom ".to_string()];
        let trimmed: Vec<&str> = map(|word| word.trim(), &words);
        assert_eq!(trimmed, ["computer", "mom"]);
        assert_eq!(map(|x: &i32| x + 1, &[]), []);
    }

    #[test]
    fn function_may_have_state() {
        let mut sum = 0;
        let sums = map(
            |&x| {
                sum += x;
                sum
            },
            &[1, 2, 3],
        );
        assert_eq!(sums, [1, 3, 6]);
    }
}
