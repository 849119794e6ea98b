//! Runs the body of a test in a process of its own: its output, its death and its handling of
//! signals can only be seen from outside.
#![allow(dead_code, reason = "no test program uses all of it")]

use std::io::{BufRead, BufReader, Read};
use std::os::unix::process::ExitStatusExt;
use std::process::{Child, ChildStdout, Command, ExitStatus, Stdio};

const NAME: &str = "PARCOURSE_TEST_CHILD";
const FIRST_LINE: &str = "--- child ---";

/// A process that runs the body of a test.
pub struct TestChild {
    process: Child,
    stdout: BufReader<ChildStdout>,
}

/// What a child left behind.
pub struct Outcome {
    pub stdout: String,
    pub stderr: String,
    pub status: ExitStatus,
}

/// Which kernel the child is to believe it runs on.
#[derive(Clone, Copy)]
pub enum On {
    Parcourse,
    Stock,
    NoKernel,
}

/// In the child: waits until an interrupt does not end the process any more, because an operation
/// that handles it has begun.
pub fn wait_until_protected() {
    // SAFETY: only reads the action, and zeroed plain data is valid if that fails.
    let action = || unsafe {
        let mut action: libc::sigaction = std::mem::zeroed();
        assert_eq!(libc::sigaction(libc::SIGINT, std::ptr::null(), &mut action), 0);
        action.sa_sigaction
    };
    while action() == libc::SIG_DFL {
        std::thread::yield_now();
    }
}

/// In the child: prints `ready` then.
pub fn say_when_protected() {
    std::thread::spawn(|| {
        wait_until_protected();
        println!("ready");
    });
}

/// In the test: starts this test program again, for the test of this name only. In there, this
/// function runs `body` and ends the process.
pub fn spawn(test: &str, on: On, body: impl FnOnce()) -> TestChild {
    if std::env::var_os(NAME).is_some_and(|name| name == test) {
        // SAFETY: the default action is a valid one. A shell may have made its background jobs
        // ignore SIGINT, and us inherit that.
        unsafe { libc::signal(libc::SIGINT, libc::SIG_DFL) };
        // The test harness has printed something before, perhaps half a line.
        println!("\n{FIRST_LINE}");
        body();
        std::process::exit(0);
    }
    let mut command = Command::new(std::env::current_exe().unwrap());
    command
        .args(["--exact", test, "--nocapture"])
        .env(NAME, test)
        .env_remove("PARCOURSE_KERNEL")
        .env_remove("EVCXR_IS_RUNTIME");
    match on {
        On::Parcourse => command.env("PARCOURSE_KERNEL", "1").env("EVCXR_IS_RUNTIME", "1"),
        On::Stock => command.env("EVCXR_IS_RUNTIME", "1"),
        On::NoKernel => &mut command,
    };
    let mut process =
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut stdout = BufReader::new(process.stdout.take().unwrap());
    read_until(&mut stdout, FIRST_LINE);
    TestChild { process, stdout }
}

impl TestChild {
    /// Waits until the child prints this line; drops what came before it.
    pub fn wait_for(&mut self, line: &str) -> &mut TestChild {
        read_until(&mut self.stdout, line);
        self
    }

    /// Sends SIGINT, as the kernel does on interrupt.
    pub fn interrupt(&mut self) -> &mut TestChild {
        // SAFETY: the process is our child and was not waited for yet, so the id is still its own.
        assert_eq!(unsafe { libc::kill(self.process.id() as libc::pid_t, libc::SIGINT) }, 0);
        self
    }

    /// Sends SIGKILL.
    pub fn kill(&mut self) -> &mut TestChild {
        self.process.kill().unwrap();
        self
    }

    /// Reads the rest of what the child prints and waits for its end.
    pub fn finish(mut self) -> Outcome {
        let mut stderr = self.process.stderr.take().unwrap();
        let errors = std::thread::spawn(move || {
            let mut text = String::new();
            stderr.read_to_string(&mut text).unwrap();
            text
        });
        let mut stdout = String::new();
        self.stdout.read_to_string(&mut stdout).unwrap();
        Outcome { stdout, stderr: errors.join().unwrap(), status: self.process.wait().unwrap() }
    }
}

impl Outcome {
    /// The output of a child that ended well and kept stderr clean.
    #[track_caller]
    pub fn success(self) -> String {
        assert!(
            self.status.success() && self.stderr.is_empty(),
            "{:?}\n{}\n{}",
            self.status,
            self.stdout,
            self.stderr
        );
        self.stdout
    }

    /// The signal that ended the child, if one did.
    pub fn signal(&self) -> Option<i32> {
        self.status.signal()
    }
}

#[track_caller]
fn read_until(reader: &mut impl BufRead, expected: &str) {
    let mut seen = String::new();
    loop {
        let start = seen.len();
        assert!(
            reader.read_line(&mut seen).unwrap() > 0,
            "the child ended before it printed `{expected}`:\n{seen}"
        );
        if seen[start..].trim_end() == expected {
            return;
        }
    }
}
