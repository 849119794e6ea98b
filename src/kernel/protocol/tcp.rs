//! Listens on TCP and limits the size of incoming messages.
//!
//! Any local user can connect to a TCP port, and the signature of a message is checked only when
//! all of it has been read. The ZeroMQ library trusts the length at the head of a frame and
//! allocates that much memory, so nine bytes from another user could end the kernel. So the library
//! listens on Unix sockets in the kernel's private folder, as it does for `ipc`. This module
//! accepts connections on the ports of the connection file, forwards bytes in both directions, and
//! closes a connection that announces too large a message.

use anyhow::{Context, Result};
use jupyter_protocol::ConnectionInfo;
use jupyter_protocol::connection_info::Transport;
use std::path::{Path, PathBuf};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream, UnixStream};
use tokio::sync::{mpsc, watch};

/// The largest message in bytes, all parts together: far more than a front end sends.
const MAX_MESSAGE: u64 = 64 << 20;
/// The memory that a part takes in addition to its bytes.
const PART_OVERHEAD: u64 = 128;
/// How long sending the remaining output may take at the end.
const DRAIN_TIMEOUT: Duration = Duration::from_secs(2);

/// Ports that are bound but not served yet.
pub struct Ports {
    listeners: Vec<(TcpListener, PathBuf)>,
}

/// Binds the ports. Also returns the connection on which the library must listen instead, with
/// sockets in `folder`.
///
/// # Errors
/// If a port is in use, or the address does not belong to this machine.
pub async fn bind(connection: &ConnectionInfo, folder: &Path) -> Result<(ConnectionInfo, Ports)> {
    let prefix = folder.join("zmq");
    let ip =
        prefix.to_str().with_context(|| format!("{} is not UTF-8", prefix.display()))?.to_owned();
    let mut listeners = Vec::new();
    for port in [
        connection.shell_port,
        connection.iopub_port,
        connection.stdin_port,
        connection.control_port,
        connection.hb_port,
    ] {
        let host = if connection.ip == "*" { "0.0.0.0" } else { &connection.ip };
        let address = format!("{host}:{port}");
        let listener = TcpListener::bind(&address)
            .await
            .with_context(|| format!("failed to listen on {address}"))?;
        listeners.push((listener, PathBuf::from(format!("{ip}-{port}"))));
    }
    Ok((
        ConnectionInfo { ip, transport: Transport::IPC, ..connection.clone() },
        Ports { listeners },
    ))
}

/// The running server. See [`Proxy::finish`].
pub struct Proxy {
    ending: watch::Sender<()>,
    /// Closes when the last task has ended.
    tasks: mpsc::Receiver<()>,
}

impl Ports {
    /// Starts to accept connections. The library must already be listening.
    pub fn serve(self) -> Proxy {
        let (ending, ended) = watch::channel(());
        let (task, tasks) = mpsc::channel(1);
        for (listener, socket) in self.listeners {
            tokio::spawn(accept(listener, socket, ended.clone(), task.clone()));
        }
        Proxy { ending, tasks }
    }
}

impl Proxy {
    /// Closes the ports, and closes the connections once all output is sent.
    pub async fn finish(mut self) {
        let _ = self.ending.send(());
        let _ = tokio::time::timeout(DRAIN_TIMEOUT, self.tasks.recv()).await;
    }
}

async fn accept(
    listener: TcpListener,
    socket: PathBuf,
    mut ended: watch::Receiver<()>,
    task: mpsc::Sender<()>,
) {
    loop {
        let outer = tokio::select! {
            accepted = listener.accept() => accepted,
            _ = ended.changed() => return,
        };
        match outer {
            Ok((outer, _)) => {
                let (socket, ended, task) = (socket.clone(), ended.clone(), task.clone());
                tokio::spawn(async move {
                    // A broken connection affects only its client.
                    let _ = connect(outer, &socket, ended).await;
                    drop(task);
                });
            }
            // No descriptors are left, or the client has already disconnected.
            Err(_) => tokio::time::sleep(Duration::from_millis(10)).await,
        }
    }
}

async fn connect(
    mut outer: TcpStream,
    socket: &Path,
    ended: watch::Receiver<()>,
) -> std::io::Result<()> {
    outer.set_nodelay(true)?;
    let mut inner = UnixStream::connect(socket).await?;
    let (from_client, to_client) = outer.split();
    let (from_kernel, to_kernel) = inner.split();
    tokio::select! {
        end = inwards(from_client, to_kernel) => end,
        end = outwards(from_kernel, to_client, ended) => end,
    }
}

async fn inwards(
    mut from: impl AsyncRead + Unpin,
    mut to: impl AsyncWrite + Unpin,
) -> std::io::Result<()> {
    let mut frames = Frames::default();
    let mut buffer = vec![0; 64 * 1024];
    loop {
        let length = from.read(&mut buffer).await?;
        if length == 0 || !frames.accept(&buffer[..length]) {
            return Ok(());
        }
        to.write_all(&buffer[..length]).await?;
    }
}

async fn outwards(
    mut from: impl AsyncRead + Unpin,
    mut to: impl AsyncWrite + Unpin,
    mut ended: watch::Receiver<()>,
) -> std::io::Result<()> {
    let mut buffer = vec![0; 64 * 1024];
    loop {
        // Read first, so that at the end the remaining output is still sent.
        let length = tokio::select! {
            biased;
            length = from.read(&mut buffer) => length?,
            _ = ended.changed() => 0,
        };
        if length == 0 {
            return Ok(());
        }
        to.write_all(&buffer[..length]).await?;
    }
}

/// Parses the framing of ZMTP 3 (<https://rfc.zeromq.org/spec/23/>): a greeting of 64 bytes, then
/// frames, each with a flags byte, a length of one or eight bytes, and a body of that length.
#[derive(Debug, Clone, Copy)]
struct Frames {
    state: State,
    /// Bytes in the parts of the current message so far.
    message: u64,
}

#[derive(Debug, Clone, Copy)]
enum State {
    Greeting { missing: u64 },
    Flags,
    Length { more: bool, missing: u32, so_far: u64 },
    Body { missing: u64 },
}

impl Default for Frames {
    fn default() -> Frames {
        Frames { state: State::Greeting { missing: 64 }, message: 0 }
    }
}

impl Frames {
    /// Parses more bytes. Returns false if the message becomes too large.
    fn accept(&mut self, mut bytes: &[u8]) -> bool {
        const MORE: u8 = 1;
        const LONG: u8 = 2;
        while let Some((first, rest)) = bytes.split_first() {
            match &mut self.state {
                State::Greeting { missing } | State::Body { missing } => {
                    let taken = (*missing).min(bytes.len() as u64);
                    *missing -= taken;
                    bytes = &bytes[taken as usize..];
                    if *missing == 0 {
                        self.state = State::Flags;
                    }
                }
                State::Flags => {
                    let missing = if first & LONG != 0 { 8 } else { 1 };
                    self.state = State::Length { more: first & MORE != 0, missing, so_far: 0 };
                    bytes = rest;
                }
                State::Length { more, missing, so_far } => {
                    *so_far = *so_far << 8 | u64::from(*first);
                    *missing -= 1;
                    bytes = rest;
                    if *missing == 0 {
                        let (more, length) = (*more, *so_far);
                        self.message =
                            self.message.saturating_add(PART_OVERHEAD).saturating_add(length);
                        if self.message > MAX_MESSAGE {
                            return false;
                        }
                        if !more {
                            self.message = 0;
                        }
                        self.state = if length == 0 {
                            State::Flags
                        } else {
                            State::Body { missing: length }
                        };
                    }
                }
            }
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(flags: u8, length: u64) -> Vec<u8> {
        let head = if flags & 2 == 0 {
            vec![flags, length as u8]
        } else {
            [&[flags][..], &length.to_be_bytes()].concat()
        };
        [head, vec![b'x'; length as usize]].concat()
    }

    /// Whether the stream is accepted, regardless of how it is split.
    fn accepts(stream: &[u8]) -> bool {
        let results = [1, 2, 3, 64, 65, stream.len()].map(|size| {
            let mut frames = Frames::default();
            stream.chunks(size).all(|piece| frames.accept(piece))
        });
        assert!(results.iter().all(|result| *result == results[0]), "{results:?}");
        results[0]
    }

    #[test]
    fn ordinary_messages_pass() {
        let greeting = vec![0xff; 64];
        let command = frame(4, 25);
        let message =
            [frame(1, 0), frame(1, 255), frame(3, 256), frame(3, 70_000), frame(2, 0), frame(0, 1)]
                .concat();
        let stream = [greeting, command, message.clone(), message].concat();
        assert!((1..stream.len()).step_by(997).all(|length| accepts(&stream[..length])));
        assert!(accepts(&stream));
        // Any number of messages.
        let mut frames = Frames::default();
        assert!(frames.accept(&[0; 64]));
        let large = frame(2, MAX_MESSAGE / 2);
        assert!((0..5).all(|_| frames.accept(&large)));
    }

    #[test]
    fn announced_sizes_are_limited() {
        let announced =
            |flags: u8, length: u64| [&[0; 64][..], &[flags], &length.to_be_bytes()].concat();
        assert!(accepts(&announced(2, MAX_MESSAGE - PART_OVERHEAD)));
        for length in [MAX_MESSAGE - PART_OVERHEAD + 1, 1 << 40, 1 << 62, 1 << 63, u64::MAX] {
            for flags in [2, 3, 6] {
                assert!(!accepts(&announced(flags, length)), "{flags} {length}");
            }
        }
        // Parts add up, even empty ones.
        let parts = [vec![0; 64], frame(3, MAX_MESSAGE / 2), frame(3, MAX_MESSAGE / 2)].concat();
        let mut frames = Frames::default();
        assert!(!frames.accept(&parts));
        let mut frames = Frames::default();
        assert!(frames.accept(&[0; 64]));
        let empty = frame(1, 0).repeat(1000);
        assert!(!(0..=MAX_MESSAGE / PART_OVERHEAD / 1000).all(|_| frames.accept(&empty)));
    }
}
