//! Helpers for parallel computing in Rust notebooks: what the cells of the course *Parcourse*
//! `use`.
//!
//! In a notebook, two lines bring everything in:
//!
//! ```text
//! :dep parcourse = { path = "../helpers" }
//! use parcourse::prelude::*;
//! ```
//!
//! | module | what you type | in Python |
//! |---|---|---|
//! | [`time`](mod@time) | `time!(f(x))`, `timeit!(f(x))`, `compare!{…}`, `scaling(1..=4, f)` | `%time`, `%timeit` |
//! | [`memory`](mod@memory) | `memit!(f(x))`, `memory_usage(\|\| f(x))` | `%memit`, `memory_profiler` |
//! | [`cores`] | `cores()` | `os.sched_getaffinity`, `psutil.cpu_count` |
//! | [`node`] | `node_info()` | `lscpu`, `platform` |
//! | [`threads`] | `map(f, &items)`, `Pool::new(3).map(f, &items)`, `pool.submit(f)` | `map`, `multiprocessing.Pool`, `concurrent.futures` |
//! | [`processes`] | `processes::Pool::new(3).map(f, &items)`, `PersistentPool::new(3)` | `multiprocessing`, `ProcessPoolExecutor` |
//! | [`asynchronous`] | `asynchronous::gather(futures).await`, `asynchronous::block_on(future)` | `asyncio` |
//! | [`graph`] | `Graph::new().task("chop", 15).after(["wash"])` | `dask.delayed`, `.visualize()` |
//! | [`display`] | `Html::new(…)`, `display(&x)`, `progress(&items)`, `Table::new()` | `IPython.display`, `tqdm`, `pandas` |
//! | [`plot`] | `plot::line(xs, ys)`, `Plot::new().line(…)` | `matplotlib` |
//! | [`profile`] | `#[line_profile]`, `profile::report()` | `%lprun`, `%prun` |
//! | [`check`](mod@check) | `check_eq!(f(x), 3)`, `check_fast!(…)`, `check_memory!(…)` | `numpy.testing`, nbgrader's tests |
//! | [`tasks`] | `tasks::record(\|\| f(x))`, `tasks::live(…)`, `tasks::task("row 3", \|\| …)` | the task stream of dask's dashboard |
//! | [`grid`] | `grid::tiles((rows, cols), (2, 2))`, `grid::tiles_mut(&mut image, (2, 2))` | `numpy.array_split`, chunks of `dask.array` |
//! | [`interrupt`] | `sleep(duration)`, `interrupt::check()` | `time.sleep`, `KeyboardInterrupt` |
//! | [`rayon`] | `items.par_iter()` | `numba.prange` |
//! | [`random`] | `streams(seed).stream(i)`, `streams(seed).par_blocks(n)` | `numpy.random.SeedSequence.spawn` |
//! | [`expr`] | `(lazy(&a).sin() * 2.0).sum()` | `numexpr`, `numba.vectorize` |
//! | [`ndarray`] | `Array2::zeros((3, 4))`, `&a + &b`, `a.sum_axis(Axis(0))` | `numpy` |
//!
//! [`guide`] has tables of equivalents if you come from NumPy, numba or dask.
//!
//! Everything here also works in an ordinary program: the crate prints to stdout what it would show
//! in a notebook, and never to stderr.
//!
//! The crate is built as a `dylib` as well as an `rlib`. Every notebook cell is a shared object of
//! its own; all of them link one `libparcourse.so`, so they share one set of statics: one rayon
//! pool, one interrupt flag.
#![deny(missing_docs)]

// Layers, lowest first. A module uses only those before it:
//   format, output, base, cgroup · cores, node · interrupt · display · plot ·
//   time, memory, profile, tasks · pool, threads, processes, asynchronous ·
//   check, random, expr, graph, grid, reproducible · prelude, guide.
pub mod asynchronous;
mod base;
mod cgroup;
pub mod check;
pub mod cores;
pub mod display;
pub mod expr;
mod format;
pub mod graph;
pub mod grid;
pub mod guide;
pub mod interrupt;
pub mod memory;
pub mod node;
mod output;
pub mod plot;
pub mod pool;
pub mod prelude;
pub mod processes;
pub mod profile;
pub mod random;
mod reproducible;
pub mod tasks;
pub mod threads;
pub mod time;

pub use ndarray;
pub use rand;
pub use rayon;
pub use reproducible::ReproducibleSum;
pub use serde;
pub use tokio;
