//! The standby's side: getting warm, waiting, taking over; and starting the next one.

use super::handover::{Answer, INTERRUPT, Offer, TERMINATE, environment, has_start_up_configuration};
use super::surroundings::Surroundings;
use crate::kernel::evaluator::Evaluator;
use crate::kernel::server::{Body, Command};
use crate::kernel::{guard, workspace::Workspace};
use crate::log::log;
use crate::template;
use anyhow::{Context, Result, bail};
use clap::Args;
use rustix::event::{PollFd, PollFlags, poll};
use rustix::fd::{AsFd, OwnedFd};
use rustix::net::{AddressFamily, RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendFlags, SocketAddrUnix, SocketType};
use std::io::IoSliceMut;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, Instant};
use tokio::sync::mpsc;

/// A standby that nobody needed for so long ends.
const LONGEST_WAIT: Duration = Duration::from_secs(2 * 60 * 60);
/// How often a waiting standby looks whether it is still good for anything.
const LOOK: Duration = Duration::from_secs(5);
/// A standby takes about half a GiB; where less than this is free, none is started.
const NEEDED_MEMORY: u64 = 2 << 30;

/// How a kernel in service starts the next standby.
#[derive(Debug, Args)]
pub struct Successor {
    /// Directory of the helper crate
    #[arg(long, value_name = "DIR")]
    helpers: PathBuf,
    /// End when this process ends
    #[arg(long, value_name = "PID")]
    watch: Option<i32>,
}

impl Successor {
    pub fn new(helpers: PathBuf) -> Successor {
        Successor { helpers, watch: std::env::var("JPY_PARENT_PID").ok().and_then(|pid| pid.parse().ok()) }
    }

    /// For a Jupyter server that is about to start: ends with this process.
    pub fn for_server(helpers: PathBuf) -> Successor {
        Successor { helpers, watch: Some(std::process::id() as i32) }
    }

    /// Starts a standby in the background, unless one waits already or memory is short. `environment` and `directory`: as the kernels
    /// that it is for are started with.
    pub fn start(&self, environment: &[(String, String)], directory: &Path) -> Result<()> {
        if has_start_up_configuration() {
            return Ok(());
        }
        if crate::memory::available().is_some_and(|available| available < NEEDED_MEMORY) {
            return Ok(());
        }
        let mut command = std::process::Command::new(std::env::current_exe()?);
        command.arg("__standby").arg("--helpers").arg(&self.helpers);
        if let Some(pid) = self.watch {
            command.arg("--watch").arg(pid.to_string());
        }
        let null = std::process::Stdio::null;
        command.env_clear().envs(environment.iter().cloned()).current_dir(directory).stdin(null()).stdout(null()).stderr(null());
        // It detaches at once.
        command.status().context("failed to start a standby")?;
        Ok(())
    }
}

/// `parcourse __standby`
pub fn main(arguments: Successor) -> Result<ExitCode> {
    detach()?;
    let id = uuid::Uuid::new_v4().to_string();
    let _guard = guard::start(&id)?;
    let Some(_only) = claim()? else { return Ok(ExitCode::SUCCESS) };
    let own_environment = environment();
    let surroundings = Surroundings::of_self(&own_environment, &std::env::current_dir()?)?;
    let Some(template) = template::find(&arguments.helpers, template::Flavor::Parcourse)? else { bail!("there is no template") };
    let key = super::key(&template)?;
    let workspace = Workspace::create(Some(&template))?;
    workspace.enter(&id);
    let runtime = super::super::runtime()?;
    let mut body = runtime.block_on(async { Body::start(&workspace) })?;
    runtime.block_on(warm_up(&mut body))?;

    let path = super::socket(&key)?;
    let _ = std::fs::remove_file(&path);
    let listener = rustix::net::socket(AddressFamily::UNIX, SocketType::SEQPACKET, None)?;
    rustix::io::fcntl_setfd(&listener, rustix::io::FdFlags::CLOEXEC)?;
    rustix::net::bind(&listener, &SocketAddrUnix::new(&path)?)?;
    rustix::net::listen(&listener, 1)?;
    let still_good = || {
        path.exists()
            && arguments.watch.is_none_or(|pid| Path::new(&format!("/proc/{pid}")).exists())
            && template::find(&arguments.helpers, template::Flavor::Parcourse)
                .is_ok_and(|found| found.is_some_and(|found| super::key(&found).is_ok_and(|now| now == key)))
    };
    let taken = wait(&listener, &surroundings, still_good);
    let _ = std::fs::remove_file(&path);
    drop(listener);
    let Some((channel, offer, log)) = taken? else { return Ok(ExitCode::SUCCESS) };
    // From now on there may be another.
    drop(_only);

    take_on(&offer, log, &workspace, &id)?;
    let connection = serde_json::from_str(&offer.connection).context("bad connection file")?;
    body.outputs.set_limit(offer.output_limit);
    let (commands, receiver) = mpsc::unbounded_channel();
    let watched = channel.try_clone()?;
    std::thread::spawn(move || pass_on(&watched, &commands));
    let successor = Successor::new(arguments.helpers);
    let result = runtime.block_on(async {
        // A fresh user process, with the place and environment of the newcomer.
        body.engine.call(Evaluator::restart).await??;
        body.serve(&connection, receiver, Some((successor, offer.environment))).await
    });
    drop(workspace);
    let code = u8::from(result.is_err());
    if let Err(error) = result {
        log!("parcourse kernel: {error:#}");
    }
    let _ = rustix::net::send(&channel, &[code], SendFlags::NOSIGNAL);
    std::process::exit(code.into())
}

/// Leaves the process that started us, and its session.
fn detach() -> Result<()> {
    // SAFETY: this process has one thread.
    match unsafe { libc::fork() } {
        -1 => Err(std::io::Error::last_os_error()).context("failed to detach"),
        0 => {
            let _ = rustix::process::setsid();
            Ok(())
        }
        // SAFETY: leaves without running anything of the child's.
        _ => unsafe { libc::_exit(0) },
    }
}

/// The right to be the standby; `None` when another has it.
fn claim() -> Result<Option<std::fs::File>> {
    let path = super::directory()?.join("lock");
    let file = std::fs::File::create(&path).with_context(|| format!("failed to write {}", path.display()))?;
    match file.try_lock() {
        Ok(()) => Ok(Some(file)),
        Err(std::fs::TryLockError::WouldBlock) => Ok(None),
        Err(std::fs::TryLockError::Error(error)) => Err(error).with_context(|| format!("failed to lock {}", path.display())),
    }
}

/// Has the engine do what the first cells of a notebook need, then forget it.
async fn warm_up(body: &mut Body) -> Result<()> {
    let run = |evaluator: &mut Evaluator| {
        evaluator.warm_up();
        // What does not work here will not work in the notebook either, and is reported there.
        let _ = evaluator.complete().execute("use parcourse::prelude::*;\nlet warm: usize = cores().usable;\nwarm");
        evaluator.start_over()
    };
    body.engine.call(run).await?
}

/// Waits for an offer that can be accepted. `None` when this standby is of no use any more.
fn wait(listener: &OwnedFd, surroundings: &Surroundings, still_good: impl Fn() -> bool) -> Result<Option<(OwnedFd, Offer, OwnedFd)>> {
    let begun = Instant::now();
    let look = rustix::event::Timespec { tv_sec: LOOK.as_secs() as _, tv_nsec: 0 };
    while begun.elapsed() < LONGEST_WAIT && still_good() {
        let mut polled = [PollFd::new(listener, PollFlags::IN)];
        if rustix::io::retry_on_intr(|| poll(&mut polled, Some(&look)))? == 0 {
            continue;
        }
        let channel = rustix::net::accept(listener)?;
        rustix::io::fcntl_setfd(&channel, rustix::io::FdFlags::CLOEXEC)?;
        // A visitor that makes no sense is sent away.
        let Ok((offer, log)) = receive(&channel) else { continue };
        let differences = surroundings.differences(&offer.surroundings);
        let answer = if differences.is_empty() { Answer::Accepted } else { Answer::Declined(differences) };
        let sent = rustix::net::send(&channel, &serde_json::to_vec(&answer)?, SendFlags::NOSIGNAL);
        if sent.is_ok() && matches!(answer, Answer::Accepted) {
            return Ok(Some((channel, offer, log)));
        }
    }
    Ok(None)
}

fn receive(channel: &OwnedFd) -> Result<(Offer, OwnedFd)> {
    let mut space = [std::mem::MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
    let mut ancillary = RecvAncillaryBuffer::new(&mut space);
    let mut bytes = vec![0u8; 1 << 20];
    let received = {
        let mut parts = [IoSliceMut::new(&mut bytes)];
        rustix::net::recvmsg(channel, &mut parts, &mut ancillary, RecvFlags::CMSG_CLOEXEC)?
    };
    let mut log = None;
    for message in ancillary.drain() {
        if let RecvAncillaryMessage::ScmRights(descriptors) = message {
            log = descriptors.into_iter().next();
        }
    }
    let offer = serde_json::from_slice(&bytes[..received.bytes])?;
    Ok((offer, log.context("the offer came without a log")?))
}

/// Becomes what the newcomer is.
fn take_on(offer: &Offer, log: OwnedFd, workspace: &Workspace, id: &str) -> Result<()> {
    use std::os::fd::AsRawFd;
    for standard in [1, 2] {
        // SAFETY: dup2 has no memory effects.
        unsafe { libc::dup2(log.as_fd().as_raw_fd(), standard) };
    }
    std::env::set_current_dir(&offer.directory).with_context(|| format!("failed to enter {}", offer.directory.display()))?;
    // SAFETY: the engine is idle and nobody else in this process reads the environment now.
    unsafe {
        for (name, _) in std::env::vars_os() {
            std::env::remove_var(name);
        }
        for (name, value) in &offer.environment {
            std::env::set_var(name, value);
        }
    }
    workspace.enter(id);
    Ok(())
}

/// Signals of the newcomer, and its end.
fn pass_on(channel: &OwnedFd, commands: &mpsc::UnboundedSender<Command>) {
    loop {
        let mut byte = [0];
        let command = match rustix::io::retry_on_intr(|| rustix::io::read(channel, &mut byte)) {
            Ok(1) if byte[0] == INTERRUPT => Command::Interrupt,
            Ok(1) if byte[0] == TERMINATE => Command::Terminate,
            Ok(1) => continue,
            _ => {
                let _ = commands.send(Command::Terminate);
                return;
            }
        };
        let _ = commands.send(command);
    }
}
