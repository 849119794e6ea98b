//! Programs that are run for the user, silently: all they say is kept, and the end of it shown when
//! one fails.

use crate::base::process::die_with_parent;
use anyhow::{Context, Result, bail};
use std::fs::File;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// A file for everything that some programs say.
pub struct Log {
    path: PathBuf,
    file: File,
}

impl Log {
    /// Begins an empty one.
    pub fn create(path: &Path) -> Result<Self> {
        let file =
            File::create(path).with_context(|| format!("failed to create {}", path.display()))?;
        Ok(Self { path: path.to_path_buf(), file })
    }

    /// Runs a program to its end, stdout and stderr as one stream of lines.
    pub fn run(&mut self, command: &mut Command, mut line: impl FnMut(&str)) -> Result<()> {
        let (reader, writer) = std::io::pipe().context("failed to make a pipe")?;
        let second_writer = writer.try_clone().context("failed to make a pipe")?;
        let shown = format!("{command:?}");
        command.stdin(Stdio::null()).stdout(writer).stderr(second_writer);
        let mut child =
            die_with_parent(command).spawn().with_context(|| format!("failed to start {shown}"))?;
        // The command keeps its ends of the pipe open: without this the pipe would never end.
        command.stdout(Stdio::null()).stderr(Stdio::null());
        let mut last = std::collections::VecDeque::new();
        for bytes in BufReader::new(reader).split(b'\n') {
            let text =
                String::from_utf8_lossy(&bytes.context("failed to read a program's output")?)
                    .into_owned();
            writeln!(self.file, "{text}")
                .with_context(|| format!("failed to write {}", self.path.display()))?;
            line(&text);
            // pip tells of every package that is for other versions of Python.
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
                "{status}; the last it said (all of it is in {}):\n  {}",
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
