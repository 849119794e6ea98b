//! Functions that wait: Python's `asyncio`, with [tokio](crate::tokio).
//!
//! An `async fn` gives a *future*: a value that says what is to be done and does nothing yet.
//! `.await` does it, and where it has to wait (for a clock, a server, another task) the thread is
//! free to get on with other futures. So a thousand things can be waited for with one thread, where
//! a [`Pool`](crate::threads::Pool) would need a thousand threads.
//!
//! In a notebook `.await` works in every cell, outside of functions too, as in Python. In a
//! program, [`block_on`] is the way in.
//!
//! | Python | Rust |
//! |---|---|
//! | `async def f(x): …` | `async fn f(x: u32) -> u32 { … }` |
//! | `await asyncio.sleep(0.5)` | `waiting::sleep(Duration::from_millis(500)).await;` |
//! | `await asyncio.gather(*(f(x) for x in xs))` | `waiting::gather(xs.iter().map(\|&x\| f(x))).await` |
//! | `asyncio.create_task(f(x))` | `tokio::spawn(f(x))`: on any thread of the pool |
//! | `await asyncio.wait_for(f(x), 0.5)` | `tokio::time::timeout(Duration::from_millis(500), f(x)).await` |
//! | `await asyncio.to_thread(g, x)` | `tokio::task::spawn_blocking(move \|\| g(x)).await` |
//! | `asyncio.run(main())` | `waiting::block_on(main())` |
//!
//! [`time!`](crate::time!) and [`timed!`](crate::timed!) work around an `.await`.
//!
//! All of it runs on one [`runtime`]. An interrupt, on the Parcourse kernel, ends a wait at once:
//! see [`block_on`].
//!
//! ```
//! use parcourse::prelude::*;
//!
//! async fn answer(question: u32) -> u32 {
//!     waiting::sleep(Duration::from_millis(20)).await;
//!     question + 1
//! }
//!
//! waiting::block_on(async {
//!     let (answers, timing) = timed!(waiting::gather((0..100).map(answer)).await);
//!     assert_eq!(answers, Vec::from_iter(1..101));
//!     println!("{timing}"); // little more than 20 ms, and hardly any of it CPU time
//! });
//! ```

mod block_on;
mod gather;
mod interruptible;
mod open_files;
mod runtime;
mod sleep;
mod task;

pub use block_on::block_on;
#[doc(hidden)]
pub use block_on::run_cell;
pub use gather::gather;
pub use open_files::open_files;
pub use runtime::runtime;
pub use sleep::sleep;
pub use task::task;
