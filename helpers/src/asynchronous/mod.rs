//! Functions that wait: Python's `asyncio`, with [`tokio`].
//!
//! An `async fn` returns a *future*: a value that describes work and does nothing yet. `.await`
//! does the work, and while it waits (for a clock, a server, another task) the thread is free for
//! other futures. So one thread can wait for a thousand things, where a
//! [`Pool`](crate::threads::Pool) would need a thousand threads.
//!
//! In a notebook `.await` works in every cell, also outside functions, as in Python. In a program,
//! start with [`block_on`].
//!
//! | Python | Rust |
//! |---|---|
//! | `async def f(x): …` | `async fn f(x: u32) -> u32 { … }` |
//! | `await asyncio.sleep(0.5)` | `asynchronous::sleep(Duration::from_millis(500)).await;` |
//! | `await asyncio.gather(*(f(x) for x in xs))` | `asynchronous::gather(xs.iter().map(\|&x\| f(x))).await` |
//! | `asyncio.create_task(f(x))` | `tokio::spawn(f(x))`: on any thread of the pool |
//! | `await asyncio.wait_for(f(x), 0.5)` | `tokio::time::timeout(Duration::from_millis(500), f(x)).await` |
//! | `await asyncio.to_thread(g, x)` | `tokio::task::spawn_blocking(move \|\| g(x)).await` |
//! | `asyncio.run(main())` | `asynchronous::block_on(main())` |
//!
//! [`time!`](crate::time!) and [`timed!`](crate::timed!) work around an `.await`.
//!
//! Everything runs on one [`runtime()`]. On the Parcourse kernel, an interrupt ends a wait at once:
//! see [`block_on`].
//!
//! ```
//! use parcourse::prelude::*;
//!
//! async fn answer(question: u32) -> u32 {
//!     asynchronous::sleep(Duration::from_millis(20)).await;
//!     question + 1
//! }
//!
//! asynchronous::block_on(async {
//!     let (answers, timing) = timed!(asynchronous::gather((0..100).map(answer)).await);
//!     assert_eq!(answers, Vec::from_iter(1..101));
//!     println!("{timing}"); // little more than 20 ms, hardly any of it CPU time
//! });
//! ```
//!
//! To read the source, start with `runtime.rs`; `futures.rs` needs nothing from it.

mod futures;
mod runtime;

pub use futures::{gather, sleep, task};
#[doc(hidden)]
pub use runtime::run_cell;
pub use runtime::{block_on, raise_open_file_limit, runtime};
