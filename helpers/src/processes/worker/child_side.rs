//! Where a worker sits: its side of the connection, the loop that waits for work, and how results
//! are sent.

use super::protocol::{HEADER_LEN, MessageHeader, MessageKind, SharedStatus};
use super::task_events;
use crate::base::panic_capture;
use crate::base::panic_message::panic_message;
use crate::pool::Cause;
use crate::processes::transport::numbers::NumberView;
use crate::processes::transport::value::{self, EncodedValue, Failed, Format, Value};
use crate::tasks;
use std::any::TypeId;
use std::io::{self, Read, Write};
use std::ops::Range;
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};

/// MapResults of more bytes than this do not wait for those that follow.
const FLUSH_BYTES: usize = 256 << 10;
/// So many bytes are copied behind what goes before them, rather than sent by themselves.
const MAX_COPIED_BYTES: usize = 16 << 10;
/// MapResults do not wait longer than this for those that follow.
const FLUSH_INTERVAL: Duration = Duration::from_millis(20);

/// A worker's side of the connection.
pub(crate) struct Connection<'status> {
    pub(crate) socket: UnixStream,
    pub(crate) status: &'status SharedStatus,
}

/// What a worker is asked for.
pub(crate) struct Request {
    pub(crate) items: Range<usize>,
    pub(crate) bytes: Vec<u8>,
}

/// The responses to a request.
pub(crate) struct ResponseWriter<'connection> {
    connection: &'connection Connection<'connection>,
    /// The item whose answer comes next.
    next: usize,
    /// The items whose responses were sent end here.
    sent: usize,
    bytes: Vec<u8>,
    last_sent: Duration,
}

impl Connection<'_> {
    /// Does what is asked for until the parent closes the connection.
    pub(crate) fn serve(&self, compute: &mut dyn FnMut(Request, &mut ResponseWriter)) {
        while let Ok((head, bytes)) = self.receive() {
            tasks::set_recording(head.recording);
            let items = head.start..head.start + head.count;
            if self.answer(Request { items, bytes }, compute).is_err() {
                return;
            }
        }
    }

    /// Does one range of items, and tells.
    pub(crate) fn answer(
        &self,
        request: Request,
        compute: &mut dyn FnMut(Request, &mut ResponseWriter),
    ) -> io::Result<()> {
        let begin = Instant::now();
        let start = request.items.start;
        let mut responses = ResponseWriter {
            connection: self,
            next: start,
            sent: start,
            bytes: Vec::new(),
            last_sent: coarse_now(),
        };
        compute(request, &mut responses);
        let count = responses.next - start;
        let nanoseconds = begin.elapsed().as_nanos() as u64;
        let events = task_events::to_bytes(tasks::take());
        let done = MessageHeader {
            kind: MessageKind::Done,
            count,
            nanoseconds,
            length: events.len(),
            ..MessageHeader::default()
        };
        // Together: each of two messages would wake the parent.
        match responses.waiting() {
            Some(values) => self.send(&[(values, &responses.bytes), (done, &events)]),
            None => self.send(&[(done, &events)]),
        }
    }

    fn receive(&self) -> io::Result<(MessageHeader, Vec<u8>)> {
        let mut head = [0; HEADER_LEN];
        (&self.socket).read_exact(&mut head)?;
        let head = MessageHeader::from_bytes(&head).ok_or(io::ErrorKind::InvalidData)?;
        let mut bytes = vec![0; head.length];
        (&self.socket).read_exact(&mut bytes)?;
        Ok((head, bytes))
    }

    fn send(&self, messages: &[(MessageHeader, &[u8])]) -> io::Result<()> {
        // What was printed comes before the result, and is not lost if this process is killed after
        // it.
        let _ = io::stdout().flush();
        let mut together = Vec::new();
        for (head, bytes) in messages {
            together.extend_from_slice(&head.to_bytes());
            if bytes.len() <= MAX_COPIED_BYTES {
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

impl ResponseWriter<'_> {
    /// Computes items and responses with their values, or with the reasons why there are none.
    ///
    /// `compute` asks the output for the next item until there is none, and puts its value there.
    /// Where it panics, it is called once more, for the items that follow.
    pub(crate) fn each(&mut self, job: Job, compute: &mut dyn FnMut(&mut ItemStream)) {
        let mut output = ItemStream { responses: self, job, before: 0, task: None, is_over: false };
        while let Err((payload, location)) = panic_capture::catch(|| compute(&mut output)) {
            output.task = None;
            let (index, before) = (output.responses.next - 1, output.before);
            // It may have panicked in the middle of the value's bytes, or after the value was sent.
            if output.responses.sent <= index {
                output.responses.bytes.truncate(before);
                value::put_failure(
                    &Failed::Panicked(panic_message(&*payload), &location),
                    &mut output.responses.bytes,
                );
            }
            output.is_over |= !output.responses.item_is_over();
        }
    }

    /// The item in work is over. Says whether to go on.
    fn item_is_over(&mut self) -> bool {
        self.connection.status.end();
        let is_long =
            self.bytes.len() > FLUSH_BYTES || coarse_now() - self.last_sent > FLUSH_INTERVAL;
        !is_long || self.flush().is_ok()
    }

    /// ResponseWriter with the reason why there is no value.
    pub(crate) fn refuse(&mut self, cause: &Cause) {
        let text = match cause {
            Cause::NotSerializable { message } => message.clone(),
            other => format!("{other:?}"),
        };
        self.next += 1;
        value::put_failure(&Failed::Unsent(&text), &mut self.bytes);
    }

    /// The head of the responses that are not sent yet.
    fn waiting(&self) -> Option<MessageHeader> {
        (self.next > self.sent)
            .then(|| MessageHeader::of_values(self.sent..self.next, self.bytes.len()))
    }

    /// Sends what is there.
    fn flush(&mut self) -> io::Result<()> {
        if let Some(head) = self.waiting() {
            self.connection.send(&[(head, &self.bytes)])?;
            self.sent = self.next;
            self.bytes.clear();
        }
        self.last_sent = coarse_now();
        Ok(())
    }
}

/// What is to be done with the items of a request.
pub(crate) struct Job<'job> {
    /// The items end here.
    pub(crate) end: usize,
    /// That of the results.
    pub(crate) format: Format,
    /// The text for an item.
    pub(crate) name: &'job dyn Fn(usize) -> String,
    /// Items that were sent, and the place where each of them is put before it is computed.
    pub(crate) items: Option<SentItems<'job>>,
}

/// Bytes of items in this format.
pub(crate) struct SentItems<'job> {
    bytes: &'job [u8],
    format: Format,
    place: *mut u8,
}

impl<'job> SentItems<'job> {
    /// # Safety
    ///
    /// The place is valid for a value of the format for as long as this is used.
    pub(crate) unsafe fn new(bytes: &'job [u8], format: Format, place: *mut u8) -> SentItems<'job> {
        SentItems { bytes, format, place }
    }
}

/// Where items come from and their values go to.
pub(crate) struct ItemStream<'each, 'connection> {
    responses: &'each mut ResponseWriter<'connection>,
    job: Job<'each>,
    /// The length of the bytes before the item in work.
    before: usize,
    /// Ends with the computation, if it is recorded.
    task: Option<tasks::Task<String>>,
    is_over: bool,
}

impl ItemStream<'_, '_> {
    /// The next item to be computed, by its number.
    #[inline(never)]
    pub(crate) fn next(&mut self) -> Option<usize> {
        loop {
            let index = self.responses.next;
            if index == self.job.end
                || self.is_over
                || self.responses.connection.status.is_stopped()
            {
                return None;
            }
            if let Some(items) = &mut self.job.items {
                // SAFETY: the place is valid for an item, as was promised.
                if let Err(cause) = unsafe {
                    items.format.take_to(EncodedValue::Bytes(&mut items.bytes), items.place)
                } {
                    self.responses.refuse(&cause);
                    continue;
                }
            }
            self.before = self.responses.bytes.len();
            self.responses.next = index + 1;
            self.responses.connection.status.begin(index);
            if tasks::recording() {
                self.task = Some(tasks::begin((self.job.name)(index)));
            }
            return Some(index);
        }
    }

    /// The value of the item. Dropping it is part of the item, and sending it.
    pub(crate) fn put<R: Value>(&mut self, value: R) {
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
        let ResponseWriter { connection, sent, bytes, next, .. } = &mut *self.responses;
        // SAFETY: it is a value of the format's type, and lives until we return.
        match unsafe { self.job.format.put_at(value, bytes) } {
            Ok(None) => {}
            Ok(Some(view)) => {
                self.is_over |= connection.send_large(*next - 1, sent, bytes, view).is_err()
            }
            Err(error) => value::put_failure(&Failed::Unsent(&error.to_string()), bytes),
        }
    }

    #[inline(never)]
    fn end_item(&mut self) {
        self.is_over |= !self.responses.item_is_over();
    }
}

impl Connection<'_> {
    /// Sends a value that is too large to be copied, after those that come before it.
    fn send_large(
        &self,
        index: usize,
        sent: &mut usize,
        bytes: &mut Vec<u8>,
        view: NumberView<'_>,
    ) -> io::Result<()> {
        if index > *sent {
            self.send(&[(MessageHeader::of_values(*sent..index, bytes.len()), bytes)])?;
            bytes.clear();
        }
        *sent = index + 1;
        let head = MessageHeader {
            kind: MessageKind::Large,
            start: index,
            count: 1,
            shape: view.shape,
            length: view.bytes.len(),
            ..MessageHeader::default()
        };
        self.send(&[(head, view.bytes)])
    }
}

/// The time since some moment, to a few milliseconds. It is asked for after every item, where the
/// exact time would cost more than all the rest that is done for a small one.
#[cfg(target_os = "linux")]
fn coarse_now() -> Duration {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: a valid place for the answer.
    unsafe { libc::clock_gettime(libc::CLOCK_MONOTONIC_COARSE, &raw mut time) };
    Duration::new(time.tv_sec.cast_unsigned(), time.tv_nsec as u32)
}

/// The time since some moment.
#[cfg(not(target_os = "linux"))]
fn coarse_now() -> Duration {
    static BEGIN: std::sync::LazyLock<Instant> = std::sync::LazyLock::new(Instant::now);
    BEGIN.elapsed()
}
