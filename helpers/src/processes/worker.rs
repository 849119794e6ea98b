//! A worker process, seen from its parent: what it is to do, what it has done, what it prints, and
//! its end.

use super::board::Board;
use super::desk::Desk;
use super::events;
use super::fork::{Ended, ParentsEnd, Process, fork_with};
use super::raw::{Landing, Raw};
use super::relay::{Relay, To};
use super::wire::{HEAD, Head, Kind};
use crate::tasks;
use std::collections::VecDeque;
use std::io::{self, PipeReader, PipeWriter};
use std::ops::Range;
use std::os::fd::{AsFd, AsRawFd, OwnedFd, RawFd};
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};

/// A worker. Dropping it ends the process and passes on the last of what it printed.
pub(super) struct Worker {
    process: Process,
    socket: ParentsEnd,
    board: Board,
    relays: [Relay; 2],
    incoming: Incoming,
    outgoing: Vec<u8>,
    /// How much of `outgoing` is sent.
    sent: usize,
    /// The ranges it was given, without the items whose answers have come.
    assigned: VecDeque<Range<usize>>,
    /// When it has got or begun the first of them.
    since: Instant,
    /// Answers that nobody has taken yet.
    pub(super) news: Vec<News>,
    is_gone: bool,
}

/// What a worker says.
pub(super) enum News {
    /// The values of some items, as bytes.
    Values(Range<usize>, Vec<u8>),
    /// The value of one item: numbers, all in place.
    Large(usize, Box<dyn Landing>),
    /// A range is done: so many items of it, in this time. Some may be left, when it was told to
    /// stop.
    Done { items: usize, left: Range<usize>, took: Duration },
}

/// A message that has come in part.
enum Incoming {
    Head([u8; HEAD], usize),
    Bytes(Head, Vec<u8>),
    Landing(Head, Box<dyn Landing>, usize),
}

/// The child's ends.
struct Ends {
    socket: UnixStream,
    stdout: PipeWriter,
    stderr: PipeWriter,
}

impl Worker {
    /// Starts a process that does this.
    pub(super) fn hire(serve: &mut dyn FnMut(&Desk)) -> io::Result<Worker> {
        let board = Board::new()?;
        let connect = |connecting: &mut super::fork::Connecting| {
            let (parents, childs) = UnixStream::pair()?;
            let (out, childs_out) = io::pipe()?;
            let (err, childs_err) = io::pipe()?;
            parents.set_nonblocking(true)?;
            set_nonblocking(&out)?;
            set_nonblocking(&err)?;
            let relays = [
                Relay::new(connecting.keep(out), To::Stdout),
                Relay::new(connecting.keep(err), To::Stderr),
            ];
            let parents = (connecting.keep(OwnedFd::from(parents)), relays);
            Ok((parents, Ends { socket: childs, stdout: childs_out, stderr: childs_err }))
        };
        let (process, (socket, relays)) = fork_with(connect, |ends| {
            // SAFETY: all four descriptors are open.
            unsafe {
                libc::dup2(ends.stdout.as_raw_fd(), libc::STDOUT_FILENO);
                libc::dup2(ends.stderr.as_raw_fd(), libc::STDERR_FILENO);
            }
            drop((ends.stdout, ends.stderr));
            serve(&Desk { socket: ends.socket, board: &board });
        })?;
        let incoming = Incoming::Head([0; HEAD], 0);
        let (assigned, news) = (VecDeque::new(), Vec::new());
        Ok(Worker {
            process,
            socket,
            board,
            relays,
            incoming,
            outgoing: Vec::new(),
            sent: 0,
            assigned,
            since: Instant::now(),
            news,
            is_gone: false,
        })
    }

    pub(super) fn pid(&self) -> u32 {
        self.process.pid()
    }

    /// Whether its process runs.
    pub(super) fn is_alive(&mut self) -> bool {
        self.process.try_wait().is_none()
    }

    /// Whether this process is the one that hired it.
    pub(super) fn is_ours(&self) -> bool {
        self.socket.is_ours()
    }

    /// Gives it items to do, with whatever it needs for them.
    pub(super) fn assign(&mut self, items: Range<usize>, bytes: &[u8]) {
        let head = Head {
            kind: Kind::Compute,
            start: items.start,
            count: items.len(),
            recording: tasks::recording(),
            length: bytes.len(),
            ..Head::default()
        };
        self.outgoing.extend_from_slice(&head.to_bytes());
        self.outgoing.extend_from_slice(bytes);
        self.assume(items);
        self.send();
    }

    /// The worker knows already that it is to do these.
    pub(super) fn assume(&mut self, items: Range<usize>) {
        if self.assigned.is_empty() {
            self.since = Instant::now();
        }
        self.assigned.push_back(items);
    }

    /// What it was given and has not answered.
    pub(super) fn assigned(&self) -> &VecDeque<Range<usize>> {
        &self.assigned
    }

    /// Whether it has items that others could do, and has been busy with others for so long.
    pub(super) fn sits_on_items(&self, duration: Duration) -> bool {
        self.assigned.iter().map(Range::len).sum::<usize>() > 1 && self.since.elapsed() > duration
    }

    pub(super) fn is_idle(&self) -> bool {
        self.assigned.is_empty()
    }

    /// Whether its side of the connection is closed: it has ended or is about to.
    pub(super) fn is_gone(&self) -> bool {
        self.is_gone
    }

    /// The item it is at.
    pub(super) fn current(&self) -> Option<usize> {
        self.board.current()
    }

    /// Lets it leave out items that it has not begun.
    pub(super) fn set_stop(&self, stop: bool) {
        self.board.set_stop(stop);
    }

    /// Ends it, without waiting.
    pub(super) fn kill(&mut self) {
        self.process.kill();
    }

    /// Waits for its end; of one that is alive, makes it.
    pub(super) fn end(&mut self) -> Ended {
        // One that has ended by itself is not changed by this.
        self.process.kill();
        let ended = self.process.wait();
        self.relays.iter_mut().for_each(Relay::finish);
        ended
    }

    fn send(&mut self) {
        while self.sent < self.outgoing.len() {
            let rest = &self.outgoing[self.sent..];
            // SAFETY: the bytes are as many as we say. No signal when the worker is gone: that
            // shows when we read.
            let length =
                unsafe { libc::send(self.fd(), rest.as_ptr().cast(), rest.len(), NO_SIGNAL) };
            match usize::try_from(length) {
                Ok(length) => self.sent += length,
                Err(_) if io::Error::last_os_error().kind() == io::ErrorKind::Interrupted => {}
                Err(_) => return,
            }
        }
        // The memory of large items is not kept.
        self.outgoing.clear();
        self.outgoing.shrink_to(64 << 10);
        self.sent = 0;
    }

    fn fd(&self) -> RawFd {
        self.socket.as_fd().as_raw_fd()
    }

    /// Takes in what it says; numbers are put where they stay.
    fn receive(&mut self, raw: Option<&'static Raw>) {
        // Not more at a time: others have something to say, too.
        let mut budget: isize = 4 << 20;
        while budget > 0 {
            let (place, length) = self.incoming.place();
            // SAFETY: there is room for so many bytes.
            let received = unsafe { libc::recv(self.fd(), place.cast(), length, 0) };
            match received {
                1.. => budget -= received,
                0 => {
                    self.is_gone = true;
                    return;
                }
                _ => match io::Error::last_os_error().kind() {
                    io::ErrorKind::Interrupted => continue,
                    io::ErrorKind::WouldBlock => return,
                    _ => {
                        self.is_gone = true;
                        return;
                    }
                },
            }
            // SAFETY: so many bytes have been put in place.
            unsafe { self.incoming.advance(received as usize) };
            while self.incoming.is_complete() {
                let complete = std::mem::replace(&mut self.incoming, Incoming::Head([0; HEAD], 0));
                if !self.take(complete, raw) {
                    // Something else has written to the connection.
                    self.is_gone = true;
                    return;
                }
            }
        }
    }

    /// Takes a complete part of a message.
    fn take(&mut self, complete: Incoming, raw: Option<&'static Raw>) -> bool {
        match complete {
            Incoming::Head(bytes, _) => {
                let Some(head) = Head::from_bytes(&bytes) else { return false };
                self.incoming = match (head.kind, raw) {
                    (Kind::Large, Some(raw)) => Incoming::Landing(head, raw.land(head.shape), 0),
                    _ => Incoming::Bytes(head, Vec::with_capacity(head.length)),
                };
            }
            Incoming::Landing(head, landing, _) => {
                self.answered(head.start + 1);
                self.news.push(News::Large(head.start, landing));
            }
            Incoming::Bytes(head, bytes) => match head.kind {
                Kind::Values => {
                    self.answered(head.start + head.count);
                    self.news.push(News::Values(head.start..head.start + head.count, bytes));
                }
                Kind::Done => {
                    events::from_bytes(&bytes).into_iter().for_each(tasks::add);
                    let left = self.assigned.pop_front().unwrap_or_default();
                    self.since = Instant::now();
                    self.news.push(News::Done {
                        items: head.count,
                        left,
                        took: Duration::from_nanos(head.nanoseconds),
                    });
                }
                Kind::Compute | Kind::Large => return false,
            },
        }
        true
    }

    fn answered(&mut self, end: usize) {
        if let Some(front) = self.assigned.front_mut() {
            front.start = end;
        }
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        if self.is_ours() {
            self.end();
        }
    }
}

impl Incoming {
    /// Where the next bytes go, and how many there may be.
    fn place(&mut self) -> (*mut u8, usize) {
        match self {
            Incoming::Head(bytes, filled) => (bytes[*filled..].as_mut_ptr(), HEAD - *filled),
            Incoming::Bytes(head, bytes) => {
                (bytes.spare_capacity_mut().as_mut_ptr().cast(), head.length - bytes.len())
            }
            Incoming::Landing(_, landing, filled) => {
                let (place, length) = landing.place();
                // SAFETY: at most `length` bytes are filled.
                (unsafe { place.add(*filled) }, length - *filled)
            }
        }
    }

    /// # Safety
    ///
    /// So many bytes have been put in place.
    unsafe fn advance(&mut self, length: usize) {
        match self {
            Incoming::Head(_, filled) | Incoming::Landing(_, _, filled) => *filled += length,
            // SAFETY: they have been put behind those that were there, as the caller says.
            Incoming::Bytes(_, bytes) => unsafe { bytes.set_len(bytes.len() + length) },
        }
    }

    fn is_complete(&mut self) -> bool {
        self.place().1 == 0
    }
}

/// Waits until one of the workers says or prints something, or for so long, and takes it in. An
/// interrupt ends the waiting, too.
pub(super) fn wait(workers: &mut [Worker], raw: Option<&'static Raw>, timeout: Duration) {
    let mut entries = Vec::with_capacity(3 * workers.len());
    let entry = |fd, events| libc::pollfd { fd, events, revents: 0 };
    for worker in workers.iter() {
        // A negative number is left out by poll.
        let writing = if worker.outgoing.is_empty() { 0 } else { libc::POLLOUT };
        entries.push(entry(if worker.is_gone { -1 } else { worker.fd() }, libc::POLLIN | writing));
        entries.extend(
            worker.relays.iter().map(|relay| entry(relay.descriptor().unwrap_or(-1), libc::POLLIN)),
        );
    }
    let milliseconds = timeout.as_millis().try_into().unwrap_or(libc::c_int::MAX);
    // SAFETY: so many valid entries.
    let ready =
        unsafe { libc::poll(entries.as_mut_ptr(), entries.len() as libc::nfds_t, milliseconds) };
    if ready <= 0 {
        return;
    }
    for (worker, entries) in workers.iter_mut().zip(entries.chunks(3)) {
        if entries[0].revents != 0 {
            worker.send();
            worker.receive(raw);
        }
        // After the results: what was printed before them is in the pipe by now.
        if entries.iter().any(|entry| entry.revents != 0) {
            worker.relays.iter_mut().for_each(Relay::forward);
        }
    }
}

fn set_nonblocking(pipe: &PipeReader) -> io::Result<()> {
    // SAFETY: the descriptor is open, the flags are those it has and one more.
    let result = unsafe {
        let flags = libc::fcntl(pipe.as_raw_fd(), libc::F_GETFL);
        libc::fcntl(pipe.as_raw_fd(), libc::F_SETFL, flags | libc::O_NONBLOCK)
    };
    if result < 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
}

#[cfg(target_os = "linux")]
const NO_SIGNAL: libc::c_int = libc::MSG_NOSIGNAL;
/// Rust programs ignore SIGPIPE.
#[cfg(not(target_os = "linux"))]
const NO_SIGNAL: libc::c_int = 0;
