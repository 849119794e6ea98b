//! Messages between processes, as a whole or not at all.
//!
//! A pair of sockets that keeps messages separate. The system stores what is on its way: no process
//! can leave memory half written, and there is no lock that a dying process could leave locked. A
//! long message travels in a file in memory, of which only the descriptor is sent.

use super::numbers::NumberView;
use super::value::{self, EncodedValue, Format, Value};
use crate::interrupt::{self, POLL_INTERVAL};
use crate::processes::shared::memory;
use std::fs::File;
use std::io::{self, Write};
use std::mem::{MaybeUninit, size_of, zeroed};
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd, RawFd};
use std::os::unix::fs::FileExt;
use std::time::{Duration, Instant};

/// Up to this many bytes are sent in the message itself. macOS takes 2 KiB in a message.
const SHORT: usize = if cfg!(target_os = "linux") { 32 << 10 } else { 1 << 10 };

/// Where the bytes are: the first byte of every message.
const INLINE: u8 = 1;
const IN_FILE: u8 = 2;
/// As they are in memory.
const NUMBERS_IN_FILE: u8 = 3;

/// One end of a connection.
#[derive(Debug)]
pub(crate) struct Socket(OwnedFd);

/// A value ready to be sent.
#[derive(Debug)]
pub(crate) struct Message {
    /// [`INLINE`] and the value, or the kind of file and the shape.
    bytes: Vec<u8>,
    file: Option<File>,
}

/// The result of an attempt to receive.
#[derive(Debug)]
pub(crate) enum Received {
    Message(Message),
    /// Not yet.
    Nothing,
    /// There is no message, and no process that could send one.
    Closed,
}

/// The result of an attempt to send.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Sent {
    Done,
    /// Too many messages are on their way: not yet.
    Full,
    /// There is no process that could receive.
    Closed,
}

/// What to wait for.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Readiness {
    Readable,
    Writable,
}

impl Message {
    pub(crate) fn new<T: Value>(value: &T) -> Result<Message, String> {
        let mut bytes = vec![INLINE];
        let numbers = value::put(Format::of::<T>(), value, &mut bytes);
        Message::of(numbers, bytes)
    }

    /// A message of these bytes or, if there are any, of these numbers.
    #[inline(never)]
    fn of(
        numbers: Result<Option<NumberView<'_>>, postcard::Error>,
        bytes: Vec<u8>,
    ) -> Result<Message, String> {
        let failed = |error: io::Error| format!("no memory for a message: {error}");
        let numbers = numbers.map_err(|error| error.to_string())?;
        if numbers.is_none() && bytes.len() <= SHORT {
            return Ok(Message { bytes, file: None });
        }
        let (head, content) = match &numbers {
            // Without a copy in between.
            Some(numbers) => (NUMBERS_IN_FILE, numbers.bytes),
            None => (IN_FILE, &bytes[1..]),
        };
        let shape = numbers.as_ref().map_or([content.len(), 1], |numbers| numbers.shape);
        let mut file = memory::create_file("parcourse-message").map_err(failed)?;
        file.write_all(content).map_err(failed)?;
        let bytes =
            [head].into_iter().chain(shape.into_iter().flat_map(usize::to_le_bytes)).collect();
        Ok(Message { bytes, file: Some(file) })
    }

    /// Decodes the value.
    pub(crate) fn open<T: Value>(self) -> Result<T, String> {
        let mut value = MaybeUninit::<T>::uninit();
        // SAFETY: there is memory for a value of this type, which `open_to` has written if it
        // returns `Ok`.
        unsafe {
            self.open_to(Format::of::<T>(), value.as_mut_ptr().cast())?;
            Ok(value.assume_init())
        }
    }

    /// # Safety
    ///
    /// The address is valid for a value of the format.
    #[inline(never)]
    unsafe fn open_to(self, format: Format, into: *mut u8) -> Result<(), String> {
        let Some((kind, mut rest)) = self.bytes.split_first() else {
            return Err("an empty message".into());
        };
        let take = |arrived: EncodedValue| {
            // SAFETY: as the caller promises.
            unsafe { format.take_to(arrived, into) }.map_err(|cause| format!("{cause:?}"))
        };
        let Some(file) = self.file else {
            let is_here = *kind == INLINE;
            return if is_here {
                take(EncodedValue::Bytes(&mut rest))
            } else {
                Err("no file descriptor is left for a long message".into())
            };
        };
        let (is_numbers, shape) =
            (*kind == NUMBERS_IN_FILE, shape(rest).ok_or("a message without its length")?);
        match format.numbers() {
            Some(format) if is_numbers => {
                let mut buffer = format.recv_buffer(shape);
                let (place, length) = buffer.destination();
                // SAFETY: there is room for this many bytes, which nothing else uses; only the
                // system writes to them.
                let place = unsafe { std::slice::from_raw_parts_mut(place, length) };
                file.read_exact_at(place, 0).map_err(|error| error.to_string())?;
                take(EncodedValue::Numbers(buffer))
            }
            _ => {
                let mut bytes = vec![0; shape[0]];
                file.read_exact_at(&mut bytes, 0).map_err(|error| error.to_string())?;
                take(EncodedValue::Bytes(&mut &bytes[..]))
            }
        }
    }
}

/// Rows and columns, or the number of bytes and 1.
fn shape(bytes: &[u8]) -> Option<[usize; 2]> {
    let (rows, columns) = bytes.split_at_checked(size_of::<usize>())?;
    Some([
        usize::from_le_bytes(rows.try_into().ok()?),
        usize::from_le_bytes(columns.try_into().ok()?),
    ])
}

/// Room for one descriptor beside a message, aligned as the system requires.
#[repr(C)]
union Ancillary {
    bytes: [u8; 64],
    _align: libc::cmsghdr,
}

impl Socket {
    /// Two connected ends. Programs started from here do not inherit them.
    pub(crate) fn pair() -> io::Result<(Socket, Socket)> {
        #[cfg(target_os = "linux")]
        const KIND: libc::c_int = libc::SOCK_SEQPACKET | libc::SOCK_CLOEXEC;
        #[cfg(not(target_os = "linux"))]
        const KIND: libc::c_int = libc::SOCK_DGRAM;
        let mut ends: [RawFd; 2] = [-1; 2];
        // SAFETY: `ends` has room for two descriptors.
        if unsafe { libc::socketpair(libc::AF_UNIX, KIND, 0, ends.as_mut_ptr()) } != 0 {
            return Err(io::Error::last_os_error());
        }
        // SAFETY: both are open, and have no other owner.
        let ends = ends.map(|end| Socket(unsafe { OwnedFd::from_raw_fd(end) }));
        #[cfg(not(target_os = "linux"))]
        for end in &ends {
            // SAFETY: the descriptor is open.
            unsafe { libc::fcntl(end.0.as_raw_fd(), libc::F_SETFD, libc::FD_CLOEXEC) };
        }
        let [first, second] = ends;
        Ok((first, second))
    }

    /// Sends, without waiting.
    pub(crate) fn try_send(&self, message: &Message) -> io::Result<Sent> {
        let mut part = libc::iovec {
            iov_base: message.bytes.as_ptr().cast_mut().cast(),
            iov_len: message.bytes.len(),
        };
        let mut ancillary = Ancillary { bytes: [0; 64] };
        // SAFETY: all zeros is a valid header: no address, no parts.
        let mut header: libc::msghdr = unsafe { zeroed() };
        header.msg_iov = &mut part;
        header.msg_iovlen = 1;
        if let Some(file) = &message.file {
            header.msg_control = (&raw mut ancillary).cast();
            // SAFETY: `ancillary` has room for the header and one descriptor (24 bytes at most),
            // and is aligned for them.
            unsafe {
                header.msg_controllen = libc::CMSG_SPACE(size_of::<RawFd>() as u32) as _;
                let control = libc::CMSG_FIRSTHDR(&header);
                (*control).cmsg_level = libc::SOL_SOCKET;
                (*control).cmsg_type = libc::SCM_RIGHTS;
                (*control).cmsg_len = libc::CMSG_LEN(size_of::<RawFd>() as u32) as _;
                libc::CMSG_DATA(control).cast::<RawFd>().write_unaligned(file.as_raw_fd());
            }
        }
        #[cfg(target_os = "linux")]
        const FLAGS: libc::c_int = libc::MSG_DONTWAIT | libc::MSG_NOSIGNAL;
        #[cfg(not(target_os = "linux"))]
        const FLAGS: libc::c_int = libc::MSG_DONTWAIT;
        loop {
            // SAFETY: everything that the header points to lives until after the call.
            if unsafe { libc::sendmsg(self.0.as_raw_fd(), &header, FLAGS) } >= 0 {
                return Ok(Sent::Done);
            }
            let error = io::Error::last_os_error();
            match error.raw_os_error() {
                Some(libc::EINTR) => continue,
                // The last one: many descriptors are on their way already.
                Some(libc::EAGAIN | libc::ENOBUFS | libc::ETOOMANYREFS) => return Ok(Sent::Full),
                Some(libc::EPIPE | libc::ECONNRESET | libc::ENOTCONN | libc::ECONNREFUSED) => {
                    return Ok(Sent::Closed);
                }
                _ => return Err(error),
            }
        }
    }

    /// Receives, without waiting.
    pub(crate) fn try_receive(&self) -> io::Result<Received> {
        let mut buffer = [const { MaybeUninit::<u8>::uninit() }; SHORT];
        let mut part = libc::iovec { iov_base: buffer.as_mut_ptr().cast(), iov_len: SHORT };
        let mut ancillary = Ancillary { bytes: [0; 64] };
        // SAFETY: all zeros is a valid header: no address, no parts.
        let mut header: libc::msghdr = unsafe { zeroed() };
        header.msg_iov = &mut part;
        header.msg_iovlen = 1;
        header.msg_control = (&raw mut ancillary).cast();
        header.msg_controllen = size_of::<Ancillary>() as _;
        #[cfg(target_os = "linux")]
        const FLAGS: libc::c_int = libc::MSG_DONTWAIT | libc::MSG_CMSG_CLOEXEC;
        #[cfg(not(target_os = "linux"))]
        const FLAGS: libc::c_int = libc::MSG_DONTWAIT;
        let length = loop {
            // SAFETY: everything that the header points to lives until after the call.
            let length = unsafe { libc::recvmsg(self.0.as_raw_fd(), &mut header, FLAGS) };
            if length >= 0 {
                break length as usize;
            }
            let error = io::Error::last_os_error();
            match error.raw_os_error() {
                Some(libc::EINTR) => continue,
                Some(libc::EAGAIN) => return Ok(Received::Nothing),
                Some(libc::ECONNRESET | libc::ENOTCONN) => return Ok(Received::Closed),
                _ => return Err(error),
            }
        };
        // SAFETY: the header is as the system has left it; a control message of this kind begins
        // with a descriptor, which is ours now.
        let file = unsafe {
            let control = libc::CMSG_FIRSTHDR(&header);
            let holds_a_file = !control.is_null()
                && (*control).cmsg_level == libc::SOL_SOCKET
                && (*control).cmsg_type == libc::SCM_RIGHTS;
            holds_a_file.then(|| {
                File::from_raw_fd(libc::CMSG_DATA(control).cast::<RawFd>().read_unaligned())
            })
        };
        // Our messages are never empty.
        if length == 0 {
            return Ok(Received::Closed);
        }
        // SAFETY: the system has written this many bytes.
        let bytes =
            unsafe { std::slice::from_raw_parts(buffer.as_ptr().cast::<u8>(), length) }.to_vec();
        Ok(Received::Message(Message { bytes, file }))
    }

    /// Whether there is no message to receive.
    pub(crate) fn is_empty(&self) -> bool {
        let mut bytes: libc::c_int = 0;
        // SAFETY: `bytes` is valid for the answer.
        unsafe { libc::ioctl(self.0.as_raw_fd(), libc::FIONREAD, &mut bytes) == 0 && bytes == 0 }
    }

    /// Closes this end for sending, in all processes; what was sent stays.
    pub(crate) fn close_for_sending(&self) {
        // SAFETY: the descriptor is open.
        unsafe { libc::shutdown(self.0.as_raw_fd(), libc::SHUT_WR) };
    }

    /// Waits until something may have changed, at most for `time`.
    pub(crate) fn wait(&self, until: Readiness, time: Duration) {
        let events = match until {
            Readiness::Readable => libc::POLLIN,
            Readiness::Writable => libc::POLLOUT,
        };
        let mut entry = libc::pollfd { fd: self.0.as_raw_fd(), events, revents: 0 };
        // Rounded up, so that the end of a timeout is not a busy loop.
        let milliseconds = time.as_micros().div_ceil(1000).min(1000) as libc::c_int;
        // SAFETY: one valid entry.
        unsafe { libc::poll(&mut entry, 1, milliseconds) };
    }
}

/// Tries repeatedly, and waits in between with `wait`; `None` after `timeout`. Unwinds when
/// interrupted.
pub(crate) fn retry<R>(
    timeout: Option<Duration>,
    mut attempt: impl FnMut() -> Option<R>,
    wait: impl Fn(Duration),
) -> Option<R> {
    if let Some(result) = attempt() {
        return Some(result);
    }
    let start = Instant::now();
    interrupt::scope(|| {
        loop {
            let left = match timeout {
                Some(timeout) => {
                    timeout.checked_sub(start.elapsed()).filter(|left| !left.is_zero())?
                }
                None => POLL_INTERVAL,
            };
            wait(left.min(POLL_INTERVAL));
            interrupt::check();
            if let Some(result) = attempt() {
                return Some(result);
            }
        }
    })
}
