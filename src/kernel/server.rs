//! Putting the kernel's parts together.

use super::execute::Executor;
use super::interrupt::Interrupts;
use super::iopub::Publisher;
use super::message::Request;
use super::output::{InputReader, Outputs, relay::Relay};
use super::report::source::Sources;
use super::stdin::Question;
use super::workspace::Workspace;
use super::{control, engine, shell, stdin};
use anyhow::{Context, Result};
use jupyter_protocol::ConnectionInfo;
use jupyter_zmq_client as zmq;
use serde_json::json;
use std::sync::{Arc, Mutex};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::{mpsc, oneshot};

/// Serves one front end until it asks for a shutdown, or the process is told to end.
pub async fn run(connection: &ConnectionInfo, workspace: &Workspace, output_limit: usize) -> Result<()> {
    let session = uuid::Uuid::new_v4().to_string();
    let bound = "failed to listen on the addresses of the connection file";
    let mut heartbeat = zmq::create_kernel_heartbeat_connection(connection).await.context(bound)?;
    let iopub = zmq::create_kernel_iopub_xpub_connection(connection, &session).await.context(bound)?;
    let shell_socket = zmq::create_kernel_shell_connection(connection, &session).await.context(bound)?;
    let control_socket = zmq::create_kernel_control_connection(connection, &session).await.context(bound)?;
    let stdin_socket = zmq::create_kernel_stdin_connection(connection, &session).await.context(bound)?;

    // A thread of its own, so that nothing the kernel does can make a client believe that it is dead.
    std::thread::Builder::new().name("heartbeat".to_owned()).spawn({
        let handle = tokio::runtime::Handle::current();
        move || handle.block_on(async { while heartbeat.single_heartbeat().await.is_ok() {} })
    })?;
    let publisher = Publisher::start(iopub);
    publisher.announce("status", json!({ "execution_state": "starting" })).await;

    let executing: Arc<Mutex<Option<Request>>> = Arc::default();
    let (questions, receiver) = mpsc::unbounded_channel();
    tokio::spawn(stdin::serve(stdin_socket, receiver));

    let sources = Arc::new(Sources::new(workspace.build_directory().join("src/lib.rs")));
    let reader = input_reader(executing.clone(), questions);
    let outputs = Arc::new(Outputs::new(publisher.clone(), sources.clone(), reader, output_limit));
    let relay = Arc::new(Relay::start(&workspace.socket(), outputs.clone())?);
    let interrupts = Arc::new(Interrupts::new(outputs.clone(), relay.clone()));
    let (engine, ready) = engine::Engine::start(engine::Settings { channel: workspace.socket() });
    let engine_failure: Arc<Mutex<Option<String>>> = Arc::default();
    tokio::spawn({
        let engine_failure = engine_failure.clone();
        async move {
            if let Ok(Err(error)) = ready.await {
                eprintln!("parcourse kernel: the engine did not start: {error:#}");
                if let Ok(mut reason) = engine_failure.lock() {
                    *reason = Some(format!("the engine did not start: {error:#}"));
                }
            }
        }
    });

    let executor = Arc::new(Executor { outputs, sources, interrupts: interrupts.clone() });
    let shell = shell::Shell { publisher: publisher.clone(), engine, executor, engine_failure, executing };
    let shell = tokio::spawn(shell::serve(shell_socket, shell));
    let control = tokio::spawn(control::serve(control_socket, publisher, interrupts.clone()));
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut end = std::pin::pin!(wait(shell, control));
    loop {
        tokio::select! {
            // Front ends that use interrupt_mode "signal", and people at a terminal.
            _ = interrupt.recv() => {
                let interrupts = interrupts.clone();
                tokio::task::spawn_blocking(move || interrupts.request());
            }
            _ = terminate.recv() => break,
            () = &mut end => break,
        }
    }
    // The replies to the shutdown are on their way.
    tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    relay.kill();
    Ok(())
}

async fn wait(shell: tokio::task::JoinHandle<()>, control: tokio::task::JoinHandle<()>) {
    tokio::select! {
        _ = shell => {}
        _ = control => {}
    }
}

/// How a program's request for input reaches the front end that had the cell executed.
fn input_reader(executing: Arc<Mutex<Option<Request>>>, questions: mpsc::UnboundedSender<Question>) -> Box<InputReader> {
    Box::new(move |prompt, password| {
        let request = executing.lock().ok()?.clone()?;
        if !request.flag("allow_stdin", false) {
            return None;
        }
        let (answer, line) = oneshot::channel();
        questions.send(Question { request, prompt: prompt.to_owned(), password, answer }).ok()?;
        line.blocking_recv().ok()
    })
}
