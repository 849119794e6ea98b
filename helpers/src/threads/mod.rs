//! `map`, serial and on a pool of threads, function first as in Python.
//!
//! | Python | Rust |
//! |---|---|
//! | `list(map(f, items))` | `map(f, &items)` |
//! | `with Pool(3) as pool: pool.map(f, items)` | `Pool::new(3).map(f, &items)` |
//!
//! Unlike Python's threads these compute at the same time: there is no global interpreter lock. Unlike Python's process pool nothing is
//! copied or pickled: all threads see the same `items`, and whatever else the function borrows.
//!
//! For work on many small items, or to combine results, use rayon (`items.par_iter().map(…).sum()`). A pool is for a given number of
//! threads and for tasks that *wait* (for a disk, a server, a clock): it starts that many threads, however many cores there are.

mod map;
mod pool;
pub(crate) mod quiet;
pub(crate) mod report;
pub(crate) mod seen;

pub use map::map;
pub use pool::Pool;
