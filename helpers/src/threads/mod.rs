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
//! Unlike Python's threads these compute at the same time: there is no global interpreter lock.
//! Unlike Python's process pool nothing is copied or pickled: all threads see the same `items`, and
//! whatever else the function borrows.
//!
//! A pool has a given number of threads, however many cores there are, and takes long tasks one by
//! one: so it is for tasks that *wait* (for a disk, a server, a clock), and for seeing what each
//! thread does. To combine results, or to change arrays in place, use rayon
//! (`items.par_iter().map(…).sum()`); [`with_num_threads`] says how many threads that uses.

mod imap;
mod limit;
mod map;
mod pool;
mod run;

pub use imap::{Imap, ImapUnordered};
pub use limit::with_num_threads;
pub use map::map;
pub use pool::Pool;
