//! From ordinary code into async code.

use super::interruptible::{Driven, Interruption, until_interrupted};
use super::runtime::runtime;
use crate::interrupt;
use std::future::Future;
use std::pin::{Pin, pin};
use std::task::{Context, Poll};
use tokio::runtime::{Handle, RuntimeFlavor};
use tokio::task::block_in_place;

/// Does what a future says, and waits for its result: Python's `asyncio.run`. For programs, and for
/// functions that are not `async`.
///
/// The future itself runs on the calling thread, so it may borrow and need not be `Send`; what it
/// spawns runs on the threads of the [`runtime`]. Costs some microseconds.
///
/// Where a future is being waited for already (in a notebook: in every cell from the first `.await`
/// on), this one is waited for inside of it. The calling thread then does nothing else meanwhile,
/// so in an `async fn` prefer `.await`.
///
/// # Panics
///
/// If the future panics; spawned tasks go on. Also inside a runtime of tokio's with only one
/// thread, which would wait for itself.
///
/// On an interrupt (see [`interrupt`]) the future is dropped where it waits, and this unwinds like
/// any interrupted operation. A future that computes without ever waiting is not interrupted.
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
    let (mut running, mut interruption) = (pin!(Running::new(future)), Interruption::default());
    drive_here(running.as_mut(), &mut interruption);
    running.output(interruption)
}

/// What the Parcourse kernel makes of a cell with an `.await`.
#[doc(hidden)]
pub fn run_cell<F: Future>(future: F) -> F::Output {
    let (mut running, mut interruption) = (pin!(Running::new(future)), Interruption::default());
    drive(runtime().handle(), running.as_mut(), &mut interruption);
    running.output(interruption)
}

#[track_caller]
fn drive_here(future: Pin<&mut dyn Driven>, interruption: &mut Interruption) {
    match Handle::try_current() {
        Err(_) => drive(runtime().handle(), future, interruption),
        Ok(handle) if handle.runtime_flavor() == RuntimeFlavor::MultiThread => {
            block_in_place(|| drive(&handle, future, interruption))
        }
        Ok(_) => panic!(
            "block_on inside a runtime of one thread: that thread would wait for itself. Use `.await` here"
        ),
    }
}

#[inline(never)]
fn drive(handle: &Handle, future: Pin<&mut dyn Driven>, interruption: &mut Interruption) {
    handle.block_on(until_interrupted(future, interruption));
}

/// A future that keeps its result for who knows its type.
struct Running<F: Future> {
    future: Option<F>,
    output: Option<F::Output>,
}

impl<F: Future> Running<F> {
    fn new(future: F) -> Running<F> {
        Running { future: Some(future), output: None }
    }

    /// The result. The future is gone by now, while the scope in `interruption` is still open.
    fn output(self: Pin<&mut Self>, interruption: Interruption) -> F::Output {
        interrupt::check();
        drop(interruption);
        // SAFETY: the result is not pinned, only the future is.
        unsafe { self.get_unchecked_mut() }
            .output
            .take()
            .expect("a future without a result was interrupted")
    }
}

impl<F: Future> Driven for Running<F> {
    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        // SAFETY: the future is pinned with `self`, and not moved; the result is not pinned.
        let Running { future, output } = unsafe { self.get_unchecked_mut() };
        let Some(future) = future else { return Poll::Ready(()) };
        // SAFETY: as above.
        unsafe { Pin::new_unchecked(future) }.poll(context).map(|value| *output = Some(value))
    }

    fn end(self: Pin<&mut Self>) {
        // SAFETY: the future is dropped where it is.
        unsafe { self.get_unchecked_mut() }.future = None;
    }
}
