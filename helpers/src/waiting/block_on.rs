//! From ordinary code into async code.

use super::interruptible::{Interruption, until_interrupted};
use super::runtime::runtime;
use crate::interrupt;
use std::future::Future;
use tokio::runtime::{Handle, RuntimeFlavor};
use tokio::task::block_in_place;

/// Does what a future says, and waits for its result: Python's `asyncio.run`. For programs, and for functions that are not `async`.
///
/// The future itself runs on the calling thread, so it may borrow and need not be `Send`; what it spawns runs on the threads of the
/// [`runtime`]. Costs some microseconds.
///
/// Where a future is being waited for already (in a notebook: in every cell from the first `.await` on), this one is waited for inside of
/// it. The calling thread then does nothing else meanwhile, so in an `async fn` prefer `.await`.
///
/// # Panics
///
/// If the future panics; spawned tasks go on. Also inside a runtime of tokio's with only one thread, which would wait for itself.
///
/// On an interrupt (see [`interrupt`]) the future is dropped where it waits, and this unwinds like any interrupted operation. A future that
/// computes without ever waiting is not interrupted.
///
/// # Examples
///
/// ```
/// use parcourse::prelude::*;
/// let text = String::from("borrowed");
/// let length = waiting::block_on(async {
///     waiting::sleep(Duration::from_millis(1)).await;
///     text.len()
/// });
/// assert_eq!(length, 8);
/// ```
#[track_caller]
pub fn block_on<F: Future>(future: F) -> F::Output {
    match Handle::try_current() {
        Err(_) => drive(runtime().handle(), future),
        Ok(handle) if handle.runtime_flavor() == RuntimeFlavor::MultiThread => block_in_place(|| drive(&handle, future)),
        Ok(_) => panic!("block_on inside a runtime of one thread: that thread would wait for itself. Use `.await` here"),
    }
}

/// What the Parcourse kernel makes of a cell with an `.await`.
#[doc(hidden)]
pub fn run_cell<F: Future>(future: F) -> F::Output {
    drive(runtime().handle(), future)
}

fn drive<F: Future>(handle: &Handle, future: F) -> F::Output {
    let mut interruption = Interruption::default();
    let output = handle.block_on(until_interrupted(future, &mut interruption));
    // The future is gone by now, the scope in `interruption` still open.
    interrupt::check();
    output.expect("a future without a result was interrupted")
}
