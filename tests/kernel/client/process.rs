//! Starting a kernel process.

use super::wire::{Channel, Sockets, connection_info};
use super::{Kernel, LONG};
use crate::support::{BINARY, Sandbox};
use jupyter_protocol::connection_info::Transport;
use serde_json::json;
use std::collections::VecDeque;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

/// A builder for the start of a kernel.
pub struct Setup {
    pub sandbox: Arc<Sandbox>,
    pub transport: Transport,
    pub directory: PathBuf,
    pub helpers: Option<PathBuf>,
    pub arguments: Vec<String>,
    pub environment: Vec<(String, String)>,
    /// Runs in the new process before the kernel.
    pub before: Option<fn()>,
}

impl Default for Setup {
    fn default() -> Setup {
        Setup {
            sandbox: Arc::new(Sandbox::new()),
            transport: Transport::IPC,
            directory: Path::new(env!("CARGO_MANIFEST_DIR")).join("notebooks"),
            helpers: None,
            arguments: Vec::new(),
            environment: Vec::new(),
            before: None,
        }
    }
}

impl Setup {
    /// In a sandbox that other kernels share.
    pub fn within(sandbox: &Arc<Sandbox>) -> Setup {
        Setup { sandbox: sandbox.clone(), ..Setup::default() }
    }

    pub fn argument(mut self, argument: &str) -> Setup {
        self.arguments.push(argument.to_owned());
        self
    }

    pub fn variable(mut self, name: &str, value: &str) -> Setup {
        self.environment.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Builds the template from which the kernel starts, unless it exists.
    pub fn prepare(&self) {
        let mut command = Command::new(BINARY);
        command
            .args(["prepare", "--quiet"])
            .current_dir(env!("CARGO_MANIFEST_DIR"))
            .envs(self.environment.iter().cloned());
        if let Some(helpers) = &self.helpers {
            command.arg("--helpers").arg(helpers);
        }
        let output = command.output().unwrap();
        assert!(output.status.success(), "{}", crate::support::output_text(&output));
    }

    /// The command that starts the kernel, with the connection file in its own folder.
    pub fn command(&self, folder: &Path) -> (Command, jupyter_protocol::ConnectionInfo) {
        if self.helpers.is_none() {
            static COURSE: OnceLock<()> = OnceLock::new();
            COURSE.get_or_init(|| Setup::default().prepare());
        }
        std::fs::create_dir(folder).unwrap();
        let connection = connection_info(self.transport.clone(), folder);
        let file = folder.join("connection.json");
        std::fs::write(&file, serde_json::to_vec(&connection).unwrap()).unwrap();
        let mut command = Command::new(BINARY);
        command.args(["kernel", "--connection-file"]).arg(&file).args(&self.arguments);
        command.env_remove("JPY_PARENT_PID").env_remove("RUST_BACKTRACE");
        command
            .current_dir(&self.directory)
            .env("PARCOURSE_TMPDIR", self.sandbox.path("p"))
            .envs(self.environment.iter().cloned());
        if let Some(helpers) = &self.helpers {
            command.env("PARCOURSE_HELPERS", helpers);
        }
        if let Some(before) = self.before {
            use std::os::unix::process::CommandExt;
            // SAFETY: the tests' functions only make system calls.
            unsafe {
                command.pre_exec(move || {
                    before();
                    Ok(())
                });
            }
        }
        (command, connection)
    }

    /// Starts the kernel and waits until it answers and no output can be missed.
    pub fn start(self) -> Kernel {
        let folder = self.sandbox.path(&uuid::Uuid::new_v4().simple().to_string()[..6]);
        let (mut command, connection) = self.command(&folder);
        let log = folder.join("log");
        let child = command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(std::fs::File::create(&log).unwrap())
            .spawn()
            .unwrap();
        let (sockets, incoming) = Sockets::connect(&connection);
        let mut kernel = Kernel {
            child,
            sandbox: self.sandbox,
            connection,
            log,
            sockets,
            incoming,
            waiting: VecDeque::new(),
        };
        kernel.wait_for("iopub_welcome", LONG, |message| message.kind == "iopub_welcome");
        let begun = Instant::now();
        let info = kernel.ask(Channel::Shell, "kernel_info_request", json!({}));
        assert_eq!(info["status"], "ok");
        assert!(begun.elapsed() < Duration::from_secs(30), "{:?}", begun.elapsed());
        kernel
    }
}
