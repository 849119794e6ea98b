//! Where a worker sits: its side of the connection, the loop that waits for work, and how results are sent.

use super::board::Board;
use super::events;
use super::raw::View;
use super::value::{self, Failed, Format, Value};
use super::wire::{HEAD, Head, Kind};
use crate::pool::Cause;
use crate::tasks;
use crate::threads::quiet;
use crate::threads::report::message;
use std::any::TypeId;
use std::io::{self, Read, Write};
use std::ops::Range;
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};

/// Results of more bytes than this do not wait for those that follow.
const MUCH: usize = 256 << 10;
/// So many bytes are copied behind what goes before them, rather than sent by themselves.
const COPIED: usize = 16 << 10;
/// Results do not wait longer than this for those that follow.
const LONG: Duration = Duration::from_millis(20);

/// A worker's side of the connection.
pub(super) struct Desk<'board> {
    pub(super) socket: UnixStream,
    pub(super) board: &'board Board,
}

/// What a worker is asked for.
pub(super) struct Request {
    pub(super) items: Range<usize>,
    pub(super) bytes: Vec<u8>,
}

/// The answers to a request.
pub(super) struct Answers<'desk> {
    desk: &'desk Desk<'desk>,
    /// The item whose answer comes next.
    next: usize,
    /// The items whose answers were sent end here.
    sent: usize,
    bytes: Vec<u8>,
    last_sent: Duration,
}

impl Desk<'_> {
    /// Does what is asked for until the parent closes the connection.
    pub(super) fn serve(&self, compute: &mut dyn FnMut(Request, &mut Answers)) {
        while let Ok((head, bytes)) = self.receive() {
            tasks::set_recording(head.recording);
            let items = head.start..head.start + head.count;
            if self.answer(Request { items, bytes }, compute).is_err() {
                return;
            }
        }
    }

    /// Does one range of items, and tells.
    pub(super) fn answer(&self, request: Request, compute: &mut dyn FnMut(Request, &mut Answers)) -> io::Result<()> {
        let begin = Instant::now();
        let start = request.items.start;
        let mut answers = Answers { desk: self, next: start, sent: start, bytes: Vec::new(), last_sent: roughly_now() };
        compute(request, &mut answers);
        let count = answers.next - start;
        let nanoseconds = begin.elapsed().as_nanos() as u64;
        let events = events::to_bytes(tasks::take());
        let done = Head { kind: Kind::Done, count, nanoseconds, length: events.len(), ..Head::default() };
        // Together: each of two messages would wake the parent.
        match answers.waiting() {
            Some(values) => self.send(&[(values, &answers.bytes), (done, &events)]),
            None => self.send(&[(done, &events)]),
        }
    }

    fn receive(&self) -> io::Result<(Head, Vec<u8>)> {
        let mut head = [0; HEAD];
        (&self.socket).read_exact(&mut head)?;
        let head = Head::from_bytes(&head).ok_or(io::ErrorKind::InvalidData)?;
        let mut bytes = vec![0; head.length];
        (&self.socket).read_exact(&mut bytes)?;
        Ok((head, bytes))
    }

    fn send(&self, messages: &[(Head, &[u8])]) -> io::Result<()> {
        // What was printed comes before the result, and is not lost if this process is killed after it.
        let _ = io::stdout().flush();
        let mut together = Vec::new();
        for (head, bytes) in messages {
            together.extend_from_slice(&head.to_bytes());
            if bytes.len() <= COPIED {
                together.extend_from_slice(bytes);
            } else {
                (&self.socket).write_all(&together)?;
                (&self.socket).write_all(bytes)?;
                together.clear();
            }
        }
        (&self.socket).write_all(&together)
    }
}

impl Answers<'_> {
    /// Whether no further item is wanted.
    pub(super) fn is_stopped(&self) -> bool {
        self.desk.board.is_stopped()
    }

    /// Computes one item and answers with its value, or with the reason why there is none. Says whether to go on.
    ///
    /// `compute` gets the item's position, and puts its value into the output.
    pub(super) fn add(&mut self, format: Format, name: &dyn Fn(usize) -> String, compute: &mut dyn FnMut(usize, Output)) -> bool {
        let index = self.next;
        let before = self.bytes.len();
        self.next += 1;
        self.desk.board.begin(index);
        // Dropping the value is part of the item, and sending it.
        let outcome = quiet::catch(|| {
            let mut outcome = Ok(());
            let task = tasks::recording().then(|| tasks::begin(name(index)));
            compute(index, Output { answers: self, format, index, task, outcome: &mut outcome });
            outcome
        });
        let outcome = outcome.unwrap_or_else(|(payload, place)| {
            // It may have panicked in the middle of the value's bytes, or after the value was sent.
            if self.sent <= index {
                self.bytes.truncate(before);
                value::put_failure(&Failed::Panicked(message(&*payload), &place), &mut self.bytes);
            }
            Ok(())
        });
        self.desk.board.end();
        let is_long = |answers: &Answers| answers.bytes.len() > MUCH || roughly_now() - answers.last_sent > LONG;
        outcome.is_ok() && (!is_long(self) || self.flush().is_ok())
    }

    /// Answers with the reason why there is no value. Says whether to go on.
    pub(super) fn refuse(&mut self, cause: &Cause) -> bool {
        let text = match cause {
            Cause::Unsent { message } => message.clone(),
            other => format!("{other:?}"),
        };
        self.next += 1;
        value::put_failure(&Failed::Unsent(&text), &mut self.bytes);
        !self.desk.board.is_stopped()
    }

    /// The head of the answers that are not sent yet.
    fn waiting(&self) -> Option<Head> {
        (self.next > self.sent).then(|| Head::of_values(self.sent..self.next, self.bytes.len()))
    }

    /// Sends what is there.
    fn flush(&mut self) -> io::Result<()> {
        if let Some(head) = self.waiting() {
            self.desk.send(&[(head, &self.bytes)])?;
            self.sent = self.next;
            self.bytes.clear();
        }
        self.last_sent = roughly_now();
        Ok(())
    }
}

/// Where the value of an item goes.
pub(super) struct Output<'add, 'desk> {
    answers: &'add mut Answers<'desk>,
    format: Format,
    index: usize,
    /// Ends with the computation, if it is recorded.
    task: Option<tasks::Task<String>>,
    outcome: &'add mut io::Result<()>,
}

impl Output<'_, '_> {
    /// The value that was computed.
    pub(super) fn put<R: Value>(self, value: &R) {
        // SAFETY: the type is told with the value.
        unsafe { self.put_at(TypeId::of::<R>(), std::ptr::from_ref(value).cast()) }
    }

    /// # Safety
    ///
    /// At the address is a value of this type.
    #[inline(never)]
    unsafe fn put_at(self, id: TypeId, value: *const u8) {
        drop(self.task);
        self.format.check(id);
        let Answers { desk, sent, bytes, .. } = self.answers;
        // SAFETY: it is a value of the format's type, and lives until we return.
        match unsafe { self.format.put_at(value, bytes) } {
            Ok(None) => {}
            Ok(Some(view)) => *self.outcome = desk.send_large(self.index, sent, bytes, view),
            Err(error) => value::put_failure(&Failed::Unsent(&error.to_string()), bytes),
        }
    }
}

impl Desk<'_> {
    /// Sends a value that is too large to be copied, after those that come before it.
    fn send_large(&self, index: usize, sent: &mut usize, bytes: &mut Vec<u8>, view: View<'_>) -> io::Result<()> {
        if index > *sent {
            self.send(&[(Head::of_values(*sent..index, bytes.len()), bytes)])?;
            bytes.clear();
        }
        *sent = index + 1;
        let head = Head { kind: Kind::Large, start: index, count: 1, shape: view.shape, length: view.bytes.len(), ..Head::default() };
        self.send(&[(head, view.bytes)])
    }
}

/// The time since some moment, to a few milliseconds. It is asked for after every item, where the exact time would cost more than all the
/// rest that is done for a small one.
#[cfg(target_os = "linux")]
fn roughly_now() -> Duration {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: a valid place for the answer.
    unsafe { libc::clock_gettime(libc::CLOCK_MONOTONIC_COARSE, &raw mut time) };
    Duration::new(time.tv_sec.cast_unsigned(), time.tv_nsec as u32)
}

/// The time since some moment.
#[cfg(not(target_os = "linux"))]
fn roughly_now() -> Duration {
    static BEGIN: std::sync::LazyLock<Instant> = std::sync::LazyLock::new(Instant::now);
    BEGIN.elapsed()
}
