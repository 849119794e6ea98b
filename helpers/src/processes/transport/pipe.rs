//! Two connected ends, for two processes.

use super::socket::{Message, Readiness, Received, Sent, Socket, retry};
use crate::processes::shared::SharedArray;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::marker::PhantomData;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use std::{error, fmt};

/// Two connected ends: what is sent from one is received at the other. Python's
/// `multiprocessing.Pipe`.
///
/// One end is for a process that is forked later, the other one stays; both can send and receive.
/// Takes two file descriptors.
///
/// # Panics
///
/// If no file descriptors are left.
///
/// # Examples
///
/// ```
/// use parcourse::processes::{self, pipe};
/// let (parent, child) = pipe();
/// let answer = processes::Pool::new(1).submit(move || {
///     let question: f64 = child.recv().unwrap();
///     child.send(question.sqrt()).unwrap();
/// });
/// parent.send(2.0)?;
/// assert_eq!(parent.recv()?, 2f64.sqrt());
/// answer.get();
/// assert!(parent.recv().is_err(), "the child has ended");
/// # Ok::<(), parcourse::processes::Disconnected>(())
/// ```
#[track_caller]
pub fn pipe<T: Serialize + DeserializeOwned + 'static>() -> (PipeEnd<T>, PipeEnd<T>) {
    let ends = match Socket::pair() {
        Ok((first, second)) => {
            [Mutex::new(Some(Arc::new(first))), Mutex::new(Some(Arc::new(second)))]
        }
        Err(error) => panic!("failed to make a pipe: {error}"),
    };
    let pair = Arc::new(Pair { ends, users: SharedArray::zeros(2), maker: std::process::id() });
    let end = |side| PipeEnd { pair: pair.clone(), side, values: PhantomData };
    (end(0), end(1))
}

/// One end of a [`pipe`].
///
/// It belongs to the process that uses it. A forked process has copies of both ends, and so has its
/// parent. Unused copies are closed: in the child as soon as it uses the other end, in the parent
/// as soon as it notices that the child uses one. So when a process ends, its end is closed, and
/// the other side gets [`Disconnected`]. (If a child dies before it has used its end, the parent
/// notices if it has dropped its copy, as a closure with `move` does.)
pub struct PipeEnd<T> {
    pair: Arc<Pair>,
    side: usize,
    values: PhantomData<fn(T) -> T>,
}

struct Pair {
    /// `None`: closed in this process.
    ends: [Mutex<Option<Arc<Socket>>>; 2],
    /// The process that used each end last; 0 before the first use.
    users: SharedArray<u32>,
    /// The process that has made the pipe.
    maker: u32,
}

/// The other end of a pipe is gone: dropped, or its process has ended. Or this end belongs to
/// another process.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Disconnected;

impl fmt::Display for Disconnected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the other end of the pipe is gone")
    }
}

impl error::Error for Disconnected {}

impl<T: Serialize + DeserializeOwned + 'static> PipeEnd<T> {
    /// Sends a value to the other end. Waits if too much was sent that the other end has not
    /// received: about 200 KiB, or 200 values.
    ///
    /// # Errors
    ///
    /// If the other end is gone.
    ///
    /// # Panics
    ///
    /// If the value cannot be sent (for instance a map whose length serde does not know). Unwinds
    /// when interrupted (see [`interrupt`](crate::interrupt)).
    #[track_caller]
    pub fn send(&self, value: T) -> Result<(), Disconnected> {
        let message = match Message::new(&value) {
            Ok(message) => message,
            Err(error) => panic!("failed to send a value: {error}"),
        };
        let socket = self.socket()?;
        let attempt = || match socket.try_send(&message) {
            Ok(Sent::Full) => {
                self.close_copies();
                None
            }
            sent => Some(sent),
        };
        match retry(None, attempt, |time| socket.wait(Readiness::Writable, time))
            .expect("there is no time limit")
        {
            Ok(Sent::Closed) => Err(Disconnected),
            Ok(_) => Ok(()),
            Err(error) => panic!("failed to send a value: {error}"),
        }
    }

    /// Waits for a value from the other end.
    ///
    /// # Errors
    ///
    /// If the other end is gone, and everything that it has sent was received.
    ///
    /// # Panics
    ///
    /// Unwinds when interrupted (see [`interrupt`](crate::interrupt)).
    #[track_caller]
    pub fn recv(&self) -> Result<T, Disconnected> {
        self.receive(None).map(|value| value.expect("there is no time limit"))
    }

    /// Waits for a value, at most for `timeout`; returns `None` if none has arrived.
    ///
    /// # Errors
    ///
    /// As for [`recv`](Self::recv).
    #[track_caller]
    pub fn recv_timeout(&self, timeout: Duration) -> Result<Option<T>, Disconnected> {
        self.receive(Some(timeout))
    }

    #[track_caller]
    fn receive(&self, timeout: Option<Duration>) -> Result<Option<T>, Disconnected> {
        let socket = self.socket()?;
        let attempt = || match socket.try_receive() {
            Ok(Received::Nothing) => {
                self.close_copies();
                None
            }
            received => Some(received),
        };
        match retry(timeout, attempt, |time| socket.wait(Readiness::Readable, time)) {
            None => Ok(None),
            Some(Ok(Received::Message(message))) => match message.open() {
                Ok(value) => Ok(Some(value)),
                Err(error) => panic!("failed to receive a value: {error}"),
            },
            Some(Ok(_)) => Err(Disconnected),
            Some(Err(error)) => panic!("failed to receive a value: {error}"),
        }
    }

    /// The socket of this end, which belongs to this process from now on.
    fn socket(&self) -> Result<Arc<Socket>, Disconnected> {
        let socket = self.pair.end(self.side).clone().ok_or(Disconnected)?;
        let me = std::process::id();
        if self.pair.users.get(self.side) != me {
            self.pair.users.set(self.side, me);
        }
        self.close_copies();
        Ok(socket)
    }

    /// Closes this process's copy of the other end, if another process uses that end.
    fn close_copies(&self) {
        let (me, user) = (std::process::id(), self.pair.users.get(1 - self.side));
        if user != me && (user != 0 || me != self.pair.maker) {
            self.pair.end(1 - self.side).take();
        }
    }
}

impl Pair {
    fn end(&self, side: usize) -> std::sync::MutexGuard<'_, Option<Arc<Socket>>> {
        self.ends[side].lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<T> Drop for PipeEnd<T> {
    fn drop(&mut self) {
        self.pair.end(self.side).take();
    }
}

impl<T> fmt::Debug for PipeEnd<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PipeEnd")
            .field("open", &self.pair.end(self.side).is_some())
            .finish_non_exhaustive()
    }
}
