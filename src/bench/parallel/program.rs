//! Runs the programs we compare with.

use super::line::{self, Line};
use crate::base::process::die_with_parent;
use crate::bench::common::LIMIT;
use crate::bench::sandbox::KillGroup;
use anyhow::{Context, Result, bail};
use std::process::Stdio;
use tokio::process::Command;
use tokio::time::timeout;

/// Runs a program to completion and parses its results. If we end early, the program and its
/// children are killed.
pub async fn run(command: &mut Command) -> Result<Vec<Line>> {
    line::read(&output(command).await?)
}

/// Returns its stdout. The error quotes the last line of stderr.
pub async fn output(command: &mut Command) -> Result<String> {
    command
        .process_group(0)
        .kill_on_drop(true)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    die_with_parent(command.as_std_mut());
    let child = command
        .spawn()
        .with_context(|| format!("cannot start {}", command.as_std().get_program().display()))?;
    let _whole_group = KillGroup::new(child.id());
    let Ok(output) = timeout(LIMIT, child.wait_with_output()).await else {
        bail!("not finished within {} s", LIMIT.as_secs());
    };
    let output = output?;
    if !output.status.success() {
        let complaints = String::from_utf8_lossy(&output.stderr);
        let last = complaints.lines().rfind(|line| !line.trim().is_empty()).unwrap_or("no output");
        bail!("{}: {}", output.status, last.trim());
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn failures_quote_the_last_line() {
        let error = run(Command::new("sh").args(["-c", "echo first >&2; echo last >&2; exit 3"]))
            .await
            .unwrap_err();
        assert!(error.to_string().contains("3: last"), "{error:#}");
        let error = run(&mut Command::new("no-such-program-anywhere")).await.unwrap_err();
        assert!(error.to_string().contains("cannot start no-such-program-anywhere"), "{error:#}");
    }
}
