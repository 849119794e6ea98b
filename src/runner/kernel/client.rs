//! The Jupyter client's side of one kernel: connection file, sockets, and the first conversation,
//! after which no output can be lost.

use super::directory::Directory;
use super::process::{Death, Process};
use super::warm::{Engine, Templates};
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

/// Sending to a kernel that does not read is given up after this time.
const SEND_LIMIT: Duration = Duration::from_secs(5);
/// How long a kernel may take to leave by itself.
const SHUTDOWN_LIMIT: Duration = Duration::from_secs(3);
/// A unix socket's address must fit into 108 bytes, with a suffix per socket.
const LONGEST_IPC_PATH: usize = 100;

/// What a kernel needs, made anew for every attempt to start it.
pub type EngineFor<'a> = dyn Fn(&Directory) -> Result<Engine> + 'a;

/// Something a kernel sent.
pub enum Incoming {
    Shell(JupyterMessage),
    IoPub(JupyterMessage),
    Stdin(JupyterMessage),
    /// Something that is no message.
    Malformed,
}

/// A kernel that answers, with every output subscribed to.
pub struct Client {
    pub process: Process,
    pub info: KernelInfoReply,
    pub incoming: mpsc::Receiver<Incoming>,
    shell: DealerSendConnection,
    stdin: DealerSendConnection,
    control: ClientControlConnection,
    /// File to which the stock kernel's user process reports what the engine hides.
    pub audit: PathBuf,
}

impl Client {
    /// Starts a kernel in the notebook's folder and waits until it answers. Ports that somebody
    /// else takes in between cost another try.
    pub async fn start(
        kind: KernelKind,
        source: &Source,
        templates: &Templates,
        limit: Duration,
    ) -> Result<Client> {
        Client::launch(kind, &source.folder, &|_| templates.engine(source), limit).await
    }

    /// The same for any folder, and any engine made for the kernel's private directory.
    pub async fn launch(
        kind: KernelKind,
        folder: &Path,
        engine: &EngineFor<'_>,
        limit: Duration,
    ) -> Result<Client> {
        let deadline = Instant::now() + limit;
        let mut attempt = 1;
        loop {
            match Client::attempt(kind, folder, engine, deadline, limit).await {
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
        engine: &EngineFor<'_>,
        deadline: Instant,
        limit: Duration,
    ) -> Result<Client> {
        let directory = Directory::create()?;
        let engine = engine(&directory)?;
        let (connection, listeners) = connection_info(kind, directory.path()).await?;
        let file =
            directory.write_private("connection.json", &serde_json::to_vec_pretty(&connection)?)?;
        let audit = directory.write_private("audit", b"")?;
        // The ports were held until here; the kernel binds them as its first action.
        drop(listeners);
        let process = Process::start(kind, directory, engine, &file, &audit, folder)?;
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

    /// Asks the kernel to stop what it is doing.
    pub async fn interrupt(&mut self) {
        let _ = timeout(SEND_LIMIT, self.control.send(InterruptRequest {}.into())).await;
    }

    /// Answers a request for keyboard input with an empty line: nobody is there.
    pub async fn answer_input(&mut self, request: &JupyterMessage) {
        let reply = InputReply { value: String::new(), ..Default::default() };
        let _ = timeout(
            SEND_LIMIT,
            self.stdin
                .send(JupyterMessage::new(reply, Some(request)).with_zmq_identities(Vec::new())),
        )
        .await;
    }

    /// Ends the kernel, politely at first.
    pub async fn shut_down(mut self) {
        if !self.process.is_dead() {
            let request = ShutdownRequest { restart: false };
            let _ = timeout(SEND_LIMIT, self.control.send(request.into())).await;
            let _ = timeout(SHUTDOWN_LIMIT, self.process.died()).await;
        }
        self.process.end().await;
    }

    /// Death with the kernel's last words.
    pub fn describe(&self, death: &Death) -> String {
        format!("{death}{}", log_of(&self.process))
    }
}

fn log_of(process: &Process) -> String {
    match process.log_tail() {
        tail if tail.is_empty() => String::new(),
        tail => format!("; its last words:\n{tail}"),
    }
}

/// Our kernel listens on unix sockets in the private directory, where no other user can reach it.
/// The stock one knows TCP only; so do we where the directory's name is too long for a socket.
async fn connection_info(
    kind: KernelKind,
    directory: &Path,
) -> Result<(ConnectionInfo, Vec<tokio::net::TcpListener>)> {
    let socket = directory.join("socket");
    let ipc = kind == KernelKind::Parcourse && socket.as_os_str().len() <= LONGEST_IPC_PATH;
    let (transport, ip, ports, listeners) = if ipc {
        let path =
            socket.to_str().context("the temporary directory's name is not Unicode")?.to_string();
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

/// Connects and asks for the kernel's description until the answer has come on shell *and* its
/// `idle` on iopub: only then is the subscription in place. The stock kernel's PUB socket says
/// nothing when a subscriber arrives, so asking is the only way to know.
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
    // Bounded, so that a flood of output waits in the kernel rather than in our memory.
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
        // Replies and statuses of every question asked so far count: a kernel that is still loading
        // answers them all in the end.
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
                // `bench kernel` starts other kernels in our way.
                if kind == KernelKind::Parcourse && info.implementation == "parcourse" {
                    wait_for_engine(&mut shell, &mut incoming).await?;
                }
                return Ok(Sockets { shell, stdin, control, incoming, info: info.clone() });
            }
        }
    }
}

/// Our kernel answers questions about itself while its engine is still loading. A command to the
/// engine waits for it, so that loading counts as starting and not against the time of the first
/// cell. (The stock kernel loads first and answers then.)
async fn wait_for_engine(
    shell: &mut DealerSendConnection,
    incoming: &mut mpsc::Receiver<Incoming>,
) -> Result<()> {
    // Silent: it leaves no trace, not even in the execution count.
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
            reply.error.map_or_else(|| "it gave no reason".to_string(), |error| error.evalue);
        ensure!(reply.status == ReplyStatus::Ok, "the kernel's engine does not work: {reason}");
        return Ok(());
    }
}

/// Moves a socket's messages into the common queue until one side is gone.
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
                    // The kernel closed the connection: whether it is dead is for the guard to say.
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
