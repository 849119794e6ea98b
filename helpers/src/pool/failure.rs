//! A task that failed: which one, and why.

use crate::base::panic_message::panic_message;
use crate::interrupt::Interrupted;
use std::any::Any;
use std::fmt;

/// Why a pool has no result for an item.
///
/// # Examples
///
/// ```
/// use parcourse::pool::{Cause, Failure};
/// let (message, location) = ("no fifth letter".into(), "src/lib.rs:3:5".into());
/// let cause = Cause::Panicked { message, location };
/// let failure = Failure { index: 2, item: "\"mom\"".into(), cause };
/// let text = r#"the function panicked on items[2] = "mom": no fifth letter (at src/lib.rs:3:5)"#;
/// assert_eq!(failure.to_string(), text);
/// ```
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Failure {
    /// The item's position; 0 for a submitted function, which has none.
    pub index: usize,
    /// The item in `{:?}` form, truncated to about 80 characters; empty for a submitted function.
    pub item: String,
    /// What happened.
    pub cause: Cause,
}

/// What happened to a task that failed.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum Cause {
    /// The function panicked.
    Panicked {
        /// The message of the panic.
        message: String,
        /// `file:line:column`; empty if unknown.
        location: String,
    },
    /// A signal ended the worker process.
    Killed {
        /// The id of the process.
        pid: u32,
        /// The number of the signal.
        signal: i32,
    },
    /// The worker process ended by itself, without a result.
    Exited {
        /// The id of the process.
        pid: u32,
        /// Its exit code.
        code: i32,
    },
    /// The item or its result could not be sent.
    NotSerializable {
        /// The error of serde.
        message: String,
    },
    /// An interrupt ended the function.
    Interrupted,
}

impl Cause {
    /// The cause that a caught panic stands for: an interrupt unwinds like a panic.
    pub(crate) fn of_panic(payload: &(dyn Any + Send), location: String) -> Cause {
        match payload.is::<Interrupted>() {
            true => Cause::Interrupted,
            false => Cause::Panicked { message: panic_message(payload).to_string(), location },
        }
    }
}

impl Failure {
    /// The failure of a submitted function.
    pub(crate) fn of_submitted(cause: Cause) -> Failure {
        Failure { index: 0, item: String::new(), cause }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let submitted = self.item.is_empty();
        let item = if submitted {
            "a submitted function".to_string()
        } else {
            format!("items[{}] = {}", self.index, self.item)
        };
        match &self.cause {
            Cause::Panicked { message, location } => {
                let function =
                    if submitted { item } else { format!("the function panicked on {item}") };
                let panicked = if submitted { " panicked" } else { "" };
                let at =
                    if location.is_empty() { String::new() } else { format!(" (at {location})") };
                write!(f, "{function}{panicked}: {message}{at}")
            }
            Cause::Interrupted => write!(f, "an interrupt ended the work on {item}"),
            Cause::Killed { pid, signal } => {
                write!(
                    f,
                    "worker process {pid} was killed by signal {signal}{} while it worked on \
                     {item}",
                    signal_name(*signal)
                )
            }
            Cause::Exited { pid, code } => write!(
                f,
                "worker process {pid} ended with exit code {code} while it worked on {item}"
            ),
            Cause::NotSerializable { message } => {
                write!(f, "the result for {item} could not be sent back: {message}")
            }
        }
    }
}

impl std::error::Error for Failure {}

/// The signals that end a worker, with what they usually mean.
fn signal_name(signal: i32) -> &'static str {
    match signal {
        libc::SIGKILL => " (SIGKILL: by hand, or because memory ran out)",
        libc::SIGSEGV => " (SIGSEGV: invalid memory access, or a stack overflow)",
        libc::SIGABRT => " (SIGABRT: it aborted itself)",
        libc::SIGTERM => " (SIGTERM)",
        libc::SIGBUS => " (SIGBUS: invalid memory access)",
        libc::SIGILL => " (SIGILL: an instruction this CPU does not have)",
        libc::SIGFPE => " (SIGFPE)",
        libc::SIGINT => " (SIGINT: interrupted)",
        _ => "",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_cause_names_the_item() {
        let causes = [
            Cause::Panicked { message: "m".into(), location: String::new() },
            Cause::Killed { pid: 7, signal: libc::SIGKILL },
            Cause::Exited { pid: 7, code: 3 },
            Cause::NotSerializable { message: "m".into() },
            Cause::Interrupted,
        ];
        for cause in causes {
            let submitted = Failure::of_submitted(cause.clone()).to_string();
            assert!(submitted.contains("a submitted function"), "{submitted}");
            let text = Failure { index: 4, item: "'x'".into(), cause }.to_string();
            assert!(text.contains("items[4] = 'x'"), "{text}");
        }
    }
}
