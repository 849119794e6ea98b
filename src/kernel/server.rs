//! Puts the kernel's parts together.

use super::output::source::Sources;
use super::output::{InputReader, Outputs, relay::Relay};
use crate::base::log::log;
use crate::kernel::evaluation::engine::Engine;
use crate::kernel::evaluation::evaluator;
use crate::kernel::evaluation::execute::Executor;
use crate::kernel::process::interrupt::Interrupts;
use crate::kernel::process::workspace::Workspace;
use crate::kernel::protocol::iopub::{self, Publisher};
use crate::kernel::protocol::message::Request;
use crate::kernel::protocol::stdin::{self, InputRequest};
use crate::kernel::protocol::tcp;
use crate::kernel::requests::control;
use crate::kernel::requests::shell;
use anyhow::{Context, Result};
use jupyter_protocol::connection_info::Transport;
use jupyter_protocol::{ConnectionInfo, JupyterMessage};
use jupyter_zmq_client as zmq;
use serde_json::json;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::sync::{mpsc, oneshot};

/// What the parent process may request with signals.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Command {
    Interrupt,
    Terminate,
}

/// The kernel without its connections: engine, user process and output.
pub struct KernelCore {
    pub engine: Engine,
    pub outputs: Arc<Outputs>,
    ready: oneshot::Receiver<Result<()>>,
    publisher: Publisher,
    published: mpsc::Receiver<JupyterMessage>,
    input_requests: mpsc::UnboundedReceiver<InputRequest>,
    executing: Arc<Mutex<Option<Request>>>,
    executor: Arc<Executor>,
    interrupts: Arc<Interrupts>,
    relay: Arc<Relay>,
    /// A private folder for sockets.
    sockets: PathBuf,
}

impl KernelCore {
    pub fn start(workspace: &Workspace) -> Result<KernelCore> {
        let (publisher, published) = Publisher::new();
        let executing: Arc<Mutex<Option<Request>>> = Arc::default();
        let (input_sender, input_requests) = mpsc::unbounded_channel();
        let sources = Arc::new(Sources::new(workspace.build_directory().join("src/lib.rs")));
        let outputs = Arc::new(Outputs::new(
            publisher.clone(),
            sources.clone(),
            input_reader(executing.clone(), input_sender),
        ));
        let channel = workspace.sockets().join("io");
        let relay = Arc::new(Relay::start(&channel, outputs.clone())?);
        let interrupts = Arc::new(Interrupts::new(outputs.clone(), relay.clone()));
        let (engine, ready) = Engine::start(evaluator::EngineSettings {
            channel,
            empty: workspace.empty(),
            helpers: workspace.helpers().map(Path::to_owned),
        });
        let executor = Arc::new(Executor {
            outputs: outputs.clone(),
            sources,
            interrupts: interrupts.clone(),
            build_directory: workspace.build_directory().to_owned(),
        });
        Ok(KernelCore {
            engine,
            outputs,
            ready,
            publisher,
            published,
            input_requests,
            executing,
            executor,
            interrupts,
            relay,
            sockets: workspace.sockets().to_owned(),
        })
    }

    /// Serves the front end until it asks for a shutdown or a command ends the kernel.
    pub async fn serve(
        self,
        connection: &ConnectionInfo,
        mut commands: mpsc::UnboundedReceiver<Command>,
    ) -> Result<()> {
        let session = uuid::Uuid::new_v4().to_string();
        let bound = "failed to listen on the addresses of the connection file";
        let (connection, ports) = match connection.transport {
            Transport::TCP => tcp::bind(connection, &self.sockets)
                .await
                .map(|(inner, ports)| (inner, Some(ports)))
                .context(bound)?,
            Transport::IPC => (connection.clone(), None),
        };
        let connection = &connection;
        let mut heartbeat =
            zmq::create_kernel_heartbeat_connection(connection).await.context(bound)?;
        let iopub_socket =
            zmq::create_kernel_iopub_xpub_connection(connection, &session).await.context(bound)?;
        let shell_socket =
            zmq::create_kernel_shell_connection(connection, &session).await.context(bound)?;
        let control_socket =
            zmq::create_kernel_control_connection(connection, &session).await.context(bound)?;
        let stdin_socket =
            zmq::create_kernel_stdin_connection(connection, &session).await.context(bound)?;
        make_private(connection);
        let proxy = ports.map(tcp::Ports::serve);

        // On a separate thread, so that a busy kernel never looks dead to a client.
        std::thread::Builder::new().name("heartbeat".to_owned()).spawn({
            let handle = tokio::runtime::Handle::current();
            // If one client disconnects or sends something else, the others still need answers.
            move || {
                handle.block_on(async {
                    loop {
                        if heartbeat.single_heartbeat().await.is_err() {
                            tokio::time::sleep(Duration::from_millis(10)).await;
                        }
                    }
                })
            }
        })?;
        tokio::spawn(iopub::send_all(iopub_socket, self.published));
        tokio::spawn(stdin::serve(stdin_socket, self.input_requests));
        self.publisher.announce("status", json!({ "execution_state": "starting" })).await;

        let engine_failure: Arc<Mutex<Option<String>>> = Arc::default();
        tokio::spawn(after_start(self.ready, engine_failure.clone()));
        let shell = shell::Shell {
            publisher: self.publisher.clone(),
            engine: self.engine,
            executor: self.executor,
            engine_failure,
            executing: self.executing,
        };
        let shell = tokio::spawn(shell::serve(shell_socket, shell));
        let control =
            tokio::spawn(control::serve(control_socket, self.publisher, self.interrupts.clone()));
        let mut end = std::pin::pin!(first_of(shell, control));
        loop {
            tokio::select! {
                command = commands.recv() => match command {
                    Some(Command::Interrupt) => {
                        let interrupts = self.interrupts.clone();
                        tokio::task::spawn_blocking(move || interrupts.request());
                    }
                    Some(Command::Terminate) | None => break,
                },
                () = &mut end => break,
            }
        }
        // Gives the replies to the shutdown time to be sent.
        tokio::time::sleep(Duration::from_millis(20)).await;
        if let Some(proxy) = proxy {
            proxy.finish().await;
        }
        self.relay.kill();
        Ok(())
    }
}

/// Makes the sockets private. Unix sockets are created with the default permissions of files.
fn make_private(connection: &ConnectionInfo) {
    use std::os::unix::fs::PermissionsExt;
    for port in [
        connection.shell_port,
        connection.iopub_port,
        connection.stdin_port,
        connection.control_port,
        connection.hb_port,
    ] {
        let socket = format!("{}-{port}", connection.ip);
        if let Err(error) =
            std::fs::set_permissions(&socket, std::fs::Permissions::from_mode(0o600))
        {
            log!("parcourse kernel: failed to make {socket} private: {error}");
        }
    }
}

/// Stores the reason if the engine does not start.
async fn after_start(
    ready: oneshot::Receiver<Result<()>>,
    engine_failure: Arc<Mutex<Option<String>>>,
) {
    if let Ok(Err(error)) = ready.await {
        log!("parcourse kernel: failed to start the engine: {error:#}");
        if let Ok(mut reason) = engine_failure.lock() {
            *reason = Some(format!("failed to start the engine: {error:#}"));
        }
    }
}

async fn first_of(shell: tokio::task::JoinHandle<()>, control: tokio::task::JoinHandle<()>) {
    tokio::select! {
        _ = shell => {}
        _ = control => {}
    }
}

/// Returns a function that asks the front end that executes the cell for a line of input.
fn input_reader(
    executing: Arc<Mutex<Option<Request>>>,
    requests: mpsc::UnboundedSender<InputRequest>,
) -> Box<InputReader> {
    Box::new(move |prompt, password| {
        let request = executing.lock().ok()?.clone()?;
        if !request.flag("allow_stdin", false) {
            return None;
        }
        let (answer, line) = oneshot::channel();
        requests
            .send(InputRequest { request, prompt: prompt.to_owned(), password, answer })
            .ok()?;
        line.blocking_recv().ok()
    })
}
