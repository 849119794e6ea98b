//! The packets between the kernel and the user process.
//!
//! They are sent over one sequenced-packet socket, so that the kernel reads the program's stdout
//! and stderr in the order in which they were written. A packet is one byte for its kind and a
//! payload. A write is split into packets of at most [`MAX_PAYLOAD`] bytes, which keeps each one
//! atomic without a lock. (A lock might never be released in a child forked at the wrong moment.)

/// Environment variable with the path of the kernel's listening socket. If it is set, this binary
/// runs as the kernel's user process.
pub const CHANNEL_VARIABLE: &str = "PARCOURSE_CHANNEL";
/// Environment variable with the path of the support library (see [`super::support`]).
pub const SUPPORT_VARIABLE: &str = "PARCOURSE_SUPPORT";
/// Environment variable with the file that receives the stock kernel's hidden events (see
/// [`super::interpose`]).
pub const AUDIT_VARIABLE: &str = "PARCOURSE_AUDIT";
/// Set in the environment of the user's code, so that the helper crate knows that a kernel reads
/// its output.
pub const KERNEL_VARIABLE: &str = "PARCOURSE_KERNEL";
/// Set by the kernel to its own value of RUST_BACKTRACE, because the engine changes that variable.
pub const BACKTRACE_VARIABLE: &str = "PARCOURSE_RUST_BACKTRACE";

/// The largest payload of a packet in bytes, well below the default socket buffer (208 KiB on
/// Linux).
pub const MAX_PAYLOAD: usize = 48 * 1024;

/// The kind of a packet from the user process. The discriminant is the packet's first byte.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum PacketKind {
    /// The first packet: the process id (decimal), with three descriptors: the read ends of the
    /// stdout and stderr pipes, and the write end of the input pipe.
    Hello = b'H',
    /// Bytes written to stdout.
    Stdout = b'1',
    /// Bytes written to stderr.
    Stderr = b'2',
    /// A panic, as JSON (see [`PanicReport`]).
    Panic = b'P',
    /// The stack at an early return through `?`: a list of [`Address`] as JSON.
    ErrorTrace = b'Q',
    /// The program is waiting for input on stdin.
    Input = b'I',
    /// The user's code is about to run.
    Begin = b'B',
    /// The user's code has returned; the payload is a [`Usage`] as JSON. The process waits for a
    /// [`RunReply`].
    Done = b'D',
}

impl PacketKind {
    pub fn from_byte(byte: u8) -> Option<PacketKind> {
        use PacketKind::*;
        [Hello, Stdout, Stderr, Panic, ErrorTrace, Input, Begin, Done]
            .into_iter()
            .find(|kind| *kind as u8 == byte)
    }
}

/// The resources that one run of user code used.
#[derive(Debug, Clone, Copy, Default, serde::Serialize, serde::Deserialize)]
pub struct Usage {
    /// From the call of the user's code to its return, by the monotonic clock.
    pub run_seconds: f64,
    /// CPU time in seconds, user and system, of the process and of its children that have ended.
    pub cpu_seconds: f64,
    /// Peak resident memory of the process in bytes while the code ran; 0 if the platform does not
    /// report it.
    pub peak_memory_bytes: u64,
}

/// The kernel's reply to [`PacketKind::Done`]: marker lines for the engine, without line ends.
#[derive(Debug, Default, serde::Serialize, serde::Deserialize)]
pub struct RunReply {
    pub lines: Vec<String>,
}

/// A panic, as reported by the hook in the support library.
#[derive(Debug, Clone, Default, serde::Serialize, serde::Deserialize)]
pub struct PanicReport {
    pub message: String,
    pub file: String,
    pub line: u32,
    pub column: u32,
    pub thread: String,
    /// Whether it happened on the thread that runs the cell.
    pub main: bool,
    /// The stack, innermost call first.
    pub stack: Vec<Address>,
}

/// An address in a loaded object.
#[derive(Debug, Clone, serde::Serialize, serde::Deserialize)]
pub struct Address {
    pub object: String,
    /// Bytes from the beginning of the object.
    pub offset: u64,
}
