//! Where a worker sits: its side of the connection, the loop that waits for work, and how results
//! are sent.

use super::board::Board;
use super::events;
use super::raw::View;
use super::value::{self, Arrived, Failed, Format, Value};
use super::wire::{HEAD, Head, Kind};
use crate::base::panic_capture;
use crate::base::panic_message::panic_message;
use crate::pool::Cause;
use crate::tasks;
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
    pub(super) fn answer(
        &self,
        request: Request,
        compute: &mut dyn FnMut(Request, &mut Answers),
    ) -> io::Result<()> {
        let begin = Instant::now();
        let start = request.items.start;
        let mut answers = Answers {
            desk: self,
            next: start,
            sent: start,
            bytes: Vec::new(),
            last_sent: roughly_now(),
        };
        compute(request, &mut answers);
        let count = answers.next - start;
        let nanoseconds = begin.elapsed().as_nanos() as u64;
        let events = events::to_bytes(tasks::take());
        let done =
            Head { kind: Kind::Done, count, nanoseconds, length: events.len(), ..Head::default() };
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
        // What was printed comes before the result, and is not lost if this process is killed after
        // it.
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
    /// Computes items and answers with their values, or with the reasons why there are none.
    ///
    /// `compute` asks the output for the next item until there is none, and puts its value there.
    /// Where it panics, it is called once more, for the items that follow.
    pub(super) fn each(&mut self, job: Job, compute: &mut dyn FnMut(&mut Output)) {
        let mut output = Output { answers: self, job, before: 0, task: None, is_over: false };
        while let Err((payload, location)) = panic_capture::catch(|| compute(&mut output)) {
            output.task = None;
            let (index, before) = (output.answers.next - 1, output.before);
            // It may have panicked in the middle of the value's bytes, or after the value was sent.
            if output.answers.sent <= index {
                output.answers.bytes.truncate(before);
                value::put_failure(
                    &Failed::Panicked(panic_message(&*payload), &location),
                    &mut output.answers.bytes,
                );
            }
            output.is_over |= !output.answers.item_is_over();
        }
    }

    /// The item in work is over. Says whether to go on.
    fn item_is_over(&mut self) -> bool {
        self.desk.board.end();
        let is_long = self.bytes.len() > MUCH || roughly_now() - self.last_sent > LONG;
        !is_long || self.flush().is_ok()
    }

    /// Answers with the reason why there is no value.
    pub(super) fn refuse(&mut self, cause: &Cause) {
        let text = match cause {
            Cause::NotSerializable { message } => message.clone(),
            other => format!("{other:?}"),
        };
        self.next += 1;
        value::put_failure(&Failed::Unsent(&text), &mut self.bytes);
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

/// What is to be done with the items of a request.
pub(super) struct Job<'job> {
    /// The items end here.
    pub(super) end: usize,
    /// That of the results.
    pub(super) format: Format,
    /// The text for an item.
    pub(super) name: &'job dyn Fn(usize) -> String,
    /// Items that were sent, and the place where each of them is put before it is computed.
    pub(super) items: Option<SentItems<'job>>,
}

/// Bytes of items in this format.
pub(super) struct SentItems<'job> {
    bytes: &'job [u8],
    format: Format,
    place: *mut u8,
}

impl<'job> SentItems<'job> {
    /// # Safety
    ///
    /// The place is valid for a value of the format for as long as this is used.
    pub(super) unsafe fn new(bytes: &'job [u8], format: Format, place: *mut u8) -> SentItems<'job> {
        SentItems { bytes, format, place }
    }
}

/// Where items come from and their values go to.
pub(super) struct Output<'each, 'desk> {
    answers: &'each mut Answers<'desk>,
    job: Job<'each>,
    /// The length of the bytes before the item in work.
    before: usize,
    /// Ends with the computation, if it is recorded.
    task: Option<tasks::Task<String>>,
    is_over: bool,
}

impl Output<'_, '_> {
    /// The next item to be computed, by its number.
    #[inline(never)]
    pub(super) fn next(&mut self) -> Option<usize> {
        loop {
            let index = self.answers.next;
            if index == self.job.end || self.is_over || self.answers.desk.board.is_stopped() {
                return None;
            }
            if let Some(items) = &mut self.job.items {
                // SAFETY: the place is valid for an item, as was promised.
                if let Err(cause) =
                    unsafe { items.format.take_to(Arrived::Bytes(&mut items.bytes), items.place) }
                {
                    self.answers.refuse(&cause);
                    continue;
                }
            }
            self.before = self.answers.bytes.len();
            self.answers.next = index + 1;
            self.answers.desk.board.begin(index);
            if tasks::recording() {
                self.task = Some(tasks::begin((self.job.name)(index)));
            }
            return Some(index);
        }
    }

    /// The value of the item. Dropping it is part of the item, and sending it.
    pub(super) fn put<R: Value>(&mut self, value: R) {
        // SAFETY: the type is told with the value.
        unsafe { self.put_at(TypeId::of::<R>(), std::ptr::from_ref(&value).cast()) };
        drop(value);
        self.end_item();
    }

    /// # Safety
    ///
    /// At the address is a value of this type.
    #[inline(never)]
    unsafe fn put_at(&mut self, id: TypeId, value: *const u8) {
        self.task = None;
        self.job.format.check(id);
        let Answers { desk, sent, bytes, next, .. } = &mut *self.answers;
        // SAFETY: it is a value of the format's type, and lives until we return.
        match unsafe { self.job.format.put_at(value, bytes) } {
            Ok(None) => {}
            Ok(Some(view)) => {
                self.is_over |= desk.send_large(*next - 1, sent, bytes, view).is_err()
            }
            Err(error) => value::put_failure(&Failed::Unsent(&error.to_string()), bytes),
        }
    }

    #[inline(never)]
    fn end_item(&mut self) {
        self.is_over |= !self.answers.item_is_over();
    }
}

impl Desk<'_> {
    /// Sends a value that is too large to be copied, after those that come before it.
    fn send_large(
        &self,
        index: usize,
        sent: &mut usize,
        bytes: &mut Vec<u8>,
        view: View<'_>,
    ) -> io::Result<()> {
        if index > *sent {
            self.send(&[(Head::of_values(*sent..index, bytes.len()), bytes)])?;
            bytes.clear();
        }
        *sent = index + 1;
        let head = Head {
            kind: Kind::Large,
            start: index,
            count: 1,
            shape: view.shape,
            length: view.bytes.len(),
            ..Head::default()
        };
        self.send(&[(head, view.bytes)])
    }
}

/// The time since some moment, to a few milliseconds. It is asked for after every item, where the
/// exact time would cost more than all the rest that is done for a small one.
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
