//! Cells that compare a helper with hand-written code.

/// One comparison: a cell that prints two durations in seconds, with the helper and by hand, per
/// [`Comparison::per`].
pub struct Comparison {
    pub name: &'static str,
    /// What the durations refer to.
    pub per: &'static str,
    pub source: &'static str,
}

/// Definitions for all comparisons. `body` takes about a microsecond.
pub const DEFINITIONS: &str = "
fn body(i: u64) -> u64 { (0..1000).fold(i | 1, |x, _| std::hint::black_box(x.wrapping_mul(6364136223846793005))) }
fn per<T>(count: usize, f: impl FnOnce() -> T) -> f64 {
    let started = Instant::now();
    std::hint::black_box(f());
    started.elapsed().as_secs_f64() / count as f64
}";

pub const COMPARISONS: [Comparison; 8] = [
    Comparison {
        name: "progress",
        per: "iteration of a loop of 1 µs",
        source: "{ let n = 200_000; let helper = per(n, || { let mut x = 0; for i in progress(0..n as u64) { x ^= body(i); } x });
            let hand = per(n, || { let mut x = 0; for i in 0..n as u64 { x ^= body(i); } x });
            println!(\"{helper} {hand}\"); }",
    },
    Comparison {
        name: "timed!",
        per: "measurement, compared with reading the clock twice",
        source: "{ let n = 20_000; let helper = per(n, || for i in 0..n { std::hint::black_box(timed!(i)); });
            let hand = per(n, || for i in 0..n { let started = Instant::now(); std::hint::black_box((i, started.elapsed())); });
            println!(\"{helper} {hand}\"); }",
    },
    Comparison {
        name: "timeit!",
        per: "call, as measured, compared with a loop",
        source: "{ let helper = timeit!(quiet, runs = 3, body(3)).best();
            let hand = (0..3).map(|_| per(100_000, || (0..100_000).fold(0, |x, _| x ^ body(std::hint::black_box(3))))).fold(1.0, f64::min);
            println!(\"{helper} {hand}\"); }",
    },
    Comparison {
        name: "memory_usage",
        per: "computation of 0.3 s, sampled",
        source: "{ let work = || (0..300_000u64).fold(0, |x, i| x ^ body(i));
            let helper = per(1, || memory_usage(work)); let hand = per(1, work);
            println!(\"{helper} {hand}\"); }",
    },
    Comparison {
        name: "Pool::map",
        per: "map over 300 items of 1 ms with new threads, compared with a rayon pool",
        source: "{ let items: Vec<u64> = (0..300).collect(); let work = |i: &u64| (0..1000).fold(*i, |x, j| x ^ body(j));
            let helper = per(1, || Pool::new(2).map(work, &items));
            let hand = per(1, || { let pool = rayon::ThreadPoolBuilder::new().num_threads(2).build().unwrap();
                pool.install(|| items.par_iter().map(work).collect::<Vec<u64>>()) });
            println!(\"{helper} {hand}\"); }",
    },
    Comparison {
        name: "tasks::task",
        per: "iteration of a loop of 1 µs, without recording",
        source:
            "{ let n = 200_000; let helper = per(n, || (0..n as u64).fold(0, |x, i| x ^ tasks::task(format_args!(\"{i}\"), || body(i))));
            let hand = per(n, || (0..n as u64).fold(0, |x, i| x ^ body(i)));
            println!(\"{helper} {hand}\"); }",
    },
    Comparison {
        name: "random stream",
        per: "number, compared with rand itself",
        source: "{ use rand::{RngExt as _, SeedableRng as _}; let n = 2_000_000; let mut stream = streams(1).stream(0);
            let helper = per(n, || (0..n).map(|_| stream.random::<f64>()).sum::<f64>());
            let mut plain = rand::rngs::SmallRng::seed_from_u64(1);
            let hand = per(n, || (0..n).map(|_| plain.random::<f64>()).sum::<f64>());
            println!(\"{helper} {hand}\"); }",
    },
    Comparison {
        name: "#[line_profile]",
        per: "line of a profiled function, compared with no profiling",
        source: "{ #[line_profile] fn watched(n: u64) -> u64 { let mut x = 0; for i in 0..n { x ^= body(i); } x }
            fn plain(n: u64) -> u64 { let mut x = 0; for i in 0..n { x ^= body(i); } x }
            let n = 100_000; let helper = per(n as usize, || watched(n)); let hand = per(n as usize, || plain(n));
            println!(\"{helper} {hand}\"); }",
    },
];
