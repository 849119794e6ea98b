//! Reads from the user process.
//!
//! Each user process connects once and is served by one thread, which reads its packets in order,
//! reads the pipes that child processes and C code write to, and watches for its death. The engine
//! notices the death when its own pipe ends. A child that holds that pipe open could keep the
//! engine waiting forever, so we kill the whole process group.

use super::Outputs;
use crate::base::log::log;
use crate::engine::user_process::wire::PacketKind;
use anyhow::{Context, Result, bail};
use rustix::event::{PollFd, PollFlags, poll};
use rustix::fd::{AsFd, OwnedFd};
use rustix::net::{RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags};
use rustix::process::{Pid, Signal};
use std::io::IoSliceMut;
use std::path::Path;
use std::sync::atomic::{AtomicI32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// How often pending output is checked.
const TICK: Duration = Duration::from_millis(10);
/// More than a pipe can hold. What children write beyond that was written after the end of the run.
const LARGEST_PIPE: usize = 1 << 20;

/// The listening socket and the current user process.
pub struct Relay {
    /// Process id of the current user process, which leads its process group; 0 if there is none.
    current: Arc<AtomicI32>,
}

impl Relay {
    /// Listens at `path` and serves user processes for the life of the kernel.
    pub fn start(path: &Path, outputs: Arc<Outputs>) -> Result<Relay> {
        use rustix::net::{
            AddressFamily, SocketAddrUnix, SocketType, accept, bind, listen, socket,
        };
        let listener = socket(AddressFamily::UNIX, SocketType::SEQPACKET, None)?;
        rustix::io::fcntl_setfd(&listener, rustix::io::FdFlags::CLOEXEC)?;
        let address = SocketAddrUnix::new(path)
            .with_context(|| format!("the path {} is too long for a socket", path.display()))?;
        bind(&listener, &address)
            .with_context(|| format!("failed to listen at {}", path.display()))?;
        listen(&listener, 4)?;
        let current = Arc::new(AtomicI32::new(0));
        let serving = current.clone();
        std::thread::Builder::new().name("relay".to_owned()).spawn(move || {
            while let Ok(channel) = rustix::io::retry_on_intr(|| accept(&listener)) {
                let (outputs, current) = (outputs.clone(), serving.clone());
                std::thread::spawn(move || {
                    if let Err(error) = Connection::accept(channel, current)
                        .and_then(|connection| connection.serve(&outputs))
                    {
                        log!(
                            "parcourse kernel: lost the connection to the user process: {error:#}"
                        );
                    }
                });
            }
        })?;
        Ok(Relay { current })
    }

    /// The current user process.
    pub fn user_process(&self) -> Option<Pid> {
        Pid::from_raw(self.current.load(Ordering::Acquire))
    }

    /// Sends a signal to the user process alone.
    pub fn signal(&self, signal: Signal) {
        if let Some(pid) = self.user_process() {
            let _ = rustix::process::kill_process(pid, signal);
        }
    }

    /// Kills the user process and everything in its process group.
    pub fn kill(&self) {
        if let Some(pid) = self.user_process() {
            kill_group(pid);
        }
    }
}

fn kill_group(leader: Pid) {
    let _ = rustix::process::kill_process_group(leader, Signal::KILL);
    let _ = rustix::process::kill_process(leader, Signal::KILL);
}

/// The connection to one user process.
struct Connection {
    channel: OwnedFd,
    pid: Pid,
    /// Becomes readable when the process ends.
    death: OwnedFd,
    stdout: OwnedFd,
    stderr: OwnedFd,
    input: Arc<Mutex<std::fs::File>>,
    current: Arc<AtomicI32>,
}

impl Connection {
    fn accept(channel: OwnedFd, current: Arc<AtomicI32>) -> Result<Connection> {
        rustix::io::fcntl_setfd(&channel, rustix::io::FdFlags::CLOEXEC)?;
        let mut space = [std::mem::MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(3))];
        let mut ancillary = RecvAncillaryBuffer::new(&mut space);
        let mut bytes = [0u8; 64];
        let mut parts = [IoSliceMut::new(&mut bytes)];
        let received =
            rustix::net::recvmsg(&channel, &mut parts, &mut ancillary, RecvFlags::CMSG_CLOEXEC)?;
        let mut descriptors = Vec::new();
        for message in ancillary.drain() {
            if let RecvAncillaryMessage::ScmRights(rights) = message {
                descriptors.extend(rights);
            }
        }
        let bytes = &bytes[..received.bytes];
        let pid = match bytes.split_first() {
            Some((kind, pid)) if *kind == PacketKind::Hello as u8 => {
                std::str::from_utf8(pid)?.parse::<i32>()?
            }
            _ => bail!("its first packet was not a greeting"),
        };
        let pid = Pid::from_raw(pid).context("the process id is 0")?;
        let Ok([stdout, stderr, input]) = <[OwnedFd; 3]>::try_from(descriptors) else {
            bail!("it sent no pipes")
        };
        let death = process_descriptor(pid)?;
        current.store(pid.as_raw_nonzero().get(), Ordering::Release);
        Ok(Connection {
            channel,
            pid,
            death,
            stdout,
            stderr,
            input: Arc::new(Mutex::new(input.into())),
            current,
        })
    }

    fn serve(self, outputs: &Arc<Outputs>) -> Result<()> {
        let mut buffer = vec![0u8; 64 * 1024];
        let mut open = [true; 3];
        let timeout = rustix::event::Timespec { tv_sec: 0, tv_nsec: TICK.subsec_nanos().into() };
        loop {
            let mut polled = [
                PollFd::new(&self.channel, PollFlags::IN),
                PollFd::new(&self.stdout, PollFlags::IN),
                PollFd::new(&self.stderr, PollFlags::IN),
                PollFd::new(&self.death, PollFlags::IN),
            ];
            // A closed pipe would always be ready.
            for (entry, open) in polled.iter_mut().zip(open) {
                if !open {
                    *entry = PollFd::from_borrowed_fd(self.death.as_fd(), PollFlags::empty());
                }
            }
            let idle = rustix::io::retry_on_intr(|| poll(&mut polled, Some(&timeout)))? == 0;
            let ready: Vec<bool> = polled.iter().map(|entry| !entry.revents().is_empty()).collect();
            if open[0] && ready[0] {
                open[0] = self.read_packet(&mut buffer, outputs)?;
            }
            for (index, pipe) in [(1, &self.stdout), (2, &self.stderr)] {
                // Not by what was ready before the packet: at the end of a run it drains the pipes,
                // and a read from an empty pipe would block for good.
                if open[index] && ready[index] && !poll_now(pipe)?.is_empty() {
                    open[index] = read_pipe(pipe, &mut buffer, outputs, index)?;
                }
            }
            outputs.tick(idle);
            if ready[3] {
                return self.reap(open, &mut buffer, outputs);
            }
        }
    }

    /// Reads and handles one packet. Returns false at the end of the connection.
    fn read_packet(&self, buffer: &mut [u8], outputs: &Arc<Outputs>) -> Result<bool> {
        let length = rustix::io::retry_on_intr(|| rustix::io::read(&self.channel, &mut *buffer))?;
        let Some((kind, payload)) = buffer[..length].split_first() else { return Ok(false) };
        match PacketKind::from_byte(*kind) {
            Some(PacketKind::Stdout) => outputs.stdout(payload),
            Some(PacketKind::Stderr) => outputs.stderr(payload),
            Some(PacketKind::Panic) => {
                outputs.panic(serde_json::from_slice(payload).context("bad panic report")?)
            }
            Some(PacketKind::ErrorTrace) => {
                outputs.error_trace(serde_json::from_slice(payload).unwrap_or_default())
            }
            Some(PacketKind::Begin) => outputs.begin_run(),
            Some(PacketKind::Input) => self.answer_input(outputs),
            Some(PacketKind::Done) => {
                let usage = serde_json::from_slice(payload)?;
                self.drain_pipes(outputs)?;
                let answer = outputs.end_run(usage);
                // The process may have been killed in the meantime; then the engine sees its death.
                let _ = rustix::net::send(
                    &self.channel,
                    &serde_json::to_vec(&answer)?,
                    rustix::net::SendFlags::NOSIGNAL,
                );
            }
            Some(PacketKind::Hello) | None => bail!("unexpected packet {kind}"),
        }
        Ok(true)
    }

    /// Asks the front end on a separate thread, so that output continues while the user thinks.
    fn answer_input(&self, outputs: &Arc<Outputs>) {
        let (outputs, input) = (outputs.clone(), self.input.clone());
        std::thread::spawn(move || {
            use std::io::Write;
            let line = outputs.input().map(|line| line + "\n").unwrap_or_default();
            let mut pipe = input.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
            let _ = pipe
                .write_all(&(line.len() as u32).to_le_bytes())
                .and_then(|()| pipe.write_all(line.as_bytes()));
        });
    }

    /// Reads what child processes and C code have written so far, which belongs to this run.
    fn drain_pipes(&self, outputs: &Arc<Outputs>) -> Result<()> {
        let mut buffer = vec![0u8; 64 * 1024];
        for (index, pipe) in [(1, &self.stdout), (2, &self.stderr)] {
            // A child that never stops writing must not prevent the cell from ending.
            for _ in 0..LARGEST_PIPE / buffer.len() {
                if !poll_now(pipe)?.contains(PollFlags::IN)
                    || !read_pipe(pipe, &mut buffer, outputs, index)?
                {
                    break;
                }
            }
        }
        Ok(())
    }

    /// Handles the death of the process: reads its remaining output and kills the rest of its
    /// process group.
    fn reap(&self, open: [bool; 3], buffer: &mut [u8], outputs: &Arc<Outputs>) -> Result<()> {
        let mut more = open[0];
        while more {
            // If the process died with unread data, the connection is reset, which we treat as its
            // end.
            more = poll_now(&self.channel)?.contains(PollFlags::IN)
                && self.read_packet(buffer, outputs).unwrap_or(false);
        }
        self.drain_pipes(outputs)?;
        // From now on its id may be reused.
        let _ = self.current.compare_exchange(
            self.pid.as_raw_nonzero().get(),
            0,
            Ordering::AcqRel,
            Ordering::Relaxed,
        );
        outputs.died();
        outputs.tick(true);
        kill_group(self.pid);
        Ok(())
    }
}

/// What a descriptor is ready for at this moment.
fn poll_now(descriptor: &OwnedFd) -> Result<PollFlags> {
    let at_once = rustix::event::Timespec { tv_sec: 0, tv_nsec: 0 };
    let mut polled = [PollFd::new(descriptor, PollFlags::IN)];
    rustix::io::retry_on_intr(|| poll(&mut polled, Some(&at_once)))?;
    Ok(polled[0].revents())
}

fn read_pipe(pipe: &OwnedFd, buffer: &mut [u8], outputs: &Outputs, index: usize) -> Result<bool> {
    let length = rustix::io::retry_on_intr(|| rustix::io::read(pipe, &mut *buffer))?;
    if length > 0 {
        if index == 1 {
            outputs.stdout(&buffer[..length])
        } else {
            outputs.stderr(&buffer[..length])
        }
    }
    Ok(length > 0)
}

#[cfg(target_os = "linux")]
fn process_descriptor(pid: Pid) -> Result<OwnedFd> {
    rustix::process::pidfd_open(pid, rustix::process::PidfdFlags::empty())
        .context("failed to watch the user process")
}

#[cfg(not(target_os = "linux"))]
fn process_descriptor(_pid: Pid) -> Result<OwnedFd> {
    bail!("watching processes is not implemented on this platform; use the stock kernel")
}
