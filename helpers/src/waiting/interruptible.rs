//! A future that an interrupt ends.
//!
//! A thread that waits for a future sleeps until somebody wakes it, and a signal handler must not: it may only set a flag. So, for as long as
//! a future waits, a thread looks at the flag every 10 ms and wakes the future when it is set. The future itself is not polled more often
//! than without that.

use crate::display::protocol;
use crate::interrupt::{self, Scope};
use futures_util::task::AtomicWaker;
use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::Poll;
use std::thread::{self, JoinHandle};
use std::time::Duration;

/// How soon an interrupt is noticed.
const STEP: Duration = Duration::from_millis(10);

/// What is needed for being interrupted, from the first time on that a future has to wait. A future that never waits is no business of ours:
/// it computes, and the signal does to it what it does to any computation.
#[derive(Default)]
pub(super) struct Interruption(Option<Watch>);

/// The future's result; `None` when it was interrupted. In either case the future has been dropped.
pub(super) async fn until_interrupted<F: Future>(future: F, interruption: &mut Interruption) -> Option<F::Output> {
    let mut future = pin!(future);
    poll_fn(|context| {
        let polled = future.as_mut().poll(context);
        if polled.is_pending() {
            let watch = interruption.0.get_or_insert_with(Watch::start);
            watch.shared.waker.register(context.waker());
            // After the registration: an interrupt from now on wakes us.
            if interrupt::requested() {
                return Poll::Ready(None);
            }
        }
        polled.map(Some)
    })
    .await
}

/// An open scope, and the thread that looks at the flag. Without a kernel that interrupts, an open scope and no thread.
struct Watch {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
    // Dropped last: the thread needs the flag.
    _scope: Scope,
}

#[derive(Default)]
struct Shared {
    waker: AtomicWaker,
    over: AtomicBool,
}

impl Watch {
    fn start() -> Watch {
        let scope = Scope::enter();
        let shared = Arc::new(Shared::default());
        let watched = shared.clone();
        let look = move || {
            while !watched.over.load(Ordering::Acquire) {
                if interrupt::requested() {
                    watched.waker.wake();
                }
                thread::park_timeout(STEP);
            }
        };
        // Where no thread can be had, waiting cannot be interrupted: better than not waiting.
        let thread = protocol::on_our_kernel().then(|| thread::Builder::new().name("interrupts".into()).spawn(look).ok()).flatten();
        Watch { shared, thread, _scope: scope }
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.shared.over.store(true, Ordering::Release);
        if let Some(thread) = self.thread.take() {
            thread.thread().unpark();
            let _ = thread.join();
        }
    }
}
