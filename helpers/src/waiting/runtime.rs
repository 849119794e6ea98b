//! The one runtime.

use crate::cores::cores;
use std::sync::{Mutex, PoisonError};
use tokio::runtime::{Builder, Runtime};

/// The runtime, and the process it was made in.
static SHARED: Mutex<Option<(u32, &'static Runtime)>> = Mutex::new(None);

/// The runtime that [`block_on`](crate::waiting::block_on) uses, and every cell with an `.await` on
/// the Parcourse kernel: tokio's, with a thread for each usable core (see [`cores()`]) and a clock.
///
/// It is made when it is needed first, which takes less than a millisecond, and stays: what was
/// spawned in one cell goes on while the next one is written. The stock kernel has a runtime of its
/// own for cells, of the same kind.
///
/// # Panics
///
/// If the system refuses the threads.
///
/// # Examples
///
/// ```
/// use parcourse::prelude::*;
/// let task = waiting::runtime().spawn(async { 6 * 7 });
/// assert_eq!(waiting::block_on(task).unwrap(), 42);
/// assert_eq!(waiting::runtime().metrics().num_workers(), cores().usable);
/// ```
pub fn runtime() -> &'static Runtime {
    let mut shared = SHARED.lock().unwrap_or_else(PoisonError::into_inner);
    let this_process = std::process::id();
    match *shared {
        Some((process, runtime)) if process == this_process => runtime,
        // None yet; or, after a fork, one whose threads exist in the parent only, and which must
        // not be dropped: it would wait for them.
        _ => {
            let runtime = Builder::new_multi_thread()
                .worker_threads(cores().usable)
                .thread_name("tokio")
                .enable_all()
                .build();
            let runtime: &'static Runtime = Box::leak(Box::new(
                runtime.expect("failed to start the threads of the async runtime"),
            ));
            *shared = Some((this_process, runtime));
            runtime
        }
    }
}
