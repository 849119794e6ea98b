//! A queue that several processes write to and read from.

use super::socket::{Message, Readiness, Received, Sent, Socket, retry};
use crate::processes::shared::{SharedArray, SharedMutex, SharedMutexGuard};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;
use std::time::Duration;

/// A queue between processes: Python's `multiprocessing.Queue`.
///
/// Any number of processes (and threads) put values in and take them out, each value once, first
/// in, first out. Processes that are forked after the queue was made have it; a clone is another
/// handle to the same queue. Serde encodes the values, so the receiver gets a copy of a large
/// vector: a value of one number takes a few microseconds; for larger ones see the notebook about
/// processes.
///
/// A process that is killed while it puts or takes leaves the queue as it was before or after;
/// values that it had taken out are lost.
///
/// # Examples
///
/// ```
/// use parcourse::prelude::*;
/// use parcourse::processes::{self, Queue};
/// let numbers = Queue::new();
/// processes::Pool::new(2).map(|&number| numbers.put(number * number), &[1, 2, 3]);
/// let mut squares: Vec<i32> = (0..3).map(|_| numbers.get()).collect();
/// squares.sort();
/// assert_eq!(squares, [1, 4, 9]);
/// ```
pub struct Queue<T> {
    sockets: Arc<Sockets>,
    values: PhantomData<fn(T) -> T>,
}

struct Sockets {
    sender: Socket,
    receiver: Socket,
    bound: Option<Bound>,
}

/// The limit for the number of values in a queue.
struct Bound {
    capacity: u32,
    /// The number of values. A process that puts or takes holds the lock meanwhile, for about as
    /// long as the system call takes.
    count: SharedMutex<u32>,
    /// Counts the values taken out; a process that waits for room sleeps on it.
    taken: SharedArray<u32>,
    /// Whether the queue is closed: nothing may wait for room any more.
    closed: SharedArray<bool>,
}

impl<T: Serialize + DeserializeOwned + 'static> Queue<T> {
    /// An empty queue that holds as much as the system allows: about 200 KiB, or 200 small values.
    /// Then [`put`](Self::put) waits.
    ///
    /// Values above 32 KiB do not count; use `bounded` to limit their number.
    ///
    /// # Panics
    ///
    /// If no file descriptors are left; a queue takes two.
    #[track_caller]
    #[expect(clippy::new_without_default, reason = "a queue that nobody else has is of no use")]
    pub fn new() -> Queue<T> {
        Queue::with(None)
    }

    /// An empty queue that holds at most `capacity` values, or less if the system allows less:
    /// Python's `Queue(maxsize)`.
    ///
    /// # Panics
    ///
    /// If `capacity` is 0, or no file descriptors are left.
    #[track_caller]
    pub fn bounded(capacity: usize) -> Queue<T> {
        assert!(capacity > 0, "a queue needs room for one value at least: Queue::bounded(0)");
        let capacity = u32::try_from(capacity).unwrap_or(u32::MAX);
        Queue::with(Some(Bound {
            capacity,
            count: SharedMutex::new(0),
            taken: SharedArray::zeros(1),
            closed: SharedArray::zeros(1),
        }))
    }

    #[track_caller]
    fn with(bound: Option<Bound>) -> Queue<T> {
        match Socket::pair() {
            Ok((sender, receiver)) => Queue {
                sockets: Arc::new(Sockets { sender, receiver, bound }),
                values: PhantomData,
            },
            Err(error) => panic!("failed to make a queue: {error}"),
        }
    }

    /// Puts a value in, and waits for room if the queue is full.
    ///
    /// # Panics
    ///
    /// If the queue is closed, or the value cannot be sent (for instance a map whose length serde
    /// does not know). Unwinds when interrupted (see [`interrupt`](crate::interrupt)).
    #[track_caller]
    pub fn put(&self, value: T) {
        let message = match Message::new(&value) {
            Ok(message) => message,
            Err(error) => panic!("failed to put a value into a queue: {error}"),
        };
        match self.sockets.put(&message) {
            Ok(Sent::Done | Sent::Full) => {}
            Ok(Sent::Closed) => panic!("failed to put a value into a queue: it is closed"),
            Err(error) => panic!("failed to put a value into a queue: {error}"),
        }
    }

    /// Takes the oldest value, and waits for one if the queue is empty.
    ///
    /// # Panics
    ///
    /// If the queue is closed and empty. Unwinds when interrupted (see
    /// [`interrupt`](crate::interrupt)).
    #[track_caller]
    pub fn get(&self) -> T {
        match self.take(None) {
            Some(Some(value)) => value,
            _ => panic!("failed to get a value from a queue: it is closed and empty"),
        }
    }

    /// Takes a value, and waits for one at most for `timeout`. Returns `None` if none has arrived,
    /// or if the queue is closed.
    ///
    /// # Panics
    ///
    /// Unwinds when interrupted (see [`interrupt`](crate::interrupt)).
    #[track_caller]
    pub fn get_timeout(&self, timeout: Duration) -> Option<T> {
        self.take(Some(timeout)).flatten()
    }

    /// Takes a value if there is one.
    #[track_caller]
    pub fn try_get(&self) -> Option<T> {
        self.get_timeout(Duration::ZERO)
    }

    /// Iterates over values as they arrive, until the queue is closed and empty.
    ///
    /// # Examples
    ///
    /// ```
    /// use parcourse::processes::Queue;
    /// let queue = Queue::new();
    /// queue.put("a".to_string());
    /// queue.put("b".to_string());
    /// queue.close();
    /// assert_eq!(queue.iter().collect::<Vec<_>>(), ["a", "b"]);
    /// ```
    pub fn iter(&self) -> impl Iterator<Item = T> + '_ {
        std::iter::from_fn(|| self.take(None).flatten())
    }

    /// Closes the queue: no process can put anything in any more. What is in the queue can still be
    /// taken out.
    pub fn close(&self) {
        self.sockets.sender.close_for_sending();
        if let Some(bound) = &self.sockets.bound {
            bound.closed.set(0, true);
            bound.wake();
        }
    }

    /// Whether the queue is empty right now.
    pub fn is_empty(&self) -> bool {
        self.sockets.receiver.is_empty()
    }

    /// `None`: timeout; `Some(None)`: closed and empty.
    #[track_caller]
    fn take(&self, timeout: Option<Duration>) -> Option<Option<T>> {
        match self.sockets.take(timeout)? {
            Err(error) => panic!("failed to get a value from a queue: {error}"),
            Ok(None) => Some(None),
            Ok(Some(message)) => match message.open() {
                Ok(value) => Some(Some(value)),
                Err(error) => panic!("failed to get a value from a queue: {error}"),
            },
        }
    }
}

impl Sockets {
    fn put(&self, message: &Message) -> std::io::Result<Sent> {
        let attempt = || match &self.bound {
            None => not_full(self.sender.try_send(message)),
            Some(bound) if bound.closed.get(0) => Some(Ok(Sent::Closed)),
            Some(bound) => {
                let mut count = bound.lock();
                // If a process was killed in between, the count may be wrong; an empty queue
                // corrects it.
                if self.receiver.is_empty() {
                    *count = 0;
                }
                let sent = (*count < bound.capacity)
                    .then(|| not_full(self.sender.try_send(message)))??;
                *count += u32::from(matches!(sent, Ok(Sent::Done)));
                Some(sent)
            }
        };
        let seen = || self.bound.as_ref().map(|bound| bound.taken.get(0));
        let before = std::cell::Cell::new(seen());
        let attempt = || {
            // Read before the attempt: what is taken after it ends the wait at once.
            before.set(seen());
            attempt()
        };
        let wait = |time: Duration| match (&self.bound, before.get()) {
            (Some(bound), Some(seen)) => bound.wait(seen, time),
            _ => self.sender.wait(Readiness::Writable, time),
        };
        retry(None, attempt, wait).expect("there is no time limit")
    }

    /// `None`: timeout; `Some(Ok(None))`: closed and empty.
    fn take(&self, timeout: Option<Duration>) -> Option<std::io::Result<Option<Message>>> {
        let attempt = || match &self.bound {
            None => arrived(self.receiver.try_receive()),
            Some(bound) => {
                let mut count = bound.lock();
                let received = arrived(self.receiver.try_receive())?;
                *count = count.saturating_sub(1);
                drop(count);
                bound.wake();
                Some(received)
            }
        };
        retry(timeout, attempt, |time| self.receiver.wait(Readiness::Readable, time))
    }
}

/// `None`: try again.
fn not_full(sent: std::io::Result<Sent>) -> Option<std::io::Result<Sent>> {
    if matches!(sent, Ok(Sent::Full)) { None } else { Some(sent) }
}

/// `None`: try again.
fn arrived(received: std::io::Result<Received>) -> Option<std::io::Result<Option<Message>>> {
    match received {
        Ok(Received::Nothing) => None,
        Ok(Received::Closed) => Some(Ok(None)),
        Ok(Received::Message(message)) => Some(Ok(Some(message))),
        Err(error) => Some(Err(error)),
    }
}

impl Bound {
    /// A count left by a process that died is right or one too high.
    fn lock(&self) -> SharedMutexGuard<'_, u32> {
        self.count.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }

    /// Waits until a value is taken out, at most for `time`, unless one was taken out since `seen`.
    #[cfg(target_os = "linux")]
    fn wait(&self, seen: u32, time: Duration) {
        let time =
            libc::timespec { tv_sec: time.as_secs() as _, tv_nsec: time.subsec_nanos() as _ };
        // SAFETY: the word is aligned and lives until after the call, as does the time.
        unsafe {
            libc::syscall(libc::SYS_futex, self.taken.as_ptr(), libc::FUTEX_WAIT, seen, &time)
        };
    }

    #[cfg(not(target_os = "linux"))]
    fn wait(&self, _seen: u32, time: Duration) {
        std::thread::sleep(time.min(Duration::from_millis(1)));
    }

    /// Wakes a process that waits for room.
    fn wake(&self) {
        self.taken.add(0, 1);
        #[cfg(target_os = "linux")]
        // SAFETY: the word is aligned and lives until after the call.
        unsafe {
            libc::syscall(libc::SYS_futex, self.taken.as_ptr(), libc::FUTEX_WAKE, 1)
        };
    }
}

/// Another handle to the same queue.
impl<T> Clone for Queue<T> {
    fn clone(&self) -> Queue<T> {
        Queue { sockets: self.sockets.clone(), values: PhantomData }
    }
}

impl<T> fmt::Debug for Queue<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Queue")
            .field("is_empty", &self.sockets.receiver.is_empty())
            .finish_non_exhaustive()
    }
}
