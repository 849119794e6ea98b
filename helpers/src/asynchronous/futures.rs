//! Futures: many at once, one that waits for the clock, one that the task stream shows.

use crate::base::thread_activity;
use crate::tasks;
use std::fmt::Display;
use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

/// Waits without blocking the thread: Python's `asyncio.sleep`.
///
/// [`sleep`](crate::interrupt::sleep) of the prelude, Python's `time.sleep`, blocks its thread: in
/// an `async fn` it stops everything else that runs on it. Tokio's clock ticks every millisecond,
/// so this waits up to a millisecond longer.
///
/// # Panics
///
/// When awaited outside a runtime, because there is no clock. Cells and
/// [`block_on`](crate::asynchronous::block_on) have one.
///
/// # Examples
///
/// ```
/// use parcourse::prelude::*;
/// let start = Instant::now();
/// asynchronous::block_on(asynchronous::sleep(Duration::from_millis(20)));
/// assert!(start.elapsed() >= Duration::from_millis(20));
/// ```
pub async fn sleep(duration: Duration) {
    thread_activity::report();
    tokio::time::sleep(duration).await;
}

/// Runs a future as a task of this name in the task stream (see [`tasks`]): a bar for each time it
/// *ran*, in the row of the thread that ran it. The gaps are the time it waited.
///
/// # Examples
///
/// ```
/// use parcourse::prelude::*;
/// let answer = asynchronous::block_on(asynchronous::task("ask", async {
///     asynchronous::sleep(Duration::from_millis(5)).await;
///     42
/// }));
/// assert_eq!(answer, 42);
/// ```
pub async fn task<F: Future>(name: impl Display, future: F) -> F::Output {
    let mut future = pin!(future);
    poll_fn(|context| tasks::task(&name, || future.as_mut().poll(context))).await
}

/// Waits for all futures at the same time and returns their results in the order of the futures:
/// Python's `asyncio.gather`.
///
/// The futures take turns on the calling thread: while one waits, others run. So they may borrow
/// and need not be `Send`; but a future that computes delays all the others. (`tokio::spawn` puts a
/// future on another thread, if it is `'static` and `Send`.) Only futures that were woken are
/// polled, so a hundred thousand of them are no problem: each costs its own size, about 100 bytes
/// and about 100 ns.
///
/// Dropping it, by a timeout or an interrupt, drops the unfinished futures. So does a panic in one
/// of them, which is then passed on.
///
/// # Examples
///
/// ```
/// use parcourse::prelude::*;
/// let words = ["computer", "thesis", "mom"];
///
/// async fn slow_length(word: &str) -> usize {
///     asynchronous::sleep(Duration::from_millis(word.len() as u64)).await;
///     word.len()
/// }
///
/// let lengths = asynchronous::gather(words.iter().map(|word| slow_length(word)));
/// let lengths = asynchronous::block_on(lengths);
/// assert_eq!(lengths, [8, 6, 3]);
/// ```
pub async fn gather<I>(futures: I) -> Vec<<I::Item as Future>::Output>
where
    I: IntoIterator,
    I::Item: Future,
{
    let mut members: Box<[Member<I::Item>]> = futures.into_iter().map(Member::Waiting).collect();
    let mut group = Group::of(members.len());
    poll_fn(|context| {
        group.poll(context, &mut |index, context| {
            let Member::Waiting(future) = &mut members[index] else { return false };
            // SAFETY: members are on the heap and do not move while they wait; then they are
            // dropped in place.
            match unsafe { Pin::new_unchecked(future) }.poll(context) {
                Poll::Pending => false,
                Poll::Ready(output) => {
                    members[index] = Member::Done(output);
                    true
                }
            }
        })
    })
    .await;
    let output = |member| match member {
        Member::Done(output) => output,
        Member::Waiting(_) => unreachable!("all are done"),
    };
    members.into_iter().map(output).collect()
}

enum Member<F: Future> {
    Waiting(F),
    Done(F::Output),
}

/// Which members of a group to poll, independent of their types.
struct Group {
    len: usize,
    pending: usize,
    /// `None` for small groups, whose members are all polled at every wake-up.
    wakers: Option<MemberWakers>,
}

struct MemberWakers {
    wakers: Vec<Arc<MemberWaker>>,
    ready: Arc<ReadyList>,
    /// The members that are being polled.
    polled: Vec<usize>,
}

/// Up to this number of futures, polling all of them costs less than tracking which were woken.
const MAX_UNTRACKED: usize = 30;

/// The members that were woken, and the waker of the task that waits for the group.
#[derive(Default)]
struct ReadyList(Mutex<(Vec<usize>, Option<Waker>)>);

/// Wakes one member.
struct MemberWaker {
    index: usize,
    /// Whether the member is in the list.
    is_ready: AtomicBool,
    ready: Arc<ReadyList>,
}

impl Group {
    /// A group of `len` members, all of them to be polled.
    #[inline(never)]
    fn of(len: usize) -> Group {
        let tracked = || {
            let ready = Arc::new(ReadyList(Mutex::new(((0..len).collect(), None))));
            let waker = |index| {
                let (is_ready, ready) = (AtomicBool::new(true), ready.clone());
                Arc::new(MemberWaker { index, is_ready, ready })
            };
            MemberWakers { wakers: (0..len).map(waker).collect(), ready, polled: Vec::new() }
        };
        Group { len, pending: len, wakers: (len > MAX_UNTRACKED).then(tracked) }
    }

    /// Polls the members that were woken; `poll` returns whether one has completed. Ready when all
    /// have.
    #[inline(never)]
    fn poll(
        &mut self,
        context: &mut Context<'_>,
        poll: &mut dyn FnMut(usize, &mut Context<'_>) -> bool,
    ) -> Poll<()> {
        match &mut self.wakers {
            None => self.pending -= (0..self.len).filter(|&index| poll(index, context)).count(),
            Some(members) => {
                members.take_ready(context.waker());
                for &index in &members.polled {
                    let waker = &members.wakers[index];
                    // Acquire: whoever found the flag set had written its data before.
                    waker.is_ready.swap(false, Ordering::AcqRel);
                    self.pending -= usize::from(poll(
                        index,
                        &mut Context::from_waker(&Waker::from(waker.clone())),
                    ));
                }
            }
        }
        if self.pending == 0 { Poll::Ready(()) } else { Poll::Pending }
    }
}

impl MemberWakers {
    /// Takes the members that were woken. Wake-ups from now on wake the group's task.
    fn take_ready(&mut self, waker: &Waker) {
        self.polled.clear();
        let mut ready = self.ready.lock();
        ready.1 = Some(waker.clone());
        std::mem::swap(&mut self.polled, &mut ready.0);
    }
}

impl ReadyList {
    fn lock(&self) -> MutexGuard<'_, (Vec<usize>, Option<Waker>)> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Wake for MemberWaker {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        if self.is_ready.swap(true, Ordering::AcqRel) {
            return;
        }
        let waker = {
            let mut ready = self.ready.lock();
            ready.0.push(self.index);
            ready.1.take()
        };
        waker.into_iter().for_each(Waker::wake);
    }
}
