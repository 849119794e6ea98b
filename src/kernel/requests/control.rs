//! The control channel: requests that are answered even while a cell runs.

use super::info;
use super::shell;
use crate::base::log::log;
use crate::kernel::process::interrupt::Interrupts;
use crate::kernel::protocol::iopub::Publisher;
use crate::kernel::protocol::message::{self, Request};
use jupyter_zmq_client::KernelControlConnection;
use serde_json::{Value, json};
use std::sync::Arc;

/// Serves until a shutdown is requested; returns after answering it.
pub async fn serve(
    connection: KernelControlConnection,
    publisher: Publisher,
    interrupts: Arc<Interrupts>,
) {
    let (mut sender, mut receiver) = connection.split();
    loop {
        let request = match message::receive(&mut receiver).await {
            Ok(Ok(request)) => request,
            Ok(Err(error)) => {
                log!("parcourse kernel: ignored a message on control: {error:#}");
                continue;
            }
            Err(_) => {
                tokio::time::sleep(std::time::Duration::from_millis(10)).await;
                continue;
            }
        };
        publisher.status(&request, "busy").await;
        let reply = answer(&request, &interrupts).await;
        if let Some(reply) = reply {
            let _ = sender.send(request.reply(reply)).await;
        }
        publisher.status(&request, "idle").await;
        if request.kind() == "shutdown_request" {
            return;
        }
    }
}

async fn answer(request: &Request, interrupts: &Arc<Interrupts>) -> Option<Value> {
    Some(match request.kind() {
        "kernel_info_request" => info::kernel_info(),
        "interrupt_request" => {
            let interrupts = interrupts.clone();
            let _ = tokio::task::spawn_blocking(move || interrupts.request()).await;
            json!({ "status": "ok" })
        }
        "shutdown_request" => json!({ "status": "ok", "restart": request.flag("restart", false) }),
        other => return shell::log_unknown(other),
    })
}
