//! Loading and running compiled cells: the user process's main loop.

use super::wire::{self, PacketKind, RunReply, Usage};
use super::{channel, interpose, support};
use crate::base::process;
use anyhow::{Context, Result, bail};
use rustix::fd::{AsFd, BorrowedFd, OwnedFd};
use std::ffi::c_void;
use std::fs::File;
use std::io::{BufRead, BufReader, Write};
use std::time::Instant;

/// Serves the engine until it closes our stdin.
pub fn run() -> ! {
    process::end_with_parent();
    let result = UserProcess::start().and_then(UserProcess::serve);
    if let Err(error) = result {
        // If a user process ends, the engine shows its last output.
        let _ = writeln!(std::io::stderr(), "parcourse: the user process failed: {error:#}");
        std::process::exit(70);
    }
    std::process::exit(0)
}

struct UserProcess {
    commands: BufReader<File>,
    engine: File,
    channel: OwnedFd,
    /// The cells' variable store. The engine's generated code creates it and knows its type.
    variables: *mut c_void,
    /// Never unloaded, because destructors of thread-locals may still run at exit.
    loaded: Vec<std::mem::ManuallyDrop<libloading::os::unix::Library>>,
}

impl UserProcess {
    /// Moves the engine's pipes to other descriptors, replaces them by the kernel's and greets the
    /// kernel.
    fn start() -> Result<UserProcess> {
        let commands = File::from(channel::move_up(0)?);
        let engine = File::from(channel::move_up(1)?);
        let path = std::env::var_os(wire::CHANNEL_VARIABLE).context("no channel named")?;
        let socket = channel::connect(path.as_ref())
            .with_context(|| format!("failed to connect to {}", path.display()))?;
        clean_environment();
        // A shell may have started the kernel with SIGINT ignored. SAFETY: the default disposition
        // installs no code.
        unsafe { libc::signal(libc::SIGINT, libc::SIG_DFL) };
        // Its own process group, so that the kernel can kill it together with everything that the
        // user's code starts.
        let _ = rustix::process::setsid();

        let (stdout, stdout_writer) = rustix::pipe::pipe_with(rustix::pipe::PipeFlags::CLOEXEC)?;
        let (stderr, stderr_writer) = rustix::pipe::pipe_with(rustix::pipe::PipeFlags::CLOEXEC)?;
        let (input, input_writer) = rustix::pipe::pipe_with(rustix::pipe::PipeFlags::CLOEXEC)?;
        let pid = std::process::id().to_string();
        channel::send_with_descriptors(
            socket.as_fd(),
            PacketKind::Hello,
            pid.as_bytes(),
            &[stdout.as_fd(), stderr.as_fd(), input_writer.as_fd()],
        )?;
        channel::replace_standard(File::open("/dev/null")?, 0)?;
        channel::replace_standard(stdout_writer, 1)?;
        channel::replace_standard(stderr_writer, 2)?;
        let sender = rustix::io::fcntl_dupfd_cloexec(&socket, 100)?;
        interpose::start(sender, rustix::io::fcntl_dupfd_cloexec(&input, 100)?);
        Ok(UserProcess {
            commands: BufReader::new(commands),
            engine,
            channel: socket,
            variables: std::ptr::null_mut(),
            loaded: Vec::new(),
        })
    }

    fn serve(mut self) -> Result<()> {
        let support = support::Support::load();
        let mut line = String::new();
        while {
            line.clear();
            self.commands.read_line(&mut line)? > 0
        } {
            let command = line
                .trim_end_matches('\n')
                .strip_prefix("LOAD_AND_RUN ")
                .with_context(|| format!("unknown command {line:?}"))?;
            // The path may contain spaces, the function's name does not.
            let (object, function) =
                command.rsplit_once(' ').context("the command has no function")?;
            let usage = self.load_and_run(object, function)?;
            support.flush();
            channel::send(self.channel.as_fd(), PacketKind::Done, &serde_json::to_vec(&usage)?)?;
            let answer = read_answer(self.channel.as_fd())?;
            for line in answer.lines.iter().map(String::as_str).chain(["EVCXR_EXECUTION_COMPLETE"])
            {
                writeln!(self.engine, "{line}")?;
            }
        }
        Ok(())
    }

    fn load_and_run(&mut self, object: &str, function: &str) -> Result<Usage> {
        use libloading::os::unix::Library;
        // SAFETY: the engine compiled the object for this process; its initialisers are part of the
        // user's program.
        let library =
            unsafe { Library::new(object) }.with_context(|| format!("failed to load {object}"))?;
        // SAFETY: the engine generates this function with this signature.
        let function = unsafe {
            library.get::<extern "C" fn(*mut c_void) -> *mut c_void>(function.as_bytes())
        }?;
        channel::send(self.channel.as_fd(), PacketKind::Begin, b"")?;
        let meter = Meter::start();
        self.variables = function(self.variables);
        let usage = meter.stop();
        self.loaded.push(std::mem::ManuallyDrop::new(library));
        Ok(usage)
    }
}

fn read_answer(channel: BorrowedFd<'_>) -> Result<RunReply> {
    match channel::receive(channel)? {
        Some(bytes) => Ok(serde_json::from_slice(&bytes)?),
        None => bail!("the kernel has closed the connection"),
    }
}

/// Removes what the engine and the kernel passed through the environment, so that the user's code
/// and its children do not see it.
fn clean_environment() {
    // SAFETY: no other thread runs yet.
    unsafe {
        match std::env::var_os(wire::BACKTRACE_VARIABLE) {
            Some(value) => std::env::set_var("RUST_BACKTRACE", value),
            None => std::env::remove_var("RUST_BACKTRACE"),
        }
        for variable in ["EVCXR_IS_RUNTIME", wire::CHANNEL_VARIABLE, wire::BACKTRACE_VARIABLE] {
            std::env::remove_var(variable);
        }
        std::env::set_var(wire::KERNEL_VARIABLE, "1");
    }
}

/// Measures time, CPU time and peak memory. The clock starts last and stops first.
struct Meter {
    cpu_at_start: f64,
    start: Instant,
}

impl Meter {
    fn start() -> Meter {
        // Writing 5 resets the peak memory of this process (Linux, proc(5)). Other systems have no
        // such file.
        let _ = std::fs::write("/proc/self/clear_refs", "5");
        let cpu_at_start = cpu_seconds();
        Meter { cpu_at_start, start: Instant::now() }
    }

    fn stop(self) -> Usage {
        let run_seconds = self.start.elapsed().as_secs_f64();
        let cpu_seconds = (cpu_seconds() - self.cpu_at_start).max(0.0);
        Usage { run_seconds, cpu_seconds, peak_memory_bytes: peak_memory_bytes().unwrap_or(0) }
    }
}

fn cpu_seconds() -> f64 {
    [libc::RUSAGE_SELF, libc::RUSAGE_CHILDREN].into_iter().map(process::cpu_seconds).sum()
}

fn peak_memory_bytes() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    Some(line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok()? * 1024)
}
