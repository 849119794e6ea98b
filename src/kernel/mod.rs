//! The Jupyter kernel: our front end over the evcxr engine.
//!
//! Four parts. The *protocol* ([`shell`], [`control`], [`stdin`], [`iopub`]) talks to the front end. The *engine* ([`engine`]) compiles
//! cells and has them run, on a thread of its own. The *user process* (`crate::user_process`) runs them; what it writes comes straight to
//! us ([`output`]), not through the engine. A *report* ([`report`]) is made of what went wrong.

mod completeness;
mod control;
mod engine;
mod execute;
mod guard;
mod history;
mod info;
mod interrupt;
mod introspect;
mod iopub;
mod message;
mod output;
mod processes;
mod report;
mod server;
mod shell;
mod stdin;
pub mod stock;
mod workspace;

use anyhow::{Context, Result};
use clap::Args;
use std::path::PathBuf;
use std::process::ExitCode;

/// How Jupyter starts the kernel.
#[derive(Args)]
pub struct StartArguments {
    /// Connection file written by the Jupyter client
    #[arg(long, short = 'f', value_name = "FILE", required = true)]
    connection_file: Option<PathBuf>,
    #[command(flatten)]
    helpers: crate::cli::HelpersArgument,
    /// Text that one cell may print before the rest is dropped and counted
    #[arg(long, value_name = "BYTES", default_value_t = 4 << 20, env = "PARCOURSE_OUTPUT_LIMIT")]
    output_limit: usize,
}

pub fn main(arguments: StartArguments) -> Result<ExitCode> {
    let path = arguments.connection_file.context("no connection file given")?;
    let text = std::fs::read_to_string(&path).with_context(|| format!("failed to read the connection file {}", path.display()))?;
    let connection: jupyter_protocol::ConnectionInfo =
        serde_json::from_str(&text).with_context(|| format!("{} is not a Jupyter connection file", path.display()))?;

    let id = uuid::Uuid::new_v4().to_string();
    let guard = guard::start(&id)?;
    let start = std::env::current_dir().context("failed to find the current directory")?;
    let helpers = crate::paths::find_helpers(arguments.helpers.helpers.as_deref(), &start);
    let workspace = workspace::Workspace::create(helpers.as_deref())?;
    // SAFETY: no other thread runs yet.
    unsafe {
        std::env::set_var(guard::MARK, &id);
        std::env::set_var("EVCXR_TMPDIR", workspace.build_directory());
        for (name, value) in workspace.cell_environment() {
            std::env::set_var(name, value);
        }
    }
    guard::end_with_jupyter();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    let result = runtime.block_on(server::run(&connection, &workspace, arguments.output_limit));
    // The engine's thread may be in the middle of a cell: it is not waited for. The guard ends what it started.
    drop(workspace);
    drop(guard);
    if let Err(error) = &result {
        eprintln!("parcourse kernel: {error:#}");
    }
    std::process::exit(if result.is_ok() { 0 } else { 1 })
}
