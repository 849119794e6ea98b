//! A running `parcourse lab`, and what a browser would ask it.

use super::{PARCOURSE, processes};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant, SystemTime};

/// A server that has said its address. Killed when dropped before it was stopped.
pub struct Server {
    child: Child,
    lines: Receiver<String>,
    /// With the token.
    pub address: String,
    /// When the process was started.
    pub started: SystemTime,
}

impl Server {
    /// Starts `command` (a `parcourse lab`) and waits until JupyterLab says where it is.
    pub fn start(command: &mut Command) -> Result<Self, String> {
        let started = SystemTime::now();
        let mut child = command
            .stdin(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(|error| error.to_string())?;
        let stderr = BufReader::new(child.stderr.take().expect("stderr is a pipe"));
        let (sender, lines) = channel();
        std::thread::spawn(move || {
            stderr.lines().map_while(Result::ok).try_for_each(|line| sender.send(line))
        });
        let mut server = Self { child, lines, address: String::new(), started };
        let mut said = Vec::new();
        while let Ok(line) = server.lines.recv_timeout(Duration::from_secs(600)) {
            if line.contains("http://localhost:") && line.contains("token=") {
                server.address = line.trim().to_owned();
                // Jupyter says where it is a moment before it listens there.
                let end = Instant::now() + Duration::from_secs(120);
                while let Err(error) = TcpStream::connect(server.host()) {
                    if Instant::now() > end {
                        return Err(format!("{}: {error}", server.address));
                    }
                    std::thread::sleep(Duration::from_millis(20));
                }
                return Ok(server);
            }
            said.push(line);
        }
        Err(format!("the server did not say its address:\n{}", said.join("\n")))
    }

    /// `parcourse lab` with a cache and a temporary folder of its own, a home directory that must
    /// stay empty, and no package index to fall back on.
    pub fn command(cache: &Path, home: &Path, private_tmp: &Path) -> Command {
        let mut command = Command::new(PARCOURSE);
        command
            .args(["lab", "--no-browser"])
            .env("PARCOURSE_CACHE", cache)
            .env("HOME", home)
            .env("PIP_INDEX_URL", "http://127.0.0.1:9/");
        command.env("PARCOURSE_TMPDIR", private_tmp);
        for name in ["CARGO_HOME", "RUSTUP_HOME"] {
            if let (None, Some(real)) = (std::env::var_os(name), std::env::home_dir()) {
                command
                    .env(name, real.join(if name == "CARGO_HOME" { ".cargo" } else { ".rustup" }));
            }
        }
        for name in
            ["XDG_CACHE_HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME", "JUPYTER_TOKEN", "JUPYTER_PATH"]
        {
            command.env_remove(name);
        }
        command
    }

    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// `localhost:PORT`.
    pub fn host(&self) -> &str {
        self.address.trim_start_matches("http://").split('/').next().unwrap_or_default()
    }

    pub fn token(&self) -> &str {
        self.address.split_once("token=").map_or("", |(_, token)| token)
    }

    /// Status code and body of a GET without a token, or with it in the header.
    pub fn get(&self, path: &str, with_token: bool) -> Result<(u16, String), String> {
        let mut stream = TcpStream::connect(self.host()).map_err(|error| error.to_string())?;
        let authorization = if with_token {
            format!("Authorization: token {}\r\n", self.token())
        } else {
            String::new()
        };
        // 1.0, so that the answer ends with the connection.
        let request =
            format!("GET {path} HTTP/1.0\r\nHost: {}\r\n{authorization}\r\n", self.host());
        stream.write_all(request.as_bytes()).map_err(|error| error.to_string())?;
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).map_err(|error| error.to_string())?;
        let answer = String::from_utf8_lossy(&answer).into_owned();
        let status = answer
            .split(' ')
            .nth(1)
            .and_then(|code| code.parse().ok())
            .ok_or_else(|| format!("no status in {answer:?}"))?;
        Ok((
            status,
            answer.split_once("\r\n\r\n").map_or_else(String::new, |(_, body)| body.to_owned()),
        ))
    }

    /// Sends a signal and waits for the end.
    pub fn stop(mut self, signal: libc::c_int) -> Result<ExitStatus, String> {
        processes::signal(self.pid(), signal);
        let end = Instant::now() + Duration::from_secs(60);
        while Instant::now() < end {
            if let Some(status) = self.child.try_wait().map_err(|error| error.to_string())? {
                return Ok(status);
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        Err("the server did not stop within 60 s".to_owned())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Jupyter dies with its parent; a process that has ended already is no error.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
