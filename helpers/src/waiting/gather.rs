//! Many futures at once.

use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Wake, Waker};

/// Waits for all futures at the same time and gives their results in the order of the futures:
/// Python's `asyncio.gather`.
///
/// They take turns on the thread that waits: while one of them waits, others go on. So they may
/// borrow, and need not be `Send`; but a future that computes holds up all the others.
/// (`tokio::spawn` puts a future on another thread, if it is `'static` and `Send`.) Only those
/// futures are looked at for which something has happened, so that a hundred thousand of them are
/// no problem: each costs its own size and about 100 bytes, and some 100 ns.
///
/// Dropping it, by a timeout or an interrupt, drops the futures that are not done. A panic in one
/// does so too, and is passed on.
///
/// # Examples
///
/// ```
/// use parcourse::prelude::*;
/// let words = ["computer", "thesis", "mom"];
///
/// async fn slow_length(word: &str) -> usize {
///     waiting::sleep(Duration::from_millis(word.len() as u64)).await;
///     word.len()
/// }
///
/// let lengths = waiting::block_on(waiting::gather(words.iter().map(|word| slow_length(word))));
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
            // SAFETY: members lie on the heap and are not moved as long as they wait; then they are
            // dropped where they are.
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

/// Which members of a group are to be looked at, whatever their types.
struct Group {
    len: usize,
    waiting: usize,
    /// `None` where they are so few that all are looked at whenever something has happened.
    bells: Option<Bells>,
}

struct Bells {
    each: Vec<Arc<Bell>>,
    awake: Arc<Awake>,
    /// Those that are being looked at.
    turn: Vec<usize>,
}

/// To look at so many futures costs less than to keep account of them.
const FEW: usize = 30;

/// Those for which something has happened, and who wants to know.
#[derive(Default)]
struct Awake(Mutex<(Vec<usize>, Option<Waker>)>);

/// What wakes one member.
struct Bell {
    index: usize,
    /// Whether it is among those that are awake.
    is_awake: AtomicBool,
    awake: Arc<Awake>,
}

impl Group {
    /// So many members, all of which are to be looked at.
    #[inline(never)]
    fn of(len: usize) -> Group {
        let bells = || {
            let awake = Arc::new(Awake(Mutex::new(((0..len).collect(), None))));
            let bell = |index| {
                Arc::new(Bell { index, is_awake: AtomicBool::new(true), awake: awake.clone() })
            };
            Bells { each: (0..len).map(bell).collect(), awake, turn: Vec::new() }
        };
        Group { len, waiting: len, bells: (len > FEW).then(bells) }
    }

    /// Looks at those for which something has happened; `poll` says whether one has become done.
    /// Ready when all are.
    #[inline(never)]
    fn poll(
        &mut self,
        context: &mut Context<'_>,
        poll: &mut dyn FnMut(usize, &mut Context<'_>) -> bool,
    ) -> Poll<()> {
        match &mut self.bells {
            None => self.waiting -= (0..self.len).filter(|&index| poll(index, context)).count(),
            Some(bells) => {
                bells.begin_turn(context.waker());
                for &index in &bells.turn {
                    let bell = &bells.each[index];
                    // Who has found it awake before this has written before this what it waits for.
                    bell.is_awake.swap(false, Ordering::AcqRel);
                    self.waiting -= usize::from(poll(
                        index,
                        &mut Context::from_waker(&Waker::from(bell.clone())),
                    ));
                }
            }
        }
        if self.waiting == 0 { Poll::Ready(()) } else { Poll::Pending }
    }
}

impl Bells {
    /// It is the turn of those for which something has happened. What happens from now on wakes us.
    fn begin_turn(&mut self, waker: &Waker) {
        self.turn.clear();
        let mut awake = self.awake.lock();
        awake.1 = Some(waker.clone());
        std::mem::swap(&mut self.turn, &mut awake.0);
    }
}

impl Awake {
    fn lock(&self) -> MutexGuard<'_, (Vec<usize>, Option<Waker>)> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Wake for Bell {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        if self.is_awake.swap(true, Ordering::AcqRel) {
            return;
        }
        let waker = {
            let mut awake = self.awake.lock();
            awake.0.push(self.index);
            awake.1.take()
        };
        waker.into_iter().for_each(Waker::wake);
    }
}
