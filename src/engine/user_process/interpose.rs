//! Replacements for the C library's `write`, `writev` and `read`, through which the user's code
//! uses stdout, stderr and stdin.
//!
//! Cells link Rust's standard library dynamically, and that library calls `write` by name. The
//! dynamic linker prefers a definition in the executable, so these functions see every `println!`
//! and `eprintln!` of a cell. In the user process they send the bytes over the kernel's socket. In
//! every other process, for every other descriptor, and if the program has redirected its stdout,
//! they are the plain system calls. C code and child processes write to ordinary pipes, which the
//! kernel reads too.
//!
//! The output functions take no lock and allocate nothing, because they run in signal handlers and
//! in forked children.

use super::wire::{MAX_PAYLOAD, PacketKind};
use libc::{c_int, c_void, iovec, size_t, ssize_t};
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd, RawFd};
use std::sync::Mutex;
use std::sync::atomic::{AtomicI32, AtomicU64, Ordering};

/// The kernel's socket, or -1.
static CHANNEL: AtomicI32 = AtomicI32::new(-1);
/// The pipe from which input is read, or -1.
static INPUT: AtomicI32 = AtomicI32::new(-1);
/// The file that records the stock kernel's hidden events, or -1.
static AUDIT: AtomicI32 = AtomicI32::new(-1);
/// Inodes of the standard descriptors at the start. If the inode has changed, the program has
/// redirected the descriptor.
static INODES: [AtomicU64; 3] = [AtomicU64::new(0), AtomicU64::new(0), AtomicU64::new(0)];
/// Input that was received but not read yet.
static PENDING_INPUT: Mutex<Vec<u8>> = Mutex::new(Vec::new());

/// Marker lines that the engine's code prints on the user's stdout, and their names in the audit
/// file.
const AUDITED: [(&[u8], &[u8]); 2] =
    [(b"EVCXR_PANIC_NOTIFICATION\n", b"panic\n"), (ERROR_MARKER, b"error\n")];
const ERROR_MARKER: &[u8] = b"EVCXR_ERROR_OCCURRED\n";

/// Connects the standard streams of this process to the kernel. Both descriptors stay open for the
/// life of the process.
pub fn start(channel: OwnedFd, input: OwnedFd) {
    for (descriptor, inode) in INODES.iter().enumerate() {
        inode.store(inode_of(descriptor as c_int), Ordering::Relaxed);
    }
    use std::os::fd::IntoRawFd;
    INPUT.store(input.into_raw_fd(), Ordering::Relaxed);
    CHANNEL.store(channel.into_raw_fd(), Ordering::Release);
}

/// Starts to append hidden events to the file.
pub fn start_audit(path: &std::ffi::OsStr) -> std::io::Result<()> {
    use std::os::fd::IntoRawFd;
    let file = std::fs::OpenOptions::new().create(true).append(true).open(path)?;
    AUDIT.store(file.into_raw_fd(), Ordering::Release);
    Ok(())
}

fn inode_of(descriptor: c_int) -> u64 {
    let mut status = std::mem::MaybeUninit::<libc::stat>::uninit();
    // SAFETY: fstat writes the buffer it is given and reports failure by its result.
    unsafe {
        if libc::fstat(descriptor, status.as_mut_ptr()) == 0 {
            status.assume_init().st_ino as u64
        } else {
            0
        }
    }
}

/// The kernel's socket, if writes to `descriptor` go there.
fn channel_for(descriptor: c_int) -> Option<RawFd> {
    if descriptor != 1 && descriptor != 2 {
        return None;
    }
    let channel = CHANNEL.load(Ordering::Acquire);
    (channel >= 0 && inode_of(descriptor) == INODES[descriptor as usize].load(Ordering::Relaxed))
        .then_some(channel)
}

/// How many of the bytes go into the next packet: all of them, or only complete lines if there are
/// any, so that a marker line is never split.
fn packet_length(bytes: &[u8]) -> usize {
    if bytes.len() <= MAX_PAYLOAD {
        return bytes.len();
    }
    bytes[..MAX_PAYLOAD].iter().rposition(|byte| *byte == b'\n').map_or(MAX_PAYLOAD, |end| end + 1)
}

/// Sends as many of the bytes as fit into one packet and returns how many those were, or `None` if
/// the kernel cannot be reached.
fn send(channel: RawFd, kind: PacketKind, bytes: &[u8]) -> Option<usize> {
    let length = packet_length(bytes);
    let mut kind = kind as u8;
    let mut parts = [
        iovec { iov_base: (&raw mut kind).cast(), iov_len: 1 },
        iovec { iov_base: bytes.as_ptr().cast_mut().cast::<c_void>(), iov_len: length },
    ];
    // SAFETY: msghdr is plain data for which all-zero is valid, and its two parts outlive the call,
    // which only reads them.
    unsafe {
        let mut message: libc::msghdr = std::mem::zeroed();
        message.msg_iov = parts.as_mut_ptr();
        message.msg_iovlen = parts.len() as _;
        loop {
            if libc::sendmsg(channel, &message, libc::MSG_NOSIGNAL) >= 0 {
                return Some(length);
            }
            if std::io::Error::last_os_error().kind() != std::io::ErrorKind::Interrupted {
                return None;
            }
        }
    }
}

fn audit(bytes: &[u8]) {
    let file = AUDIT.load(Ordering::Acquire);
    if file < 0 {
        return;
    }
    for (marker, event) in AUDITED {
        if bytes.ends_with(marker) {
            // SAFETY: the bytes live as long as the call.
            unsafe { raw_write(file, event.as_ptr().cast(), event.len()) };
        }
    }
}

/// # Safety
/// As for the system call: `buffer` points to `count` readable bytes.
unsafe fn raw_write(descriptor: c_int, buffer: *const c_void, count: size_t) -> ssize_t {
    // SAFETY: passed on unchanged.
    unsafe { libc::syscall(libc::SYS_write, descriptor, buffer, count) as ssize_t }
}

/// # Safety
/// As for the system call of that name.
#[cfg(target_os = "linux")]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn write(descriptor: c_int, buffer: *const c_void, count: size_t) -> ssize_t {
    if (descriptor == 1 || descriptor == 2) && count > 0 {
        // SAFETY: the caller promises `count` readable bytes.
        let bytes = unsafe { std::slice::from_raw_parts(buffer.cast::<u8>(), count) };
        let channel = channel_for(descriptor);
        // The engine's generated code prints this when a `?` leaves the cell. This is the last
        // moment at which the location is still on the stack.
        if channel.is_some() && descriptor == 1 && bytes.ends_with(ERROR_MARKER) {
            report(PacketKind::ErrorTrace, b"");
            if let Ok(json) = serde_json::to_vec(&super::stack::addresses()) {
                report(PacketKind::ErrorTrace, &json);
            }
        }
        if let Some(channel) = channel
            && let Some(length) = send(
                channel,
                if descriptor == 1 { PacketKind::Stdout } else { PacketKind::Stderr },
                bytes,
            )
        {
            return length as ssize_t;
        }
        if descriptor == 1 {
            audit(bytes);
        }
    }
    // SAFETY: passed on unchanged.
    unsafe { raw_write(descriptor, buffer, count) }
}

/// # Safety
/// As for the system call of that name.
#[cfg(target_os = "linux")]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn writev(descriptor: c_int, parts: *const iovec, count: c_int) -> ssize_t {
    if channel_for(descriptor).is_some() && count > 0 {
        // SAFETY: the caller promises `count` valid parts.
        let parts = unsafe { std::slice::from_raw_parts(parts, count as usize) };
        // A short write is allowed, so the first part that is not empty is enough.
        if let Some(part) = parts.iter().find(|part| part.iov_len > 0) {
            // SAFETY: a valid part is a valid buffer for write.
            return unsafe { write(descriptor, part.iov_base, part.iov_len) };
        }
    }
    // SAFETY: passed on unchanged.
    unsafe { libc::syscall(libc::SYS_writev, descriptor, parts, count) as ssize_t }
}

/// # Safety
/// As for the system call of that name.
#[cfg(target_os = "linux")]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn read(descriptor: c_int, buffer: *mut c_void, count: size_t) -> ssize_t {
    if descriptor == 0
        && count > 0
        && INPUT.load(Ordering::Relaxed) >= 0
        && inode_of(0) == INODES[0].load(Ordering::Relaxed)
    {
        // SAFETY: the caller promises `count` writable bytes; they are only written.
        let target = unsafe { std::slice::from_raw_parts_mut(buffer.cast::<u8>(), count) };
        return read_input(target) as ssize_t;
    }
    // SAFETY: passed on unchanged.
    unsafe { libc::syscall(libc::SYS_read, descriptor, buffer, count) as ssize_t }
}

/// Returns pending input, or asks the kernel for a line. 0 means end of file.
fn read_input(target: &mut [u8]) -> usize {
    let mut pending = PENDING_INPUT.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
    if pending.is_empty() {
        let channel = CHANNEL.load(Ordering::Acquire);
        if send(channel, PacketKind::Input, b"").is_none() {
            return 0;
        }
        *pending = receive_input(INPUT.load(Ordering::Relaxed)).unwrap_or_default();
    }
    let length = pending.len().min(target.len());
    target[..length].copy_from_slice(&pending[..length]);
    pending.drain(..length);
    length
}

/// Reads one answer: its length as four bytes, little endian, then that many bytes. Length 0 means
/// end of file.
fn receive_input(input: RawFd) -> std::io::Result<Vec<u8>> {
    use std::io::Read;
    // SAFETY: the descriptor stays open for the life of the process, and ManuallyDrop keeps this
    // File from closing it.
    let mut pipe =
        std::mem::ManuallyDrop::new(unsafe { std::fs::File::from(OwnedFd::from_raw_fd(input)) });
    let mut length = [0; 4];
    pipe.read_exact(&mut length)?;
    let mut line = vec![0; u32::from_le_bytes(length) as usize];
    pipe.read_exact(&mut line)?;
    Ok(line)
}

/// Sends a packet to the kernel, for the hooks of [`super::support`]. Does nothing without a
/// connection.
pub fn report(kind: PacketKind, bytes: &[u8]) {
    let channel = CHANNEL.load(Ordering::Acquire);
    if channel >= 0 {
        send(channel.as_raw_fd(), kind, bytes);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_writes_are_split_between_lines() {
        let lines = b"0123456789\n".repeat(10_000);
        let length = packet_length(&lines);
        assert!(length <= MAX_PAYLOAD && length > MAX_PAYLOAD - 11 && lines[length - 1] == b'\n');
        assert_eq!(packet_length(&vec![b'x'; 2 * MAX_PAYLOAD]), MAX_PAYLOAD);
        assert_eq!(packet_length(b"short"), 5);
        assert_eq!(packet_length(b"two\nlines"), 9);
    }
}
