//! A future that an interrupt ends.
//!
//! A thread that waits for a future sleeps until somebody wakes it, and a signal handler must not:
//! it may only set a flag. So, for as long as a future waits, a thread looks at the flag every 10
//! ms and wakes the future when it is set. The future itself is not polled more often than without
//! that.

use crate::interrupt::{self, Scope};
use crate::output::protocol;
use std::future::poll_fn;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Waker};
use std::thread::{self, JoinHandle};
use std::time::Duration;

/// How soon an interrupt is noticed.
const STEP: Duration = Duration::from_millis(10);

/// What is needed for being interrupted, from the first time on that a future has to wait. A future
/// that never waits is no business of ours: it computes, and the signal does to it what it does to
/// any computation.
#[derive(Default)]
pub(super) struct Interruption(Option<Watch>);

/// A future of any type.
pub(super) trait Driven {
    /// As [`Future::poll`].
    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()>;

    /// Drops the future.
    fn end(self: Pin<&mut Self>);
}

/// Waits until the future is done, or there is an interrupt, and drops it.
pub(super) async fn until_interrupted(
    future: Pin<&mut dyn Driven>,
    interruption: &mut Interruption,
) {
    /// Also after a panic, the future is dropped here, where it finds its runtime.
    struct Ended<'a>(Pin<&'a mut dyn Driven>);
    impl Drop for Ended<'_> {
        fn drop(&mut self) {
            self.0.as_mut().end();
        }
    }
    let mut future = Ended(future);
    poll_fn(|context| {
        let polled = future.0.as_mut().poll(context);
        if polled.is_pending() {
            let watch = interruption.0.get_or_insert_with(Watch::start);
            watch.shared.set_waker(context.waker());
            // After the registration: an interrupt from now on wakes us.
            if interrupt::requested() {
                return Poll::Ready(());
            }
        }
        polled
    })
    .await
}

/// An open scope, and the thread that looks at the flag. Without a kernel that interrupts, an open
/// scope and no thread.
struct Watch {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
    // Dropped last: the thread needs the flag.
    _scope: Scope,
}

#[derive(Default)]
struct Shared {
    waker: Mutex<Option<Waker>>,
    over: AtomicBool,
}

impl Shared {
    fn set_waker(&self, waker: &Waker) {
        let mut known = self.waker.lock().unwrap_or_else(PoisonError::into_inner);
        if !known.as_ref().is_some_and(|known| known.will_wake(waker)) {
            *known = Some(waker.clone());
        }
    }

    fn wake(&self) {
        let waker = self.waker.lock().unwrap_or_else(PoisonError::into_inner).take();
        waker.into_iter().for_each(Waker::wake);
    }
}

impl Watch {
    fn start() -> Watch {
        let scope = Scope::enter();
        let shared = Arc::new(Shared::default());
        let watched = shared.clone();
        let look = move || {
            while !watched.over.load(Ordering::Acquire) {
                if interrupt::requested() {
                    watched.wake();
                }
                thread::park_timeout(STEP);
            }
        };
        // Where no thread can be had, waiting cannot be interrupted: better than not waiting.
        let thread = protocol::on_our_kernel()
            .then(|| thread::Builder::new().name("interrupts".into()).spawn(look).ok())
            .flatten();
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
