//! Running a program for so long and no longer.

use anyhow::{Context, Result, bail};
use std::io::Read;
use std::process::{Command, Stdio};
use std::sync::mpsc::channel;
use std::time::Duration;

/// Runs it to its end. Errors hold the last line that it said, or that it took longer than
/// `timeout` and was killed.
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
    // Its last word comes when it ends.
    let Ok(said) = said.recv_timeout(timeout) else {
        let _ = child.kill();
        let _ = child.wait();
        bail!("no answer within {} s", timeout.as_secs());
    };
    let status = child.wait().context("failed to wait for it")?;
    if !status.success() {
        let said = String::from_utf8_lossy(&said);
        // The first error is what the others follow from.
        let line = said
            .lines()
            .find(|line| line.to_lowercase().starts_with("error"))
            .or_else(|| said.lines().last());
        bail!("{}", line.unwrap_or("it failed without a word").trim());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tells_what_was_said_or_that_nothing_came() {
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
