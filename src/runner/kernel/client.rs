//! The client side of one kernel: connection file, sockets, and the handshake, after which no
//! output can be lost.

use super::directory::Directory;
use super::launch::{LaunchSpec, Templates};
use super::process::{Death, Process};
use crate::runner::KernelKind;
use crate::runner::notebook::Source;
use anyhow::{Context, Result, bail, ensure};
use jupyter_protocol::connection_info::Transport;
use jupyter_protocol::{
    ConnectionInfo, ExecuteRequest, ExecutionState, InputReply, InterruptRequest, JupyterMessage,
    JupyterMessageContent, KernelInfoReply, KernelInfoRequest, ReplyStatus, ShutdownRequest,
};
use jupyter_zmq_client::{
    ClientControlConnection, DealerSendConnection, create_client_control_connection,
    create_client_iopub_connection, create_client_shell_connection_with_identity,
    create_client_stdin_connection_with_identity, peek_ports_with_listeners,
    peer_identity_for_session,
};
use std::net::{IpAddr, Ipv4Addr};
use std::path::{Path, PathBuf};
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::time::{Instant, timeout, timeout_at};

/// Timeout for sending to a kernel that does not read its messages.
const SEND_LIMIT: Duration = Duration::from_secs(5);
/// How long to wait for a kernel to shut down by itself.
const SHUTDOWN_LIMIT: Duration = Duration::from_secs(3);
/// A Unix socket's path must fit into 108 bytes, including a suffix per socket.
const LONGEST_IPC_PATH: usize = 100;

/// Makes what a kernel needs, anew for every attempt to start it.
pub type MakeLaunchSpec<'a> = dyn Fn(&Directory) -> Result<LaunchSpec> + 'a;

/// A message from the kernel.
pub enum Incoming {
    Shell(JupyterMessage),
    IoPub(JupyterMessage),
    Stdin(JupyterMessage),
    /// Not a valid message.
    Malformed,
}

/// A kernel that is ready, with subscriptions to all its outputs in place.
pub struct Client {
    pub process: Process,
    pub info: KernelInfoReply,
    pub incoming: mpsc::Receiver<Incoming>,
    shell: DealerSendConnection,
    stdin: DealerSendConnection,
    control: ClientControlConnection,
    /// File in which the stock kernel's user process records errors that the engine hides.
    pub audit: PathBuf,
}

impl Client {
    /// Starts a kernel in the notebook's folder and waits until it is ready. Tries again if another
    /// process takes one of the ports in between.
    pub async fn start(
        kind: KernelKind,
        source: &Source,
        templates: &Templates,
        limit: Duration,
    ) -> Result<Client> {
        Client::launch(kind, &source.folder, &|_| templates.launch_spec(source), limit).await
    }

    /// The same for any folder and engine.
    pub async fn launch(
        kind: KernelKind,
        folder: &Path,
        make_spec: &MakeLaunchSpec<'_>,
        limit: Duration,
    ) -> Result<Client> {
        let deadline = Instant::now() + limit;
        let mut attempt = 1;
        loop {
            match Client::attempt(kind, folder, make_spec, deadline, limit).await {
                Err(error)
                    if attempt < 3 && format!("{error:#}").contains("Address already in use") =>
                {
                    attempt += 1
                }
                result => return result,
            }
        }
    }

    async fn attempt(
        kind: KernelKind,
        folder: &Path,
        make_spec: &MakeLaunchSpec<'_>,
        deadline: Instant,
        limit: Duration,
    ) -> Result<Client> {
        let directory = Directory::create()?;
        let spec = make_spec(&directory)?;
        let (connection, listeners) = connection_info(kind, directory.path()).await?;
        let file =
            directory.write_private("connection.json", &serde_json::to_vec_pretty(&connection)?)?;
        let audit = directory.write_private("audit", b"")?;
        // The ports were reserved until here; the kernel binds them first of all.
        drop(listeners);
        let process = Process::start(kind, directory, spec, &file, &audit, folder)?;
        let answered = tokio::select! {
            biased;
            answered = timeout_at(deadline, converse(kind, &connection)) => answered,
            death = process.died() => bail!("{death} while it was starting{}", log_of(&process)),
        };
        let Ok(sockets) = answered else {
            bail!(
                "the kernel did not answer within {} s (--startup-timeout){}",
                limit.as_secs_f64(),
                log_of(&process)
            );
        };
        let Sockets { shell, stdin, control, incoming, info } = sockets?;
        Ok(Client { process, info, incoming, shell, stdin, control, audit })
    }

    /// Sends a request on the shell channel.
    pub async fn request(&mut self, message: JupyterMessage) -> Result<()> {
        let sent = timeout(SEND_LIMIT, self.shell.send(message)).await;
        Ok(sent.context("the kernel does not read its messages")??)
    }

    /// Interrupts the kernel.
    pub async fn interrupt(&mut self) {
        let _ = timeout(SEND_LIMIT, self.control.send(InterruptRequest {}.into())).await;
    }

    /// Answers a request for keyboard input with an empty line.
    pub async fn answer_input(&mut self, request: &JupyterMessage) {
        let reply = InputReply { value: String::new(), ..Default::default() };
        let _ = timeout(
            SEND_LIMIT,
            self.stdin
                .send(JupyterMessage::new(reply, Some(request)).with_zmq_identities(Vec::new())),
        )
        .await;
    }

    /// Shuts the kernel down, and kills it if it does not react.
    pub async fn shut_down(mut self) {
        if !self.process.is_dead() {
            let request = ShutdownRequest { restart: false };
            let _ = timeout(SEND_LIMIT, self.control.send(request.into())).await;
            let _ = timeout(SHUTDOWN_LIMIT, self.process.died()).await;
        }
        self.process.end().await;
    }

    /// Describes the kernel's death, with the last lines of its log.
    pub fn describe(&self, death: &Death) -> String {
        format!("{death}{}", log_of(&self.process))
    }
}

fn log_of(process: &Process) -> String {
    match process.log_tail() {
        tail if tail.is_empty() => String::new(),
        tail => format!("; last lines of its log:\n{tail}"),
    }
}

/// Our kernel listens on Unix sockets in the private directory, where no other user can reach them.
/// The stock kernel supports only TCP, and we also use it if the directory's path is too long for a
/// socket.
async fn connection_info(
    kind: KernelKind,
    directory: &Path,
) -> Result<(ConnectionInfo, Vec<tokio::net::TcpListener>)> {
    let socket = directory.join("socket");
    let ipc = kind == KernelKind::Parcourse && socket.as_os_str().len() <= LONGEST_IPC_PATH;
    let (transport, ip, ports, listeners) = if ipc {
        let path =
            socket.to_str().context("the temporary directory's path is not Unicode")?.to_string();
        (Transport::IPC, path, vec![1, 2, 3, 4, 5], Vec::new())
    } else {
        let address = Ipv4Addr::LOCALHOST;
        let (ports, listeners) = peek_ports_with_listeners(IpAddr::V4(address), 5)
            .await
            .context("found no free ports")?;
        (Transport::TCP, address.to_string(), ports, listeners)
    };
    let connection = ConnectionInfo {
        ip,
        transport,
        shell_port: ports[0],
        iopub_port: ports[1],
        stdin_port: ports[2],
        control_port: ports[3],
        hb_port: ports[4],
        // 244 random bits from the operating system.
        key: format!("{}{}", uuid::Uuid::new_v4().simple(), uuid::Uuid::new_v4().simple()),
        signature_scheme: "hmac-sha256".to_string(),
        kernel_name: Some("rust".to_string()),
    };
    Ok((connection, listeners))
}

struct Sockets {
    shell: DealerSendConnection,
    stdin: DealerSendConnection,
    control: ClientControlConnection,
    incoming: mpsc::Receiver<Incoming>,
    info: KernelInfoReply,
}

/// Connects and requests the kernel's description until the reply has arrived on shell *and* its
/// `idle` status on iopub: only then is the subscription in place. The stock kernel's PUB socket
/// does not announce new subscribers, so there is no other way to know.
async fn converse(kind: KernelKind, connection: &ConnectionInfo) -> Result<Sockets> {
    let session = uuid::Uuid::new_v4().to_string();
    let identity = peer_identity_for_session(&session)?;
    let iopub = create_client_iopub_connection(connection, "", &session).await?;
    let shell =
        create_client_shell_connection_with_identity(connection, &session, identity.clone())
            .await?;
    let stdin =
        create_client_stdin_connection_with_identity(connection, &session, identity).await?;
    let control = create_client_control_connection(connection, &session).await?;
    let (mut shell, shell_replies) = shell.split();
    let (stdin, stdin_requests) = stdin.split();
    // Bounded, so that a flood of output is held back in the kernel rather than in our memory.
    let (sender, mut incoming) = mpsc::channel(1024);
    forward(iopub, sender.clone(), Incoming::IoPub);
    forward(shell_replies, sender.clone(), Incoming::Shell);
    forward(stdin_requests, sender, Incoming::Stdin);

    let mut asked = Vec::new();
    let (mut info, mut subscribed) = (None, false);
    loop {
        let request: JupyterMessage = KernelInfoRequest {}.into();
        asked.push(request.header.msg_id.clone());
        shell.send(request).await?;
        let again = Instant::now() + Duration::from_millis(200);
        // Replies to any request so far count: a kernel that is still loading answers all of them
        // in the end.
        while let Ok(message) = timeout_at(
            if info.is_some() { again } else { again + Duration::from_secs(2) },
            incoming.recv(),
        )
        .await
        {
            let (message, channel_is_iopub) =
                match message.context("the connection to the kernel was closed")? {
                    Incoming::IoPub(message) => (message, true),
                    Incoming::Shell(message) => (message, false),
                    Incoming::Stdin(_) | Incoming::Malformed => continue,
                };
            if !message.parent_header.as_ref().is_some_and(|parent| asked.contains(&parent.msg_id))
            {
                continue;
            }
            match message.content {
                JupyterMessageContent::KernelInfoReply(reply) if !channel_is_iopub => {
                    info = Some(*reply)
                }
                JupyterMessageContent::Status(status)
                    if status.execution_state == ExecutionState::Idle =>
                {
                    subscribed = true
                }
                _ => {}
            }
            if let (true, Some(info)) = (subscribed, &info) {
                // `bench kernel` also starts other kernels through this function.
                if kind == KernelKind::Parcourse && info.implementation == "parcourse" {
                    wait_for_engine(&mut shell, &mut incoming).await?;
                }
                return Ok(Sockets { shell, stdin, control, incoming, info: info.clone() });
            }
        }
    }
}

/// Our kernel answers requests for its description while its engine is still loading. Waiting for
/// an engine command makes loading count as startup and not towards the first cell's time. (The
/// stock kernel loads before it answers.)
async fn wait_for_engine(
    shell: &mut DealerSendConnection,
    incoming: &mut mpsc::Receiver<Incoming>,
) -> Result<()> {
    // Silent, so that it does not even change the execution count.
    let request: JupyterMessage = ExecuteRequest {
        silent: true,
        store_history: false,
        ..ExecuteRequest::new(":vars".to_string())
    }
    .into();
    let id = request.header.msg_id.clone();
    shell.send(request).await?;
    loop {
        let Incoming::Shell(message) =
            incoming.recv().await.context("the connection to the kernel was closed")?
        else {
            continue;
        };
        if message.parent_header.is_none_or(|parent| parent.msg_id != id) {
            continue;
        }
        let JupyterMessageContent::ExecuteReply(reply) = message.content else { continue };
        let reason =
            reply.error.map_or_else(|| "no reason given".to_string(), |error| error.evalue);
        ensure!(reply.status == ReplyStatus::Ok, "the kernel's engine failed to start: {reason}");
        return Ok(());
    }
}

/// Forwards a socket's messages to the common queue until one side is closed.
fn forward<S>(
    mut connection: jupyter_zmq_client::Connection<S>,
    sender: mpsc::Sender<Incoming>,
    kind: fn(JupyterMessage) -> Incoming,
) where
    S: zeromq::SocketRecv + Send + 'static,
{
    tokio::spawn(async move {
        loop {
            let incoming = match connection.read().await {
                Ok(message) => kind(message),
                Err(jupyter_zmq_client::RuntimeError::ZmqError(_)) => {
                    // The kernel closed the connection; the guard reports whether it is dead.
                    if sender.send(Incoming::Malformed).await.is_err() {
                        return;
                    }
                    tokio::time::sleep(Duration::from_millis(50)).await;
                    continue;
                }
                Err(_) => Incoming::Malformed,
            };
            if sender.send(incoming).await.is_err() {
                return;
            }
        }
    });
}
