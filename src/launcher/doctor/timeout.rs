//! Runs a program with a timeout.

use anyhow::{Context, Result, bail};
use std::io::Read;
use std::process::{Command, Stdio};
use std::sync::mpsc::channel;
use std::time::Duration;

/// Runs a program to completion. The error contains its first error line, or says that it was
/// killed after `timeout`.
pub fn run(command: &mut Command, timeout: Duration) -> Result<()> {
    let program = command.get_program().display().to_string();
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .with_context(|| format!("failed to start {program}"))?;
    let mut stderr = child.stderr.take().context("no pipe")?;
    let (sender, said) = channel();
    std::thread::spawn(move || {
        let mut bytes = Vec::new();
        let _ = stderr.read_to_end(&mut bytes);
        let _ = sender.send(bytes);
    });
    // Its stderr is closed when it ends.
    let Ok(said) = said.recv_timeout(timeout) else {
        let _ = child.kill();
        let _ = child.wait();
        bail!("no answer within {} s", timeout.as_secs());
    };
    let status = child.wait().context("failed to wait for it")?;
    if !status.success() {
        let said = String::from_utf8_lossy(&said);
        // Later errors usually follow from the first.
        let line = said
            .lines()
            .find(|line| line.to_lowercase().starts_with("error"))
            .or_else(|| said.lines().last());
        bail!("{}", line.unwrap_or("it failed without a message").trim());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_quote_the_program_or_report_the_timeout() {
        let sh = |script: &str, milliseconds| {
            run(Command::new("sh").args(["-c", script]), Duration::from_millis(milliseconds))
        };
        sh("true", 20_000).unwrap();
        let error = sh(
            "echo 'warning: x' >&2; echo 'error: no linker' >&2; echo 'more' >&2; exit 1",
            20_000,
        )
        .unwrap_err();
        assert_eq!(error.to_string(), "error: no linker");
        assert!(sh("exec sleep 30", 50).unwrap_err().to_string().contains("no answer"));
    }
}
