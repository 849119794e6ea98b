//! The evcxr engine on a thread of its own.
//!
//! The engine is not made to be shared between threads, and starting it takes seconds. It lives on one thread, which takes jobs in order;
//! whoever hands in a job waits for its answer. The same thread starts the user process, which is killed when that thread ends.

use super::display_format::DisplayFormat;
use crate::cell_compiler;
use crate::template::{self, Flavor};
use crate::user_process::{support, wire};
use anyhow::{Context, Result, anyhow};
use evcxr::{CommandContext, EvalContext};
use std::path::PathBuf;
use std::process::Command;
use std::sync::mpsc;
use tokio::sync::oneshot;

type Job = Box<dyn FnOnce(&mut CommandContext) + Send>;

/// Hands jobs to the engine's thread; clones share it.
#[derive(Clone)]
pub struct Engine {
    jobs: mpsc::Sender<Job>,
}

/// What the engine needs to know before it starts.
pub struct Settings {
    /// The relay's socket, for the user process.
    pub channel: PathBuf,
}

impl Engine {
    /// Starts the engine; jobs wait until it is ready. When it cannot start, every job gets the reason.
    pub fn start(settings: Settings) -> (Engine, oneshot::Receiver<Result<()>>) {
        let (jobs, receiver) = mpsc::channel::<Job>();
        let (ready, is_ready) = oneshot::channel();
        let run = move || match create(&settings) {
            Ok(mut context) => {
                let _ = ready.send(Ok(()));
                for job in receiver {
                    // The engine is other people's code: a bug in it costs the request, not the session.
                    if std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| job(&mut context))).is_err() {
                        eprintln!("parcourse kernel: the engine panicked");
                    }
                }
            }
            // Dropping the receiver makes every job fail; the reason is kept by whoever waits for readiness.
            Err(error) => drop(ready.send(Err(error))),
        };
        std::thread::Builder::new()
            .name("engine".to_owned())
            // rust-analyzer recurses deeply.
            .stack_size(64 << 20)
            .spawn(run)
            .expect("a thread can be started");
        (Engine { jobs }, is_ready)
    }

    /// Runs a job on the engine and waits for its answer.
    pub async fn call<T: Send + 'static>(&self, job: impl FnOnce(&mut CommandContext) -> T + Send + 'static) -> Result<T> {
        let (sender, answer) = oneshot::channel();
        let job: Job = Box::new(move |context| drop(sender.send(job(context))));
        self.jobs.send(job).map_err(|_| anyhow!("the engine is not running"))?;
        answer.await.context("the engine failed at this request; see the kernel's log")
    }
}

fn create(settings: &Settings) -> Result<CommandContext> {
    let executable = std::env::current_exe().context("failed to find the running program")?;
    let mut command = Command::new(executable);
    command.env(wire::CHANNEL_VARIABLE, &settings.channel);
    let rustc = find_rustc();
    match rustc.as_ref().map_err(|error| anyhow!("{error:#}")).and_then(|rustc| support::prepare(rustc)) {
        Ok(library) => drop(command.env(wire::SUPPORT_VARIABLE, library)),
        Err(error) => eprintln!("parcourse kernel: panics will be described less well: {error:#}"),
    }
    if let Err(error) = rustc.and_then(|rustc| cell_compiler::prepare(&rustc)) {
        eprintln!("parcourse kernel: cells with variables will compile more slowly: {error:#}");
    }
    if let Some(value) = std::env::var_os("RUST_BACKTRACE") {
        command.env(wire::BACKTRACE_VARIABLE, value);
    }
    let (context, outputs) = EvalContext::with_subprocess_command(command).map_err(|error| anyhow!("{error}"))?;
    // What arrives here was written before the user process turned to us: only its failure to start.
    for (name, receiver) in [("stdout", outputs.stdout), ("stderr", outputs.stderr)] {
        std::thread::spawn(move || receiver.iter().for_each(|line| eprintln!("parcourse kernel: {name} of the user process: {line}")));
    }
    let mut context = CommandContext::with_eval_context(context);
    prepare(&mut context, &DisplayFormat::default())?;
    // The user's own start-up configuration, as the stock kernel reads it.
    context.execute(":load_config --quiet").map_err(|error| anyhow!("the start-up configuration failed: {error}"))?;
    Ok(context)
}

/// Settings that a fresh or cleared engine needs.
pub fn prepare(context: &mut CommandContext, display: &DisplayFormat) -> Result<()> {
    if let Some(directory) = std::env::var_os("EVCXR_TMPDIR") {
        template::restore_lockfile(directory.as_ref())?;
    }
    for command in Flavor::Parcourse.setup_commands().iter().chain(cell_compiler::setup_commands()) {
        context.execute(command).map_err(|error| anyhow!("{error}"))?;
    }
    // Dependencies come from the template or from cargo's cache; only what is missing there is worth asking the network for.
    context.execute(":offline 1").map_err(|error| anyhow!("{error}"))?;
    display.apply(context)?;
    Ok(())
}

/// Forgets everything that was executed and starts a new user process, in this process's directory and environment.
pub fn start_over(context: &mut CommandContext) -> Result<()> {
    context.execute(":clear").map_err(|error| anyhow!("{error}"))?;
    prepare(context, &DisplayFormat::default())
}

/// The compiler behind rustup's proxy, so that a new toolchain is noticed.
fn find_rustc() -> Result<PathBuf> {
    let rustup = Command::new("rustup").args(["which", "rustc"]).output();
    if let Ok(output) = rustup
        && output.status.success()
    {
        return Ok(PathBuf::from(String::from_utf8(output.stdout)?.trim()));
    }
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path)
        .map(|directory| directory.join("rustc"))
        .find(|candidate| candidate.is_file())
        .context("found no rustc on PATH: install Rust with rustup")
}
