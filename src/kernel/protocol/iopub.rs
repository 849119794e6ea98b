//! The iopub channel: status, streams, results and errors for all clients.
//!
//! Any thread can queue messages and one task sends them, so they keep the order of the calls. The
//! queue is bounded: a program that prints faster than the front end reads has to wait and does not
//! fill the kernel's memory.

use super::message::{Request, message};
use crate::base::log::log;
use jupyter_protocol::JupyterMessage;
use jupyter_zmq_client::{KernelIoPubXPubConnection, SubscriptionEvent};
use serde_json::{Value, json};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::time::timeout as within;

const QUEUE_LENGTH: usize = 256;

/// The sending end. Clones share the queue.
#[derive(Clone)]
pub struct Publisher {
    queue: mpsc::Sender<JupyterMessage>,
    /// The request to which output belongs: the current one, or the last one, whose threads may
    /// still print.
    parent: Arc<Mutex<Option<Request>>>,
}

impl Publisher {
    /// The sending end, and the queue for [`send_all`].
    pub fn new() -> (Publisher, mpsc::Receiver<JupyterMessage>) {
        let (queue, receiver) = mpsc::channel(QUEUE_LENGTH);
        (Publisher { queue, parent: Arc::default() }, receiver)
    }

    pub fn set_parent(&self, request: &Request) {
        *self.lock_parent() = Some(request.clone());
    }

    fn lock_parent(&self) -> std::sync::MutexGuard<'_, Option<Request>> {
        self.parent.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }

    /// Publishes a message with the current parent. Blocks while the queue is full, so do not call
    /// it from an async task.
    pub fn publish(&self, kind: &str, content: Value) {
        let message = match &*self.lock_parent() {
            Some(parent) => parent.child(kind, content),
            None => message(kind, content),
        };
        // The receiver lives as long as the kernel.
        let _ = self.queue.blocking_send(with_topic(message, kind));
    }

    /// Publishes a message with the given request as its parent.
    pub async fn publish_for(&self, request: &Request, kind: &str, content: Value) {
        let _ = self.queue.send(with_topic(request.child(kind, content), kind)).await;
    }

    pub async fn status(&self, request: &Request, state: &str) {
        self.publish_for(request, "status", json!({ "execution_state": state })).await;
    }

    /// Publishes a message without a parent.
    pub async fn announce(&self, kind: &str, content: Value) {
        let _ = self.queue.send(with_topic(message(kind, content), kind)).await;
    }
}

/// Subscribers can filter by the first frame, but Jupyter clients subscribe to everything.
fn with_topic(message: JupyterMessage, kind: &str) -> JupyterMessage {
    message.with_zmq_identities(vec![format!("kernel.parcourse.{kind}").into()])
}

/// How long a subscriber may take to accept a message, normally and after one that timed out. A
/// subscriber that does not read must not block the kernel. It loses messages, as with every PUB
/// socket.
const SEND_TIMEOUT: Duration = Duration::from_secs(1);
const STALLED_TIMEOUT: Duration = Duration::from_millis(2);

/// Sends queued messages, and greets new subscribers.
pub async fn send_all(
    mut connection: KernelIoPubXPubConnection,
    mut queue: mpsc::Receiver<JupyterMessage>,
) {
    let mut timeout = SEND_TIMEOUT;
    loop {
        tokio::select! {
            // Serve subscriptions before output, or the client would miss some.
            biased;
            event = connection.recv_subscription() => match event {
                Ok(SubscriptionEvent::Subscribe(topic)) => {
                    let welcome = message("iopub_welcome", json!({ "subscription": topic }));
                    let welcome = with_topic(welcome, "iopub_welcome");
                    let _ = connection.send(welcome).await;
                }
                Ok(_) => {}
                Err(_) => tokio::time::sleep(Duration::from_millis(10)).await,
            },
            message = queue.recv() => match message {
                Some(message) => match within(timeout, connection.send(message)).await {
                    Ok(Ok(())) => timeout = SEND_TIMEOUT,
                    Ok(Err(error)) => log!("parcourse kernel: failed to publish: {error}"),
                    Err(_) => {
                        if timeout == SEND_TIMEOUT {
                            log!("parcourse kernel: a subscriber does not read its messages; some \
                                are lost");
                        }
                        timeout = STALLED_TIMEOUT;
                    }
                },
                None => return,
            },
        }
    }
}
