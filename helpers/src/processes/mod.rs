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
//! time, see the same memory and cost a hundredth. Processes are for what threads cannot do: to
//! survive a crash, to be ended from outside, to call a library that allows one thread only, to
//! change something without anybody else seeing it. And for what comes next in the course, where
//! the other process is on another computer.
//!
//! Written for Linux, and for what other Unix systems have of it. How it works is told in
//! `README.md` beside the source of this module.

mod board;
mod by_fork;
mod chunk;
mod code;
mod crew;
mod desk;
mod events;
pub(crate) mod fork;
mod imap;
mod jobs;
mod kept;
mod lifeline;
mod memory_file;
mod memory_map;
mod output;
mod persistent;
mod pipe;
mod pool;
mod queue;
mod raw;
mod relay;
mod run;
mod shared;
mod shipped;
mod socket;
mod value;
mod wire;
mod worker;

pub use memory_map::{Page, Pages, page_map, pages};
pub use persistent::PersistentPool;
pub use pipe::{Disconnected, PipeEnd, pipe};
pub use pool::Pool;
pub use queue::Queue;
pub use shared::{
    Element, Error, Number, Plain, Poisoned, SharedArray, SharedCounter, SharedMutex,
    SharedMutexGuard,
};
