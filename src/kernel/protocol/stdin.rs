//! Asking the user for a line of input.

use super::message::{self, Request};
use crate::base::log::log;
use jupyter_zmq_client::KernelStdinConnection;
use serde_json::json;
use tokio::sync::{mpsc, oneshot};

/// A program's request for input, on behalf of an execute request.
pub struct InputRequest {
    pub request: Request,
    pub prompt: String,
    pub password: bool,
    /// Takes the answer; dropped without one if a newer request arrives.
    pub answer: oneshot::Sender<String>,
}

/// Sends input requests to the front end that executes the cell, and passes on its replies.
pub async fn serve(
    connection: KernelStdinConnection,
    mut requests: mpsc::UnboundedReceiver<InputRequest>,
) {
    let (mut sender, mut receiver) = connection.split();
    let mut open: Option<oneshot::Sender<String>> = None;
    loop {
        tokio::select! {
            input = requests.recv() => {
                let Some(InputRequest { request, prompt, password, answer }) = input else {
                    return;
                };
                let content = json!({ "prompt": prompt, "password": password });
                let message = request.child("input_request", content);
                let message = message.with_zmq_identities(request.identities.clone());
                // If the front end has no stdin channel, the program reads end of file.
                open = match sender.send(message).await {
                    Ok(()) => Some(answer),
                    Err(_) => None,
                };
            }
            reply = message::receive(&mut receiver) => match reply {
                Ok(Ok(reply)) if reply.kind() == "input_reply" => {
                    if let Some(answer) = open.take() {
                        let _ = answer.send(reply.text("value").to_owned());
                    }
                }
                Ok(Ok(_)) => {}
                Ok(Err(error)) => log!("parcourse kernel: ignored a message on stdin: {error:#}"),
                Err(_) => tokio::time::sleep(std::time::Duration::from_millis(10)).await,
            },
        }
    }
}
