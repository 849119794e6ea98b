//! Waiting for the clock.

use crate::base::thread_activity;
use std::time::Duration;

/// Waits without holding a thread: Python's `asyncio.sleep`.
///
/// The other one, [`sleep`](crate::interrupt::sleep), waits *with* its thread, Python's
/// `time.sleep`: in an `async fn` it stops everything that should go on meanwhile. tokio's clock
/// ticks every millisecond, so this waits up to a millisecond longer.
///
/// # Panics
///
/// Outside of a runtime, when it is awaited: there is no clock. In a cell, and inside of
/// [`block_on`](crate::waiting::block_on), there is.
///
/// # Examples
///
/// ```
/// use parcourse::prelude::*;
/// let start = Instant::now();
/// waiting::block_on(waiting::sleep(Duration::from_millis(20)));
/// assert!(start.elapsed() >= Duration::from_millis(20));
/// ```
pub async fn sleep(duration: Duration) {
    thread_activity::report();
    tokio::time::sleep(duration).await;
}
