//! The Jupyter kernel, built on the evcxr engine.
//!
//! [`protocol`] and [`requests`] talk to the front end. [`evaluation`] compiles cells and has them
//! run, on a separate thread. The *user process* (`crate::engine::user_process`) runs them; its
//! output comes straight to us ([`output`]), not through the engine. [`report`] describes failures.

mod cell_source;
mod colours;
mod evaluation;
mod output;
mod process;
mod protocol;
mod report;
mod requests;
mod server;
pub mod stock;

use crate::base::log::log;
use crate::engine::build_cache;
use anyhow::{Context, Result, bail};
use clap::Args;
use jupyter_protocol::ConnectionInfo;
use jupyter_protocol::connection_info::Transport;
use server::Command;
use std::path::PathBuf;
use std::process::ExitCode;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::mpsc;

/// Arguments with which Jupyter starts the kernel.
#[derive(Args)]
pub struct StartArguments {
    /// Connection file written by the Jupyter client
    #[arg(long, short = 'f', value_name = "FILE", required = true)]
    connection_file: Option<PathBuf>,
    #[command(flatten)]
    helpers: crate::base::paths::HelpersArgument,
    /// How much text one cell may print; the rest is dropped and counted
    #[arg(long, value_name = "BYTES", default_value_t = 4 << 20, env = "PARCOURSE_OUTPUT_LIMIT")]
    output_limit: usize,
}

pub fn main(arguments: StartArguments) -> Result<ExitCode> {
    let jupyter = process::guard::Jupyter::find()?;
    let path = arguments.connection_file.context("no connection file given")?;
    let text = std::fs::read_to_string(&path)
        .with_context(|| format!("failed to read the connection file {}", path.display()))?;
    let connection: ConnectionInfo = serde_json::from_str(&text)
        .with_context(|| format!("{} is not a Jupyter connection file", path.display()))?;
    if connection.transport == Transport::TCP && connection.key.is_empty() {
        bail!(
            "{} names TCP ports but no key, so every user of this machine could run code as \
             you: start Jupyter with a key, or with \
             --KernelManager.transport=ipc",
            path.display()
        );
    }
    let start = std::env::current_dir().context("failed to find the current directory")?;
    let helpers = crate::base::paths::find_helpers(arguments.helpers.helpers.as_deref(), &start);
    let template = helpers.as_deref().and_then(|helpers| {
        build_cache::find(helpers, build_cache::KernelKind::Parcourse).ok().flatten()
    });

    let id = uuid::Uuid::new_v4().to_string();
    let guard = process::guard::start(&id)?;
    let workspace = process::workspace::Workspace::create(template.as_ref())?;
    workspace.enter(&id);
    jupyter.exit_with_server();
    // Lives until the process exits, because the heartbeat's thread uses it to the end.
    let runtime = runtime()?;
    let result = runtime.block_on(async {
        let core = server::KernelCore::start(&workspace)?;
        core.outputs.set_limit(arguments.output_limit);
        core.serve(&connection, signals()?).await
    });
    // We do not wait for the engine's thread, which may be in the middle of a cell. The guard ends
    // what it started.
    drop(workspace);
    drop(guard);
    if let Err(error) = &result {
        log!("parcourse kernel: {error:#}");
    }
    std::process::exit(if result.is_ok() { 0 } else { 1 })
}

fn runtime() -> Result<tokio::runtime::Runtime> {
    Ok(tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?)
}

/// Turns signals into commands: SIGINT (from front ends with interrupt_mode "signal" and from
/// terminals) and SIGTERM.
fn signals() -> Result<mpsc::UnboundedReceiver<Command>> {
    let (sender, receiver) = mpsc::unbounded_channel();
    for (kind, command) in [
        (SignalKind::interrupt(), Command::Interrupt),
        (SignalKind::terminate(), Command::Terminate),
    ] {
        let mut signals = signal(kind)?;
        let sender = sender.clone();
        tokio::spawn(async move {
            while signals.recv().await.is_some() {
                let _ = sender.send(command);
            }
        });
    }
    Ok(receiver)
}
