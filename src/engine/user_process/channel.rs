//! The user process's end of the connection to the kernel.

use super::wire::{MAX_PAYLOAD, PacketKind};
use rustix::fd::{AsFd, BorrowedFd, OwnedFd};
use rustix::net::{SendAncillaryBuffer, SendAncillaryMessage, SendFlags};
use std::io::IoSlice;
use std::os::fd::RawFd;
use std::path::Path;

/// Connects to the kernel's socket.
pub fn connect(path: &Path) -> std::io::Result<OwnedFd> {
    use rustix::net::{AddressFamily, SocketAddrUnix, SocketType, connect, socket};
    let socket = socket(AddressFamily::UNIX, SocketType::SEQPACKET, None)?;
    rustix::io::fcntl_setfd(&socket, rustix::io::FdFlags::CLOEXEC)?;
    connect(&socket, &SocketAddrUnix::new(path)?)?;
    Ok(socket)
}

/// Sends one packet. A payload that is too long is truncated.
pub fn send(channel: BorrowedFd<'_>, kind: PacketKind, payload: &[u8]) -> std::io::Result<()> {
    send_with_descriptors(channel, kind, payload, &[])
}

/// Sends one packet together with descriptors.
pub fn send_with_descriptors(
    channel: BorrowedFd<'_>,
    kind: PacketKind,
    payload: &[u8],
    descriptors: &[BorrowedFd<'_>],
) -> std::io::Result<()> {
    let mut space = [std::mem::MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(3))];
    let mut ancillary = SendAncillaryBuffer::new(&mut space);
    if !descriptors.is_empty() {
        assert!(
            ancillary.push(SendAncillaryMessage::ScmRights(descriptors)),
            "at most three descriptors fit"
        );
    }
    let payload = &payload[..payload.len().min(MAX_PAYLOAD)];
    let parts = [IoSlice::new(std::slice::from_ref(kind_byte(&kind))), IoSlice::new(payload)];
    rustix::io::retry_on_intr(|| {
        rustix::net::sendmsg(channel, &parts, &mut ancillary, SendFlags::NOSIGNAL)
    })?;
    Ok(())
}

fn kind_byte(kind: &PacketKind) -> &u8 {
    // SAFETY: PacketKind is repr(u8), so a reference to it is a reference to one initialised byte.
    unsafe { &*(kind as *const PacketKind).cast::<u8>() }
}

/// Receives one packet of at most 1 MiB. `None` if the kernel has closed the connection.
pub fn receive(channel: BorrowedFd<'_>) -> std::io::Result<Option<Vec<u8>>> {
    let mut buffer = vec![0u8; 1 << 20];
    let length = rustix::io::retry_on_intr(|| rustix::io::read(channel, &mut buffer))?;
    buffer.truncate(length);
    Ok((length > 0).then_some(buffer))
}

/// Duplicates the descriptor to a high number that the user's code is unlikely to use, with
/// close-on-exec.
pub fn move_up(descriptor: RawFd) -> std::io::Result<OwnedFd> {
    // SAFETY: the caller passes one of the standard descriptors, which stay open during this call.
    let borrowed = unsafe { BorrowedFd::borrow_raw(descriptor) };
    Ok(rustix::io::fcntl_dupfd_cloexec(borrowed, 100)?)
}

/// Makes a standard descriptor refer to the same file as `source`.
pub fn replace_standard(source: impl AsFd, standard: RawFd) -> std::io::Result<()> {
    use std::os::fd::AsRawFd;
    // SAFETY: dup2 has no memory effects; `standard` is 0, 1 or 2, which no Rust value in this
    // process owns yet.
    match unsafe { libc::dup2(source.as_fd().as_raw_fd(), standard) } {
        -1 => Err(std::io::Error::last_os_error()),
        _ => Ok(()),
    }
}
