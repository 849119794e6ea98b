//! `map`, serial and on a pool of threads, function first as in Python.
//!
//! | Python | Rust |
//! |---|---|
//! | `list(map(f, items))` | `map(f, &items)` |
//! | `with Pool(3) as pool: pool.map(f, items)` | `Pool::new(3).map(f, &items)` |
//! | `pool.starmap(pow, [(2, 5), (3, 2)])` | `pool.starmap(u64::pow, &[(2, 5), (3, 2)])` |
//! | `pool.imap(f, items)`, `pool.imap_unordered(f, items)` | the same, with a position beside each unordered result |
//! | `future = executor.submit(f)`, `future.result()` | `let future = pool.submit(f);`, `future.get()` |
//! | `numba.set_num_threads(2)` | `threads::with_num_threads(2, \|\| …)` |
//!
//! Unlike Python's threads, these compute at the same time: there is no global interpreter lock.
//! Unlike with Python's process pool, nothing is copied or pickled: all threads see the same
//! `items`, and whatever else the function borrows.
//!
//! A pool has a given number of threads, however many cores there are, and takes long tasks one by
//! one. Use it for tasks that *wait* (for a disk, a server, a clock), and to see what each thread
//! does. To combine results, or to change arrays in place, use rayon
//! (`items.par_iter().map(…).sum()`); [`with_num_threads`] limits the threads that it uses.
//!
//! To read the source, start with `pool.rs`; `map_run.rs` shares the items of a `map` between
//! threads, `imap.rs` those of an iterator.

mod functions;
mod imap;
mod map_run;
mod pool;

pub use functions::{map, with_num_threads};
pub use imap::{Imap, ImapUnordered};
pub use pool::Pool;
