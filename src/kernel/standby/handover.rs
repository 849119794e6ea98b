//! The newcomer's side: offering a connection to the standby, and standing by while it serves.

use super::surroundings::Surroundings;
use crate::kernel::guard::Jupyter;
use crate::log::log;
use crate::template::Template;
use anyhow::Result;
use rustix::fd::{AsFd, OwnedFd};
use rustix::net::{AddressFamily, SendAncillaryBuffer, SendAncillaryMessage, SendFlags, SocketAddrUnix, SocketType};
use serde::{Deserialize, Serialize};
use std::io::IoSlice;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// What a newcomer offers, together with its stderr.
#[derive(Debug, Serialize, Deserialize)]
pub struct Offer {
    /// Content of the connection file.
    pub connection: String,
    pub directory: PathBuf,
    pub environment: Vec<(String, String)>,
    pub surroundings: Surroundings,
    pub output_limit: usize,
}

/// The standby's answer.
#[derive(Debug, Serialize, Deserialize)]
pub enum Answer {
    Accepted,
    /// The names of what differs.
    Declined(Vec<String>),
}

/// What the newcomer may pass on later.
pub const INTERRUPT: u8 = b'i';
pub const TERMINATE: u8 = b't';

/// Offers the connection to a standby. `None` when there is none or it declines; else the channel to it, which serves from now on.
pub fn hand_over(template: &Template, connection: &str, output_limit: usize) -> Option<OwnedFd> {
    if has_start_up_configuration() {
        return None;
    }
    let channel = connect(template).ok()?;
    match offer(&channel, connection, output_limit) {
        Ok(Answer::Accepted) => Some(channel),
        Ok(Answer::Declined(differences)) => {
            log!("parcourse kernel: starting afresh; the standby differs in: {}", differences.join(", "));
            None
        }
        // It may have died a moment ago.
        Err(_) => None,
    }
}

/// Whether the user has the engine do something at each start. A standby has started long ago, somewhere else.
pub fn has_start_up_configuration() -> bool {
    let folder = evcxr::config_dir().unwrap_or_default();
    let personal = ["evcxr.toml", "init.evcxr", "prelude.rs"].map(|name| folder.join(name));
    Path::new("evcxr.toml").exists() || personal.iter().any(|file| file.exists())
}

fn connect(template: &Template) -> Result<OwnedFd> {
    let path = super::socket(&super::key(template)?)?;
    let channel = rustix::net::socket(AddressFamily::UNIX, SocketType::SEQPACKET, None)?;
    rustix::io::fcntl_setfd(&channel, rustix::io::FdFlags::CLOEXEC)?;
    rustix::net::connect(&channel, &SocketAddrUnix::new(&path)?)?;
    Ok(channel)
}

fn offer(channel: &OwnedFd, connection: &str, output_limit: usize) -> Result<Answer> {
    let environment = environment();
    let directory = std::env::current_dir()?;
    let surroundings = Surroundings::of_self(&environment, &directory)?;
    let offer = Offer { connection: connection.to_owned(), directory, environment, surroundings, output_limit };
    let mut space = [std::mem::MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
    let mut ancillary = SendAncillaryBuffer::new(&mut space);
    let log = std::io::stderr();
    let descriptors = [log.as_fd()];
    ancillary.push(SendAncillaryMessage::ScmRights(&descriptors));
    let bytes = serde_json::to_vec(&offer)?;
    rustix::net::sendmsg(channel, &[IoSlice::new(&bytes)], &mut ancillary, SendFlags::NOSIGNAL)?;
    let mut buffer = vec![0; 64 * 1024];
    let length = rustix::io::retry_on_intr(|| rustix::io::read(channel, &mut buffer))?;
    Ok(serde_json::from_slice(&buffer[..length])?)
}

/// The environment as text; a value that is none cannot be passed on, and nothing in it would compare equal.
pub fn environment() -> Vec<(String, String)> {
    std::env::vars_os().map(|(name, value)| (name.to_string_lossy().into_owned(), value.to_string_lossy().into_owned())).collect()
}

/// Waits for the end of the kernel that serves in our place. Jupyter watches and signals this process.
pub fn stand_by(channel: &OwnedFd, jupyter: Jupyter) -> ExitCode {
    let signals = [libc::SIGINT, libc::SIGTERM, libc::SIGHUP];
    let set = block(&signals);
    // Only now: a thread from before would still take the signals, and die of them.
    jupyter.end_with_it();
    let sender = channel.try_clone();
    std::thread::spawn(move || {
        let Ok(sender) = sender else { return };
        loop {
            let mut signal = 0;
            // SAFETY: waits for signals of an initialised set, which are blocked in all threads.
            if unsafe { libc::sigwait(&set, &mut signal) } != 0 {
                return;
            }
            let message = if signal == libc::SIGINT { INTERRUPT } else { TERMINATE };
            let _ = rustix::net::send(&sender, &[message], SendFlags::NOSIGNAL);
        }
    });
    let mut code = [0];
    match rustix::io::retry_on_intr(|| rustix::io::read(channel, &mut code)) {
        Ok(1) => ExitCode::from(code[0]),
        // It died without a word.
        _ => ExitCode::from(1),
    }
}

/// Blocks the signals in this thread and those it starts, and returns them as a set.
fn block(signals: &[libc::c_int]) -> libc::sigset_t {
    let mut set = std::mem::MaybeUninit::<libc::sigset_t>::uninit();
    // SAFETY: sigemptyset initialises the set; the other calls only change it and this thread's mask.
    unsafe {
        libc::sigemptyset(set.as_mut_ptr());
        for signal in signals {
            libc::sigaddset(set.as_mut_ptr(), *signal);
        }
        libc::pthread_sigmask(libc::SIG_BLOCK, set.as_ptr(), std::ptr::null_mut());
        set.assume_init()
    }
}
