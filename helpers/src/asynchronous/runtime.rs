//! The async runtime, and the way from ordinary code into async code, which an interrupt ends.
//!
//! A thread that waits for a future sleeps until something wakes it, and a signal handler must not:
//! it may only set a flag. So, while a future waits, a thread checks the flag every 10 ms and wakes
//! the future when it is set. The future itself is not polled more often than without that.

use crate::cores::cores;
use crate::interrupt::{self, POLL_INTERVAL, Scope};
use crate::output::protocol;
use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Waker};
use std::thread::{self, JoinHandle};
use tokio::runtime::{Builder, Handle, Runtime, RuntimeFlavor};
use tokio::task::block_in_place;

/// The runtime, and the process that made it.
static SHARED: Mutex<Option<(u32, &'static Runtime)>> = Mutex::new(None);

/// The runtime that [`block_on`] uses, and every cell with an `.await` on the Parcourse kernel:
/// tokio's, with a thread for each usable core (see [`cores()`]) and a clock.
///
/// The first call makes it, in less than a millisecond, and it stays: what one cell spawns goes on
/// while you write the next one. The stock kernel has a runtime of the same kind for its cells.
///
/// # Panics
///
/// If the system refuses the threads.
///
/// # Examples
///
/// ```
/// use parcourse::prelude::*;
/// let task = asynchronous::runtime().spawn(async { 6 * 7 });
/// assert_eq!(asynchronous::block_on(task).unwrap(), 42);
/// assert_eq!(asynchronous::runtime().metrics().num_workers(), cores().usable);
/// ```
pub fn runtime() -> &'static Runtime {
    let mut shared = SHARED.lock().unwrap_or_else(PoisonError::into_inner);
    let this_process = std::process::id();
    match *shared {
        Some((process, runtime)) if process == this_process => runtime,
        // None yet; or, after a fork, one whose threads exist only in the parent. Dropping that one
        // would wait for them.
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

/// Runs a future and waits for its result: Python's `asyncio.run`. For programs, and for functions
/// that are not `async`.
///
/// The future runs on the calling thread, so it may borrow and need not be `Send`; what it spawns
/// runs on the threads of the [`runtime()`]. Costs a few microseconds.
///
/// If the calling thread already waits for a future (in a notebook: in every cell from the first
/// `.await` on), this one runs inside it. The calling thread then does nothing else meanwhile, so
/// prefer `.await` in an `async fn`.
///
/// # Panics
///
/// If the future panics; spawned tasks go on. Also inside a tokio runtime with only one thread,
/// which would wait for itself.
///
/// An interrupt (see [`interrupt`]) drops the future where it waits, and this unwinds like any
/// interrupted operation. A future that computes without ever waiting is not interrupted.
///
/// # Examples
///
/// ```
/// use parcourse::prelude::*;
/// let text = String::from("borrowed");
/// let length = asynchronous::block_on(async {
///     asynchronous::sleep(Duration::from_millis(1)).await;
///     text.len()
/// });
/// assert_eq!(length, 8);
/// ```
#[track_caller]
pub fn block_on<F: Future>(future: F) -> F::Output {
    let (mut running, mut watcher) = (pin!(Running::new(future)), None);
    drive_here(running.as_mut(), &mut watcher);
    running.output(watcher)
}

/// What the Parcourse kernel makes of a cell with an `.await`.
#[doc(hidden)]
pub fn run_cell<F: Future>(future: F) -> F::Output {
    let (mut running, mut watcher) = (pin!(Running::new(future)), None);
    drive(runtime().handle(), running.as_mut(), &mut watcher);
    running.output(watcher)
}

#[track_caller]
fn drive_here(future: Pin<&mut dyn Driven>, watcher: &mut Option<InterruptWatcher>) {
    match Handle::try_current() {
        Err(_) => drive(runtime().handle(), future, watcher),
        Ok(handle) if handle.runtime_flavor() == RuntimeFlavor::MultiThread => {
            block_in_place(|| drive(&handle, future, watcher))
        }
        Ok(_) => panic!(
            "block_on inside a runtime of one thread: that thread would wait for itself. Use \
             `.await` here"
        ),
    }
}

#[inline(never)]
fn drive(handle: &Handle, future: Pin<&mut dyn Driven>, watcher: &mut Option<InterruptWatcher>) {
    handle.block_on(until_interrupted(future, watcher));
}

/// A future of any type.
trait Driven {
    /// As [`Future::poll`].
    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()>;

    /// Drops the future.
    fn end(self: Pin<&mut Self>);
}

/// A future that keeps its result for the caller that knows its type.
struct Running<F: Future> {
    future: Option<F>,
    output: Option<F::Output>,
}

impl<F: Future> Running<F> {
    fn new(future: F) -> Running<F> {
        Running { future: Some(future), output: None }
    }

    /// The result. The future is gone by now, while the scope in `watcher` is still open.
    fn output(self: Pin<&mut Self>, watcher: Option<InterruptWatcher>) -> F::Output {
        interrupt::check();
        drop(watcher);
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
        // SAFETY: the future is dropped in place.
        unsafe { self.get_unchecked_mut() }.future = None;
    }
}

/// Waits until the future is done, or there is an interrupt, and drops it. The watcher is started
/// when the future waits for the first time: a future that never waits only computes, and a signal
/// does to it what it does to any computation.
async fn until_interrupted(future: Pin<&mut dyn Driven>, watcher: &mut Option<InterruptWatcher>) {
    /// Drops the future here, where it finds its runtime, after a panic too.
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
            let watcher = watcher.get_or_insert_with(InterruptWatcher::start);
            watcher.shared.set_waker(context.waker());
            // After the registration: an interrupt from now on wakes us.
            if interrupt::requested() {
                return Poll::Ready(());
            }
        }
        polled
    })
    .await
}

/// An open scope, and the thread that checks the flag. Without a kernel that interrupts, an open
/// scope and no thread.
struct InterruptWatcher {
    shared: Arc<Watched>,
    thread: Option<JoinHandle<()>>,
    // Dropped last: the thread needs the flag.
    _scope: Scope,
}

#[derive(Default)]
struct Watched {
    waker: Mutex<Option<Waker>>,
    is_over: AtomicBool,
}

impl Watched {
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

impl InterruptWatcher {
    fn start() -> InterruptWatcher {
        let scope = Scope::enter();
        let shared = Arc::new(Watched::default());
        let watched = shared.clone();
        let watch = move || {
            while !watched.is_over.load(Ordering::Acquire) {
                if interrupt::requested() {
                    watched.wake();
                }
                thread::park_timeout(POLL_INTERVAL);
            }
        };
        // If no thread can be started, waiting cannot be interrupted: better than not waiting.
        let thread = protocol::on_parcourse_kernel()
            .then(|| thread::Builder::new().name("interrupts".into()).spawn(watch).ok())
            .flatten();
        InterruptWatcher { shared, thread, _scope: scope }
    }
}

impl Drop for InterruptWatcher {
    fn drop(&mut self) {
        self.shared.is_over.store(true, Ordering::Release);
        if let Some(thread) = self.thread.take() {
            thread.thread().unpark();
            let _ = thread.join();
        }
    }
}

/// Raises the limit of open files as far as the system allows, and returns it.
///
/// Every connection is an open file for the system. By default, a program may have 1024 of them,
/// for historical reasons, and half a million when it asks: a thousand requests at once need more
/// than the default. Programs started from here inherit the limit. If the system does not report a
/// limit, this returns 256.
///
/// # Examples
///
/// ```
/// use parcourse::asynchronous;
/// let limit = asynchronous::raise_open_file_limit();
/// println!("{} connections with both ends in this process", limit / 2);
/// assert_eq!(asynchronous::raise_open_file_limit(), limit);
/// ```
pub fn raise_open_file_limit() -> usize {
    // Enough for everybody, and macOS refuses more: its hard limit is reported as infinite, but is
    // smaller.
    const ENOUGH: libc::rlim_t = 10_240;
    let mut limit = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: `limit` is valid for the answer.
    if unsafe { libc::getrlimit(libc::RLIMIT_NOFILE, &mut limit) } != 0 {
        return 256;
    }
    let before = limit.rlim_cur;
    limit.rlim_cur = before.max(ENOUGH.min(limit.rlim_max));
    // SAFETY: reads a valid limit, which is not above the hard one.
    let raised =
        limit.rlim_cur > before && unsafe { libc::setrlimit(libc::RLIMIT_NOFILE, &limit) } == 0;
    (if raised { limit.rlim_cur } else { before }).try_into().unwrap_or(usize::MAX)
}
