//! Pools of processes, with the interface of the pools of [`threads`](crate::threads).
//!
//! | Python | Rust |
//! |---|---|
//! | `with multiprocessing.Pool(4) as pool: pool.map(f, items)` | `processes::Pool::new(4).map(f, &items)` |
//! | `pool.starmap(pow, [(2, 5), (3, 2)])` | `pool.starmap(u64::pow, &[(2, 5), (3, 2)])` |
//! | `pool.imap(f, items)`, `pool.imap_unordered(f, items)` | `pool.imap(f, items)`, `pool.imap_unordered(f, items)` |
//! | `pool.apply_async(f).get(timeout=1)` | `pool.submit(f).get_timeout(Duration::from_secs(1))` |
//! | `ProcessPoolExecutor(4)`, joblib's `loky` | `PersistentPool::new(4)` |
//! | `multiprocessing.Array`, `Value`, `Lock`, `SharedMemory` | [`SharedArray`], [`SharedCounter`], [`SharedMutex`] |
//! | `multiprocessing.Queue`, `Pipe` | [`Queue`], [`pipe`](fn@pipe) |
//!
//! Python needs processes to compute on several cores. Rust does not: threads compute at the same
//! time, see the same memory and cost a hundredth. Use processes for what threads cannot do:
//! survive a crash, be ended from outside, call a library that allows only one thread, change
//! something without affecting others. And for what comes next in the course, where the other
//! process is on another computer.
//!
//! Written for Linux; on other Unix systems some features are missing.
//!
//! To read the source, start with `README.md` beside it, then `fork`; `shared` and `transport`
//! carry data, `worker` is one process that computes, `pool` uses many.

pub(crate) mod fork;
mod lifeline;
mod pool;
mod shared;
mod transport;
mod worker;

pub use pool::{PersistentPool, Pool};
pub use shared::{
    Element, Error, Number, Page, Pages, Plain, Poisoned, SharedArray, SharedCounter, SharedMutex,
    SharedMutexGuard, page_map, pages,
};
pub use transport::{Disconnected, PipeEnd, Queue, pipe};
