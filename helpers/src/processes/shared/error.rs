//! Errors of named shared memory.

use std::{error, fmt, io};

/// Why an array could not be created or attached to.
pub struct Error {
    verb: &'static str,
    name: String,
    kind: Kind,
}

/// The reason.
pub(super) enum Kind {
    /// Empty, too long, or with a zero byte.
    Name,
    /// Another process has an array of that name.
    Taken { pid: u32 },
    /// No process has an array of that name.
    Unknown,
    /// The array has elements of another type.
    Type { found: String, wanted: &'static str },
    /// This system has no named memory that disappears with its users.
    #[cfg_attr(target_os = "linux", allow(dead_code, reason = "Linux has"))]
    Unsupported,
    /// An error of the system.
    System(io::Error),
}

impl Error {
    pub(super) fn new(verb: &'static str, name: &str, kind: Kind) -> Error {
        Error { verb, name: name.to_string(), kind }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "failed to {} the shared array `{}`: ", self.verb, self.name)?;
        match &self.kind {
            Kind::Name => write!(f, "a name has 1 to 150 bytes, none of them zero"),
            Kind::Taken { pid } => write!(f, "process {pid} has one of this name"),
            Kind::Unknown => write!(f, "no process of yours has one of this name"),
            Kind::Type { found, wanted } => write!(f, "its elements are {found}, not {wanted}"),
            Kind::Unsupported => write!(f, "arrays with a name need Linux"),
            Kind::System(error) => write!(f, "{error}"),
        }
    }
}

/// Formats the same text, because `unwrap` shows it.
impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl error::Error for Error {
    fn source(&self) -> Option<&(dyn error::Error + 'static)> {
        match &self.kind {
            Kind::System(error) => Some(error),
            _ => None,
        }
    }
}
