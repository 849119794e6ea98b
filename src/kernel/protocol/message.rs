//! Reading and writing Jupyter messages.
//!
//! Requests are parsed leniently, with their content as JSON, so that clients may omit optional
//! fields. The signature is checked first.

use anyhow::{Context, Result};
use bytes::Bytes;
use jupyter_protocol::{Header, JupyterMessage, JupyterMessageContent, UnknownMessage};
use jupyter_zmq_client::{Connection, RawMessage};
use serde_json::Value;
use zeromq::SocketRecv;

/// A received message: its sender, header and content.
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

    /// A text field of the content; empty if it is missing.
    pub fn text(&self, field: &str) -> &str {
        self.content[field].as_str().unwrap_or_default()
    }

    pub fn flag(&self, field: &str, default: bool) -> bool {
        self.content[field].as_bool().unwrap_or(default)
    }

    /// A reply to this request, of the matching type.
    pub fn reply(&self, content: Value) -> JupyterMessage {
        self.child(&self.kind().replace("_request", "_reply"), content)
            .with_zmq_identities(self.identities.clone())
    }

    /// A message with this request as its parent, without a recipient.
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

/// Receives the next message. The outer error means that receiving failed, the inner one that this
/// message is invalid and must be ignored.
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
