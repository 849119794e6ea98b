//! Asking the user for a line.

use super::message::{self, Request};
use crate::base::log::log;
use jupyter_zmq_client::KernelStdinConnection;
use serde_json::json;
use tokio::sync::{mpsc, oneshot};

/// A question on behalf of an execute request.
pub struct Question {
    pub request: Request,
    pub prompt: String,
    pub password: bool,
    /// Takes the answer; dropped without one when a newer question comes.
    pub answer: oneshot::Sender<String>,
}

/// Sends questions to the front end that asked for the execution, and hands over its replies.
pub async fn serve(
    connection: KernelStdinConnection,
    mut questions: mpsc::UnboundedReceiver<Question>,
) {
    let (mut sender, mut receiver) = connection.split();
    let mut open: Option<oneshot::Sender<String>> = None;
    loop {
        tokio::select! {
            question = questions.recv() => {
                let Some(question) = question else { return };
                let content = json!({ "prompt": question.prompt, "password": question.password });
                let message = question.request.child("input_request", content).with_zmq_identities(question.request.identities.clone());
                // A front end without a stdin channel cannot be reached: the program then reads end
                // of file.
                open = match sender.send(message).await {
                    Ok(()) => Some(question.answer),
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
