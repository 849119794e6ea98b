//! Futures in the task stream.

use crate::tasks;
use std::fmt::Display;
use std::future::{Future, poll_fn};
use std::pin::pin;

/// Does a future as a task of this name in the task stream (see [`tasks`]): a bar for each time it
/// *ran*, in the row of the thread that ran it. The gaps are what it waited.
///
/// # Examples
///
/// ```
/// use parcourse::prelude::*;
/// let answer = waiting::block_on(waiting::task("ask", async {
///     waiting::sleep(Duration::from_millis(5)).await;
///     42
/// }));
/// assert_eq!(answer, 42);
/// ```
pub async fn task<F: Future>(name: impl Display, future: F) -> F::Output {
    let mut future = pin!(future);
    poll_fn(|context| tasks::task(&name, || future.as_mut().poll(context))).await
}
