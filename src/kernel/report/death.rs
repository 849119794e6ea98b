//! Why the user process ended.

use super::Failure;

/// The cause of a death, determined from the exit status and the last output.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Cause {
    Exit(i32),
    Signal(i32),
    Unknown(String),
}

impl Cause {
    /// Parses the engine's message, `Subprocess terminated with status: exit status: 3` or `…
    /// signal: 11 (SIGSEGV)`.
    pub fn parse(message: &str) -> Cause {
        let number_after = |marker: &str| {
            let (_, rest) = message.rsplit_once(marker)?;
            rest.chars().take_while(char::is_ascii_digit).collect::<String>().parse().ok()
        };
        if let Some(code) = number_after("exit status: ") {
            Cause::Exit(code)
        } else if let Some(signal) = number_after("signal: ") {
            Cause::Signal(signal)
        } else {
            Cause::Unknown(message.trim().to_owned())
        }
    }

    pub fn failure(&self, last_stderr: &str) -> Failure {
        let lost =
            "The next cell starts in a new process: all variables are lost, definitions are kept."
                .to_owned();
        match self {
            Cause::Exit(code) => Failure::new(
                "ProcessExited",
                format!("the program exited with status {code}"),
                vec![lost],
            ),
            Cause::Signal(signal) => {
                Failure::new("ProcessKilled", explain(*signal, last_stderr), vec![lost])
            }
            Cause::Unknown(message) => Failure::new("ProcessLost", message.clone(), vec![lost]),
        }
    }
}

fn explain(signal: i32, last_stderr: &str) -> String {
    let overflowed = last_stderr.contains("has overflowed its stack");
    let out_of_memory = last_stderr.lines().find(|line| line.contains("memory allocation of"));
    match signal {
        libc::SIGABRT if overflowed => "stack overflow: a recursion that does not end, or large \
            arrays on the stack (SIGABRT)"
            .into(),
        libc::SIGABRT => match out_of_memory {
            Some(line) => format!("out of memory: {line} (SIGABRT)"),
            None => "the program aborted (SIGABRT)".into(),
        },
        libc::SIGSEGV => "segmentation fault: an invalid memory access, or a stack overflow in a \
            thread (SIGSEGV)"
            .into(),
        libc::SIGBUS => "bus error: an invalid memory access, or a mapped file that shrank \
            (SIGBUS)"
            .into(),
        libc::SIGILL => "illegal instruction: compiled for another CPU, or undefined behaviour \
            (SIGILL)"
            .into(),
        libc::SIGFPE => "arithmetic error (SIGFPE)".into(),
        libc::SIGKILL => "killed from outside (SIGKILL), most likely by the operating system \
            because memory ran out"
            .into(),
        libc::SIGTERM => "terminated from outside (SIGTERM)".into(),
        other => format!("killed by signal {other}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn causes() {
        assert_eq!(
            Cause::parse("x\nSubprocess terminated with status: exit status: 3"),
            Cause::Exit(3)
        );
        assert_eq!(
            Cause::parse("Subprocess terminated with status: signal: 11 (SIGSEGV) (core dumped)"),
            Cause::Signal(11)
        );
        assert_eq!(Cause::parse("gone "), Cause::Unknown("gone".into()));
    }
}
