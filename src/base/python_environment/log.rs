//! Runs programs silently: their output goes to a log file, and its end is shown if one fails.

use crate::base::process::die_with_parent;
use anyhow::{Context, Result, bail};
use std::fs::File;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// A file for the output of programs.
pub struct Log {
    path: PathBuf,
    file: File,
}

impl Log {
    /// Creates an empty log.
    pub fn create(path: &Path) -> Result<Self> {
        let file =
            File::create(path).with_context(|| format!("failed to create {}", path.display()))?;
        Ok(Self { path: path.to_path_buf(), file })
    }

    /// Runs a program to its end. `line` receives the lines of stdout and stderr in one stream.
    pub fn run(&mut self, command: &mut Command, mut line: impl FnMut(&str)) -> Result<()> {
        let (reader, writer) = std::io::pipe().context("failed to make a pipe")?;
        let second_writer = writer.try_clone().context("failed to make a pipe")?;
        let shown = format!("{command:?}");
        command.stdin(Stdio::null()).stdout(writer).stderr(second_writer);
        let mut child =
            die_with_parent(command).spawn().with_context(|| format!("failed to start {shown}"))?;
        // Close the command's ends of the pipe, or the pipe would never end.
        command.stdout(Stdio::null()).stderr(Stdio::null());
        let mut last = std::collections::VecDeque::new();
        for bytes in BufReader::new(reader).split(b'\n') {
            let text =
                String::from_utf8_lossy(&bytes.context("failed to read a program's output")?)
                    .into_owned();
            writeln!(self.file, "{text}")
                .with_context(|| format!("failed to write {}", self.path.display()))?;
            line(&text);
            // Skip pip's lines about packages for other versions of Python.
            if !text.starts_with("Ignoring ") {
                last.push_back(text);
            }
            if last.len() > 15 {
                last.pop_front();
            }
        }
        let status = child.wait().with_context(|| format!("failed to wait for {shown}"))?;
        if !status.success() {
            let last: Vec<String> = last.into();
            bail!(
                "{status}; its last output (the whole log is {}):\n  {}",
                self.path.display(),
                last.join("\n  ")
            );
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failing_program_is_quoted_and_logged() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("log");
        let mut log = Log::create(&path).unwrap();
        let mut seen = Vec::new();
        let error = log
            .run(Command::new("sh").args(["-c", "echo one; echo two >&2; exit 3"]), |line| {
                seen.push(line.to_owned())
            });
        assert_eq!(seen, ["one", "two"]);
        assert!(error.unwrap_err().to_string().contains("one\n  two"));
        assert_eq!(std::fs::read_to_string(path).unwrap(), "one\ntwo\n");
    }
}
