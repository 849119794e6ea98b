//! The parent's side of a worker: its items, its results, its output and its end.

use super::child_side::Connection;
use super::output_relay::{Relay, Target};
use super::protocol::{HEADER_LEN, MessageHeader, MessageKind, SharedStatus};
use super::task_events;
use crate::processes::fork::{ExitStatus, ParentFd, Process, fork_with};
use crate::processes::transport::numbers::{NumberFormat, RecvBuffer};
use crate::tasks;
use std::collections::VecDeque;
use std::io::{self, PipeReader, PipeWriter};
use std::ops::Range;
use std::os::fd::{AsFd, AsRawFd, OwnedFd, RawFd};
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};

/// A worker process. Dropping it ends the process and forwards the last of its output.
pub(crate) struct Worker {
    process: Process,
    socket: ParentFd,
    status: SharedStatus,
    relays: [Relay; 2],
    incoming: PartialMessage,
    outgoing: Vec<u8>,
    /// How much of `outgoing` was sent.
    sent: usize,
    /// The ranges it was given, without the items whose results have arrived.
    assigned: VecDeque<Range<usize>>,
    /// When it got or began the first of them.
    since: Instant,
    /// Events that were not handled yet.
    pub(crate) events: Vec<WorkerEvent>,
    is_disconnected: bool,
}

/// What a worker reports.
pub(crate) enum WorkerEvent {
    /// The values of some items, as bytes.
    Values(Range<usize>, Vec<u8>),
    /// The value of one item: numbers, all in place.
    Large(usize, Box<dyn RecvBuffer>),
    /// The end of a range: the number of computed items, those left over if the worker was stopped,
    /// and the time it took.
    Done { items: usize, left: Range<usize>, took: Duration },
}

/// A message that has arrived in part.
enum PartialMessage {
    Header([u8; HEADER_LEN], usize),
    Body(MessageHeader, Vec<u8>),
    Numbers(MessageHeader, Box<dyn RecvBuffer>, usize),
}

/// The child's ends.
struct ChildEnds {
    socket: UnixStream,
    stdout: PipeWriter,
    stderr: PipeWriter,
}

impl Worker {
    /// Starts a process that runs `serve`.
    pub(crate) fn spawn(serve: &mut dyn FnMut(&Connection)) -> io::Result<Worker> {
        task_events::set_epoch();
        let status = SharedStatus::new()?;
        let connect = |setup: &mut crate::processes::fork::ChildSetup| {
            let (parent_end, child_end) = UnixStream::pair()?;
            let (out, child_out) = io::pipe()?;
            let (err, child_err) = io::pipe()?;
            parent_end.set_nonblocking(true)?;
            set_nonblocking(&out)?;
            set_nonblocking(&err)?;
            let relays = [
                Relay::new(setup.parent_fd(out), Target::Stdout),
                Relay::new(setup.parent_fd(err), Target::Stderr),
            ];
            let parent_end = (setup.parent_fd(OwnedFd::from(parent_end)), relays);
            Ok((parent_end, ChildEnds { socket: child_end, stdout: child_out, stderr: child_err }))
        };
        let (process, (socket, relays)) = fork_with(connect, |ends| {
            // SAFETY: all four descriptors are open.
            unsafe {
                libc::dup2(ends.stdout.as_raw_fd(), libc::STDOUT_FILENO);
                libc::dup2(ends.stderr.as_raw_fd(), libc::STDERR_FILENO);
            }
            drop((ends.stdout, ends.stderr));
            serve(&Connection { socket: ends.socket, status: &status });
        })?;
        let incoming = PartialMessage::Header([0; HEADER_LEN], 0);
        let (assigned, events) = (VecDeque::new(), Vec::new());
        Ok(Worker {
            process,
            socket,
            status,
            relays,
            incoming,
            outgoing: Vec::new(),
            sent: 0,
            assigned,
            since: Instant::now(),
            events,
            is_disconnected: false,
        })
    }

    pub(crate) fn pid(&self) -> u32 {
        self.process.pid()
    }

    /// Whether its process is running.
    pub(crate) fn is_alive(&mut self) -> bool {
        self.process.try_wait().is_none()
    }

    /// Whether this process has started it.
    pub(crate) fn is_ours(&self) -> bool {
        self.socket.is_ours()
    }

    /// Sends it items to compute, with the bytes it needs for them.
    pub(crate) fn assign(&mut self, items: Range<usize>, bytes: &[u8]) {
        let header = MessageHeader {
            kind: MessageKind::Compute,
            start: items.start,
            count: items.len(),
            recording: tasks::recording(),
            length: bytes.len(),
            ..MessageHeader::default()
        };
        self.outgoing.extend_from_slice(&header.to_bytes());
        self.outgoing.extend_from_slice(bytes);
        self.preassign(items);
        self.send();
    }

    /// Notes items that the worker already knows from its start.
    pub(crate) fn preassign(&mut self, items: Range<usize>) {
        if self.assigned.is_empty() {
            self.since = Instant::now();
        }
        self.assigned.push_back(items);
    }

    /// The items that it was given and that have no results yet.
    pub(crate) fn assigned(&self) -> &VecDeque<Range<usize>> {
        &self.assigned
    }

    /// Whether it has items that others could compute, and has been busy for this long.
    pub(crate) fn is_slow(&self, duration: Duration) -> bool {
        self.assigned.iter().map(Range::len).sum::<usize>() > 1 && self.since.elapsed() > duration
    }

    pub(crate) fn is_idle(&self) -> bool {
        self.assigned.is_empty()
    }

    /// Whether its side of the connection is closed: it has ended or is about to.
    pub(crate) fn is_disconnected(&self) -> bool {
        self.is_disconnected
    }

    /// The item that it is computing.
    pub(crate) fn current(&self) -> Option<usize> {
        self.status.current()
    }

    /// Makes it skip, or not, the items that it has not begun.
    pub(crate) fn set_stop(&self, stop: bool) {
        self.status.set_stop(stop);
    }

    /// Ends it, without waiting.
    pub(crate) fn kill(&mut self) {
        self.process.kill();
    }

    /// Ends it if it is alive, and waits for its end.
    pub(crate) fn end(&mut self) -> ExitStatus {
        // This does not change the status of one that has ended by itself.
        self.process.kill();
        let ended = self.process.wait();
        self.relays.iter_mut().for_each(Relay::finish);
        ended
    }

    fn send(&mut self) {
        while self.sent < self.outgoing.len() {
            let rest = &self.outgoing[self.sent..];
            // SAFETY: the length is that of the bytes. No signal if the worker is gone: we notice
            // that when we read.
            let length =
                unsafe { libc::send(self.fd(), rest.as_ptr().cast(), rest.len(), NO_SIGNAL) };
            match usize::try_from(length) {
                Ok(length) => self.sent += length,
                Err(_) if io::Error::last_os_error().kind() == io::ErrorKind::Interrupted => {}
                Err(_) => return,
            }
        }
        // Frees the memory of large items.
        self.outgoing.clear();
        self.outgoing.shrink_to(64 << 10);
        self.sent = 0;
    }

    fn fd(&self) -> RawFd {
        self.socket.as_fd().as_raw_fd()
    }

    /// Receives messages; numbers are received in their final place.
    fn receive(&mut self, numbers: Option<&'static NumberFormat>) {
        // A limit, so that other workers get their turn.
        let mut budget: isize = 4 << 20;
        while budget > 0 {
            let (address, length) = self.incoming.destination();
            // SAFETY: the destination has room for this many bytes.
            let received = unsafe { libc::recv(self.fd(), address.cast(), length, 0) };
            match received {
                1.. => budget -= received,
                0 => {
                    self.is_disconnected = true;
                    return;
                }
                _ => match io::Error::last_os_error().kind() {
                    io::ErrorKind::Interrupted => continue,
                    io::ErrorKind::WouldBlock => return,
                    _ => {
                        self.is_disconnected = true;
                        return;
                    }
                },
            }
            // SAFETY: this many bytes have been received.
            unsafe { self.incoming.advance(received as usize) };
            while self.incoming.is_complete() {
                let complete = std::mem::replace(
                    &mut self.incoming,
                    PartialMessage::Header([0; HEADER_LEN], 0),
                );
                if !self.take(complete, numbers) {
                    // Something else has written to the connection.
                    self.is_disconnected = true;
                    return;
                }
            }
        }
    }

    /// Handles a complete header or body.
    fn take(&mut self, complete: PartialMessage, numbers: Option<&'static NumberFormat>) -> bool {
        match complete {
            PartialMessage::Header(bytes, _) => {
                let Some(header) = MessageHeader::from_bytes(&bytes) else { return false };
                self.incoming = match (header.kind, numbers) {
                    (MessageKind::Large, Some(numbers)) => {
                        PartialMessage::Numbers(header, numbers.recv_buffer(header.shape), 0)
                    }
                    _ => PartialMessage::Body(header, Vec::with_capacity(header.length)),
                };
            }
            PartialMessage::Numbers(header, buffer, _) => {
                self.answered(header.start + 1);
                self.events.push(WorkerEvent::Large(header.start, buffer));
            }
            PartialMessage::Body(header, bytes) => match header.kind {
                MessageKind::Values => {
                    self.answered(header.start + header.count);
                    self.events.push(WorkerEvent::Values(
                        header.start..header.start + header.count,
                        bytes,
                    ));
                }
                MessageKind::Done => {
                    task_events::from_bytes(&bytes).into_iter().for_each(tasks::add);
                    let left = self.assigned.pop_front().unwrap_or_default();
                    self.since = Instant::now();
                    self.events.push(WorkerEvent::Done {
                        items: header.count,
                        left,
                        took: Duration::from_nanos(header.nanoseconds),
                    });
                }
                MessageKind::Compute | MessageKind::Large => return false,
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

impl PartialMessage {
    /// Where the next bytes go, and how many of them there may be.
    fn destination(&mut self) -> (*mut u8, usize) {
        match self {
            PartialMessage::Header(bytes, filled) => {
                (bytes[*filled..].as_mut_ptr(), HEADER_LEN - *filled)
            }
            PartialMessage::Body(header, bytes) => {
                (bytes.spare_capacity_mut().as_mut_ptr().cast(), header.length - bytes.len())
            }
            PartialMessage::Numbers(_, buffer, filled) => {
                let (address, length) = buffer.destination();
                // SAFETY: at most `length` bytes are filled.
                (unsafe { address.add(*filled) }, length - *filled)
            }
        }
    }

    /// # Safety
    ///
    /// This many bytes have been received.
    unsafe fn advance(&mut self, length: usize) {
        match self {
            PartialMessage::Header(_, filled) | PartialMessage::Numbers(_, _, filled) => {
                *filled += length
            }
            // SAFETY: they follow the bytes that were there before, as the caller promises.
            PartialMessage::Body(_, bytes) => unsafe { bytes.set_len(bytes.len() + length) },
        }
    }

    fn is_complete(&mut self) -> bool {
        self.destination().1 == 0
    }
}

/// Waits until one of the workers sends or prints something, at most for the timeout, and receives
/// it. An interrupt ends the wait, too.
pub(crate) fn wait(
    workers: &mut [Worker],
    numbers: Option<&'static NumberFormat>,
    timeout: Duration,
) {
    let mut entries = Vec::with_capacity(3 * workers.len());
    let entry = |fd, events| libc::pollfd { fd, events, revents: 0 };
    for worker in workers.iter() {
        // poll skips negative descriptors.
        let writing = if worker.outgoing.is_empty() { 0 } else { libc::POLLOUT };
        entries.push(entry(
            if worker.is_disconnected { -1 } else { worker.fd() },
            libc::POLLIN | writing,
        ));
        entries.extend(
            worker.relays.iter().map(|relay| entry(relay.descriptor().unwrap_or(-1), libc::POLLIN)),
        );
    }
    let milliseconds = timeout.as_millis().try_into().unwrap_or(libc::c_int::MAX);
    // SAFETY: the pointer and the length are those of valid entries.
    let ready =
        unsafe { libc::poll(entries.as_mut_ptr(), entries.len() as libc::nfds_t, milliseconds) };
    if ready <= 0 {
        return;
    }
    for (worker, entries) in workers.iter_mut().zip(entries.chunks(3)) {
        if entries[0].revents != 0 {
            worker.send();
            worker.receive(numbers);
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
