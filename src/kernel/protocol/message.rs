//! Jupyter messages as this kernel reads and writes them.
//!
//! Requests are read leniently, content as JSON: a client that leaves out an optional field is
//! served. Signatures are checked before anything else is looked at.

use anyhow::{Context, Result};
use bytes::Bytes;
use jupyter_protocol::{Header, JupyterMessage, JupyterMessageContent, UnknownMessage};
use jupyter_zmq_client::{Connection, RawMessage};
use serde_json::Value;
use zeromq::SocketRecv;

/// A message that came in: who sent it, under which header, and what it says.
#[derive(Clone)]
pub struct Request {
    pub identities: Vec<Bytes>,
    pub header: Header,
    pub content: Value,
}

impl Request {
    pub fn kind(&self) -> &str {
        &self.header.msg_type
    }

    /// A text field of the content; empty when it is missing.
    pub fn text(&self, field: &str) -> &str {
        self.content[field].as_str().unwrap_or_default()
    }

    pub fn flag(&self, field: &str, default: bool) -> bool {
        self.content[field].as_bool().unwrap_or(default)
    }

    /// The reply of the matching type.
    pub fn reply(&self, content: Value) -> JupyterMessage {
        self.child(&self.kind().replace("_request", "_reply"), content)
            .with_zmq_identities(self.identities.clone())
    }

    /// A message caused by this request, addressed to nobody yet.
    pub fn child(&self, kind: &str, content: Value) -> JupyterMessage {
        let mut message = message(kind, content);
        message.parent_header = Some(self.header.clone());
        message
    }
}

/// A message without a parent.
pub fn message(kind: &str, content: Value) -> JupyterMessage {
    let content = JupyterMessageContent::UnknownMessage(UnknownMessage {
        msg_type: kind.to_owned(),
        content,
    });
    let mut message = JupyterMessage::new(content, None);
    message.header.username = "kernel".to_owned();
    message
}

/// Reads the next message. The outer error means that the socket is gone; the inner one that this
/// message must be ignored.
pub async fn receive<S: SocketRecv>(connection: &mut Connection<S>) -> Result<Result<Request>> {
    let multipart = connection.socket.recv().await?;
    Ok(parse(multipart, connection))
}

fn parse<S>(multipart: zeromq::ZmqMessage, connection: &Connection<S>) -> Result<Request> {
    let raw = RawMessage::from_multipart(multipart, &connection.mac)?;
    let header: Header = serde_json::from_slice(&raw.jparts[0]).context("bad header")?;
    let content: Value = serde_json::from_slice(&raw.jparts[3]).context("bad content")?;
    Ok(Request { identities: raw.zmq_identities, header, content })
}
