//! Helpers for parallel computing in Rust notebooks: what the cells of the course *Parcourse* `use`.
//!
//! In a notebook, two lines bring everything in:
//!
//! ```text
//! :dep parcourse = { path = "../helpers" }
//! use parcourse::prelude::*;
//! ```
//!
//! | module | what you type | who did it in Python |
//! |---|---|---|
//! | [`time`](mod@time) | `time!(f(x))`, `timed!(f(x))` | `%time` |
//! | [`cores`] | `cores()` | `os.sched_getaffinity`, `psutil.cpu_count` |
//! | [`threads`] | `map(f, &items)`, `Pool::new(3).map(f, &items)` | `map`, `multiprocessing.Pool` |
//! | [`graph`] | `Graph::new().task("chop", 15).after(["wash"])` | `dask.delayed`, `.visualize()` |
//! | [`display`] | `Html::new(…)`, `display(&x)`, `progress(&items)`, `Table::new()` | `IPython.display`, `tqdm`, `pandas` |
//! | [`plot`] | `plot::line(xs, ys)`, `Plot::new().line(…)` | `matplotlib` |
//! | [`interrupt`] | `sleep(duration)`, `interrupt::check()` | `time.sleep`, `KeyboardInterrupt` |
//! | [`rayon`] | `items.par_iter()` | `numba.prange` |
//!
//! Everything here also works in an ordinary program: the crate prints to stdout what it would show in a notebook, and never to stderr.
//!
//! The crate is built as a `dylib` as well as an `rlib`. Every notebook cell is a shared object of its own; because all of them link
//! one `libparcourse.so`, they share one set of statics: one rayon pool, one interruption flag.
#![deny(missing_docs)]

pub mod cores;
pub mod display;
pub mod graph;
pub mod interrupt;
pub mod plot;
pub mod prelude;
pub mod threads;
pub mod time;

pub use rayon;
