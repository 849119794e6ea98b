//! The packets between the kernel and the user process.
//!
//! They travel over one sequenced-packet socket, so that the order in which the user's program
//! wrote to stdout and stderr is the order in which the kernel reads. A packet is one byte of kind
//! and a payload; a write is cut into packets of at most [`MAX_PAYLOAD`] bytes, which keeps each
//! one atomic without a lock: a lock would be held for ever in a child forked at the wrong moment.

/// Environment variable with the path of the kernel's listening socket. Its presence makes this
/// binary the kernel's user process.
pub const CHANNEL_VARIABLE: &str = "PARCOURSE_CHANNEL";
/// Environment variable with the path of the support library (see [`super::support`]).
pub const SUPPORT_VARIABLE: &str = "PARCOURSE_SUPPORT";
/// Environment variable with the file that receives the stock kernel's hidden events (see
/// [`super::interpose`]).
pub const AUDIT_VARIABLE: &str = "PARCOURSE_AUDIT";
/// Set in the environment of the user's code, so that helpers know who reads their output.
pub const KERNEL_VARIABLE: &str = "PARCOURSE_KERNEL";
/// Set by the kernel when its own environment had RUST_BACKTRACE; the engine sets that variable for
/// its own purposes.
pub const BACKTRACE_VARIABLE: &str = "PARCOURSE_RUST_BACKTRACE";

/// Largest payload of a packet in bytes, well below the default socket buffer (208 KiB on Linux).
pub const MAX_PAYLOAD: usize = 48 * 1024;

/// What a packet from the user process says. The discriminant is its first byte.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum PacketKind {
    /// First packet: the process id (decimal). Carries three descriptors: read ends of the plain
    /// stdout and stderr pipes, and the write end of the pipe that answers input requests.
    Hello = b'H',
    /// Bytes written to stdout.
    Stdout = b'1',
    /// Bytes written to stderr.
    Stderr = b'2',
    /// A panic, as JSON (see [`PanicReport`]).
    Panic = b'P',
    /// Stack at an early return through `?`: a list of [`Address`] as JSON.
    ErrorTrace = b'Q',
    /// The program reads from stdin and waits.
    Input = b'I',
    /// The user's code starts to run.
    Begin = b'B',
    /// The user's code has returned; the payload is a [`Usage`] as JSON. The process waits for
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

/// What one run of user code cost.
#[derive(Debug, Clone, Copy, Default, serde::Serialize, serde::Deserialize)]
pub struct Usage {
    /// From the call of the user's code to its return, by the clock that sleeping uses.
    pub run_seconds: f64,
    /// CPU time in seconds, user and system, of the process and of its children that ended.
    pub cpu_seconds: f64,
    /// Highest resident memory of the process in bytes while the code ran; 0 where the platform
    /// does not tell.
    pub peak_memory_bytes: u64,
}

/// The kernel's answer to [`PacketKind::Done`]: marker lines that the engine must see, without line ends.
#[derive(Debug, Default, serde::Serialize, serde::Deserialize)]
pub struct RunReply {
    pub lines: Vec<String>,
}

/// A panic as the hook in the support library saw it.
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

/// A place in a loaded object.
#[derive(Debug, Clone, serde::Serialize, serde::Deserialize)]
pub struct Address {
    pub object: String,
    /// Bytes from where the object begins.
    pub offset: u64,
}
