//! The sockets of a Jupyter client.

use jupyter_protocol::{
    ConnectionInfo, JupyterMessage, JupyterMessageContent, UnknownMessage,
    connection_info::Transport,
};
use jupyter_zmq_client::{self as zmq, Connection, RawMessage};
use serde_json::{Value, json};
use std::sync::Mutex;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::{Duration, Instant};
use zeromq::{SocketRecv, SocketSend};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Channel {
    Shell,
    Control,
    IoPub,
    Stdin,
}

/// A message from the kernel.
#[derive(Debug)]
pub struct Received {
    pub channel: Channel,
    pub kind: String,
    /// The id of the message that caused it; empty if there is none.
    pub parent: String,
    pub header: Value,
    pub content: Value,
    pub metadata: Value,
    pub at: Instant,
}

/// Sockets in `directory`, or free ports.
pub fn connection_info(transport: Transport, directory: &std::path::Path) -> ConnectionInfo {
    let (ip, ports) = match transport {
        Transport::IPC => (directory.join("s").to_str().unwrap().to_owned(), vec![1, 2, 3, 4, 5]),
        Transport::TCP => {
            let ip = std::net::Ipv4Addr::LOCALHOST;
            // All at once, or the system might return the same port twice.
            let listeners: Vec<_> =
                (0..5).map(|_| std::net::TcpListener::bind((ip, 0)).unwrap()).collect();
            (
                ip.to_string(),
                listeners.iter().map(|listener| listener.local_addr().unwrap().port()).collect(),
            )
        }
    };
    ConnectionInfo {
        ip,
        transport,
        shell_port: ports[0],
        iopub_port: ports[1],
        stdin_port: ports[2],
        control_port: ports[3],
        hb_port: ports[4],
        key: uuid::Uuid::new_v4().to_string(),
        signature_scheme: "hmac-sha256".to_owned(),
        kernel_name: Some("rust".to_owned()),
    }
}

pub struct Sockets {
    runtime: tokio::runtime::Runtime,
    connection: ConnectionInfo,
    session: String,
    shell: Mutex<zmq::DealerSendConnection>,
    control: Mutex<zmq::DealerSendConnection>,
    stdin: Mutex<zmq::DealerSendConnection>,
    heartbeat: Mutex<zmq::ClientHeartbeatConnection>,
}

impl Sockets {
    /// Connects, and retries because the kernel may not be listening yet.
    pub fn connect(connection: &ConnectionInfo) -> (Sockets, Receiver<Received>) {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .unwrap();
        let session = uuid::Uuid::new_v4().to_string();
        let (sender, incoming) = channel();
        let (shell, control, stdin, heartbeat) = runtime.block_on(async {
            let identity = zmq::peer_identity_for_session(&session).unwrap();
            let iopub =
                zmq::create_client_iopub_connection(connection, "", &session).await.unwrap();
            let shell = zmq::create_client_shell_connection_with_identity(
                connection,
                &session,
                identity.clone(),
            )
            .await
            .unwrap();
            let stdin =
                zmq::create_client_stdin_connection_with_identity(connection, &session, identity)
                    .await
                    .unwrap();
            let control =
                zmq::create_client_control_connection(connection, &session).await.unwrap();
            let heartbeat = zmq::create_client_heartbeat_connection(connection).await.unwrap();
            forward(iopub, Channel::IoPub, sender.clone());
            let (shell, replies) = shell.split();
            forward(replies, Channel::Shell, sender.clone());
            let (control, replies) = control.split();
            forward(replies, Channel::Control, sender.clone());
            let (stdin, requests) = stdin.split();
            forward(requests, Channel::Stdin, sender);
            (Mutex::new(shell), Mutex::new(control), Mutex::new(stdin), Mutex::new(heartbeat))
        });
        (
            Sockets {
                runtime,
                connection: connection.clone(),
                session,
                shell,
                control,
                stdin,
                heartbeat,
            },
            incoming,
        )
    }

    fn socket(&self, channel: Channel) -> &Mutex<zmq::DealerSendConnection> {
        match channel {
            Channel::Shell => &self.shell,
            Channel::Control => &self.control,
            Channel::Stdin => &self.stdin,
            Channel::IoPub => panic!("nothing can be sent on iopub"),
        }
    }

    pub fn send(&self, channel: Channel, kind: &str, content: Value) -> String {
        let message = message(kind, content);
        let id = message.header.msg_id.clone();
        self.runtime.block_on(self.socket(channel).lock().unwrap().send(message)).unwrap();
        id
    }

    /// The delimiter, the signature and the four parts of a message.
    pub fn frames(&self, kind: &str, content: Value) -> Vec<Vec<u8>> {
        let header = json!({
            "msg_id": uuid::Uuid::new_v4().to_string(), "session": self.session, "username": "test", "date": "2026-01-01T00:00:00Z",
            "msg_type": kind, "version": "5.4",
        });
        let parts =
            [header, json!({}), json!({}), content].map(|part| part.to_string().into_bytes());
        let signature = sign(self.connection.key.as_bytes(), &parts.concat());
        [b"<IDS|MSG>".to_vec(), signature.into_bytes()].into_iter().chain(parts).collect()
    }

    pub fn send_frames(&self, channel: Channel, frames: Vec<Vec<u8>>) {
        let frames: Vec<bytes::Bytes> = frames.into_iter().map(Into::into).collect();
        let multipart = zeromq::ZmqMessage::try_from(frames).unwrap();
        self.runtime.block_on(self.socket(channel).lock().unwrap().socket.send(multipart)).unwrap();
    }

    pub fn heartbeat(&self) -> Duration {
        let begun = Instant::now();
        let mut heartbeat = self.heartbeat.lock().unwrap();
        let beat = async {
            tokio::time::timeout(Duration::from_secs(30), heartbeat.single_heartbeat()).await
        };
        self.runtime.block_on(beat).expect("the heart beats within 30 s").unwrap();
        begun.elapsed()
    }

    pub fn subscribe_and_sleep(&self) -> impl Drop + use<> {
        self.runtime
            .block_on(zmq::create_client_iopub_connection(&self.connection, "", "sleeper"))
            .map(Sleeper)
            .unwrap()
    }
}

/// Keeps a subscription without reading from it.
struct Sleeper(#[expect(dead_code, reason = "held for its connection")] zmq::ClientIoPubConnection);

impl Drop for Sleeper {
    fn drop(&mut self) {}
}

/// HMAC-SHA256 as in RFC 2104, in hexadecimal; not the implementation that the kernel uses.
fn sign(key: &[u8], text: &[u8]) -> String {
    use sha2::{Digest, Sha256};
    let padded = |with: u8| {
        let mut block = [with; 64];
        block.iter_mut().zip(key).for_each(|(byte, key)| *byte ^= key);
        block
    };
    let inner = Sha256::new().chain_update(padded(0x36)).chain_update(text).finalize();
    Sha256::new()
        .chain_update(padded(0x5c))
        .chain_update(inner)
        .finalize()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

fn message(kind: &str, content: Value) -> JupyterMessage {
    JupyterMessage::new(
        JupyterMessageContent::UnknownMessage(UnknownMessage {
            msg_type: kind.to_owned(),
            content,
        }),
        None,
    )
}

fn forward<S: SocketRecv + Send + 'static>(
    mut connection: Connection<S>,
    channel: Channel,
    sender: Sender<Received>,
) {
    tokio::spawn(async move {
        loop {
            let Ok(multipart) = connection.socket.recv().await else {
                tokio::time::sleep(Duration::from_millis(20)).await;
                continue;
            };
            // A message with a wrong signature fails the test that waits for it.
            let raw = match RawMessage::from_multipart(multipart, &connection.mac) {
                Ok(raw) => raw,
                Err(error) => panic!("the kernel sent a bad message on {channel:?}: {error}"),
            };
            let part = |index: usize| {
                serde_json::from_slice::<Value>(&raw.jparts[index]).unwrap_or_else(|_| json!({}))
            };
            let (header, parent) = (part(0), part(1));
            let received = Received {
                channel,
                kind: header["msg_type"].as_str().unwrap_or_default().to_owned(),
                parent: parent["msg_id"].as_str().unwrap_or_default().to_owned(),
                header,
                content: part(3),
                metadata: part(2),
                at: Instant::now(),
            };
            if sender.send(received).is_err() {
                return;
            }
        }
    });
}
