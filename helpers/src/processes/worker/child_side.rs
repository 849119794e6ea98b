//! The child's side of a worker: its connection to the parent, the loop that waits for requests,
//! and how it sends results.

use super::protocol::{HEADER_LEN, MessageHeader, MessageKind, SharedStatus};
use super::task_events;
use crate::base::panic_capture;
use crate::base::panic_message::panic_message;
use crate::pool::Cause;
use crate::processes::transport::numbers::NumberView;
use crate::processes::transport::value::{self, EncodedFailure, EncodedValue, Format, Value};
use crate::tasks;
use std::any::TypeId;
use std::io::{self, Read, Write};
use std::ops::Range;
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};

/// Results of more than this many bytes are sent at once.
const FLUSH_BYTES: usize = 256 << 10;
/// Up to this many bytes are copied behind the message before them instead of being written
/// separately.
const MAX_COPIED_BYTES: usize = 16 << 10;
/// Results wait at most this long for those that follow.
const FLUSH_INTERVAL: Duration = Duration::from_millis(20);

/// The child's side of the connection.
pub(crate) struct Connection<'status> {
    pub(crate) socket: UnixStream,
    pub(crate) status: &'status SharedStatus,
}

/// What the parent asks for.
pub(crate) struct Request {
    pub(crate) items: Range<usize>,
    pub(crate) bytes: Vec<u8>,
}

/// Writes the results of a request.
pub(crate) struct ResponseWriter<'connection> {
    connection: &'connection Connection<'connection>,
    /// The item whose result comes next.
    next: usize,
    /// The items whose results were sent end here.
    sent: usize,
    bytes: Vec<u8>,
    last_sent: Duration,
}

impl Connection<'_> {
    /// Computes what the parent asks for until it closes the connection.
    pub(crate) fn serve(&self, compute: &mut dyn FnMut(Request, &mut ResponseWriter)) {
        while let Ok((header, bytes)) = self.receive() {
            tasks::set_recording(header.recording);
            let items = header.start..header.start + header.count;
            if self.answer(Request { items, bytes }, compute).is_err() {
                return;
            }
        }
    }

    /// Computes one range of items and sends the results.
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
        match responses.unsent() {
            Some(values) => self.send(&[(values, &responses.bytes), (done, &events)]),
            None => self.send(&[(done, &events)]),
        }
    }

    fn receive(&self) -> io::Result<(MessageHeader, Vec<u8>)> {
        let mut header = [0; HEADER_LEN];
        (&self.socket).read_exact(&mut header)?;
        let header = MessageHeader::from_bytes(&header).ok_or(io::ErrorKind::InvalidData)?;
        let mut bytes = vec![0; header.length];
        (&self.socket).read_exact(&mut bytes)?;
        Ok((header, bytes))
    }

    fn send(&self, messages: &[(MessageHeader, &[u8])]) -> io::Result<()> {
        // Sends what was printed before the result, so that it is not lost if this process is
        // killed after it.
        let _ = io::stdout().flush();
        let mut together = Vec::new();
        for (header, bytes) in messages {
            together.extend_from_slice(&header.to_bytes());
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
    /// Computes items and writes their values, or why there are none.
    ///
    /// `compute` asks the stream for the next item until there is none, and puts its value there.
    /// When it panics, it is called again, for the items that follow.
    pub(crate) fn each(&mut self, job: Job, compute: &mut dyn FnMut(&mut ItemStream)) {
        let mut stream = ItemStream { responses: self, job, before: 0, task: None, is_over: false };
        while let Err((payload, location)) = panic_capture::catch(|| compute(&mut stream)) {
            stream.task = None;
            let (index, before) = (stream.responses.next - 1, stream.before);
            // It may have panicked in the middle of the value's bytes, or after the value was sent.
            if stream.responses.sent <= index {
                stream.responses.bytes.truncate(before);
                value::put_failure(
                    &EncodedFailure::Panicked(panic_message(&*payload), &location),
                    &mut stream.responses.bytes,
                );
            }
            stream.is_over |= !stream.responses.finish_item();
        }
    }

    /// Ends the current item. Returns whether to go on.
    fn finish_item(&mut self) -> bool {
        self.connection.status.end();
        let is_long =
            self.bytes.len() > FLUSH_BYTES || coarse_now() - self.last_sent > FLUSH_INTERVAL;
        !is_long || self.flush().is_ok()
    }

    /// Writes why the next item has no value.
    pub(crate) fn fail_next(&mut self, cause: &Cause) {
        let text = match cause {
            Cause::NotSerializable { message } => message.clone(),
            other => format!("{other:?}"),
        };
        self.next += 1;
        value::put_failure(&EncodedFailure::NotSerializable(&text), &mut self.bytes);
    }

    /// The header of the results that were not sent yet.
    fn unsent(&self) -> Option<MessageHeader> {
        (self.next > self.sent)
            .then(|| MessageHeader::of_values(self.sent..self.next, self.bytes.len()))
    }

    /// Sends the results that were not sent yet.
    fn flush(&mut self) -> io::Result<()> {
        if let Some(header) = self.unsent() {
            self.connection.send(&[(header, &self.bytes)])?;
            self.sent = self.next;
            self.bytes.clear();
        }
        self.last_sent = coarse_now();
        Ok(())
    }
}

/// How to compute the items of a request.
pub(crate) struct Job<'job> {
    /// The items end here.
    pub(crate) end: usize,
    /// The format of the results.
    pub(crate) format: Format,
    /// The text for an item.
    pub(crate) name: &'job dyn Fn(usize) -> String,
    /// Items that were sent, and where each of them is decoded to before it is computed.
    pub(crate) items: Option<SentItems<'job>>,
}

/// The bytes of items in this format.
pub(crate) struct SentItems<'job> {
    bytes: &'job [u8],
    format: Format,
    address: *mut u8,
}

impl<'job> SentItems<'job> {
    /// # Safety
    ///
    /// The address is valid for a value of the format while this is used.
    pub(crate) unsafe fn new(
        bytes: &'job [u8],
        format: Format,
        address: *mut u8,
    ) -> SentItems<'job> {
        SentItems { bytes, format, address }
    }
}

/// Gives the function its items and takes their values.
pub(crate) struct ItemStream<'each, 'connection> {
    responses: &'each mut ResponseWriter<'connection>,
    job: Job<'each>,
    /// The length of the bytes before the current item.
    before: usize,
    /// Ends with the computation, if it is recorded.
    task: Option<tasks::Task<String>>,
    is_over: bool,
}

impl ItemStream<'_, '_> {
    /// The index of the next item to compute.
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
                // SAFETY: the address is valid for an item, as the caller of `new` promised.
                if let Err(cause) = unsafe {
                    items.format.take_to(EncodedValue::Bytes(&mut items.bytes), items.address)
                } {
                    self.responses.fail_next(&cause);
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

    /// Takes the value of the item. Dropping the value and sending it are part of the item.
    pub(crate) fn put<R: Value>(&mut self, value: R) {
        // SAFETY: the type is passed with the value.
        unsafe { self.put_at(TypeId::of::<R>(), std::ptr::from_ref(&value).cast()) };
        drop(value);
        self.end_item();
    }

    /// # Safety
    ///
    /// A value of this type is at the address.
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
            Err(error) => {
                value::put_failure(&EncodedFailure::NotSerializable(&error.to_string()), bytes)
            }
        }
    }

    #[inline(never)]
    fn end_item(&mut self) {
        self.is_over |= !self.responses.finish_item();
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
        let header = MessageHeader {
            kind: MessageKind::Large,
            start: index,
            count: 1,
            shape: view.shape,
            length: view.bytes.len(),
            ..MessageHeader::default()
        };
        self.send(&[(header, view.bytes)])
    }
}

/// The time since some moment, accurate to a few milliseconds. It is read after every item, where
/// the exact time would cost more than everything else that is done for a small one.
#[cfg(target_os = "linux")]
fn coarse_now() -> Duration {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: the address is valid for the answer.
    unsafe { libc::clock_gettime(libc::CLOCK_MONOTONIC_COARSE, &raw mut time) };
    Duration::new(time.tv_sec.cast_unsigned(), time.tv_nsec as u32)
}

/// The time since some moment.
#[cfg(not(target_os = "linux"))]
fn coarse_now() -> Duration {
    static BEGIN: std::sync::LazyLock<Instant> = std::sync::LazyLock::new(Instant::now);
    BEGIN.elapsed()
}
