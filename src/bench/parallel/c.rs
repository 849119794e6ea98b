//! The C programs, compiled with gcc and OpenMP in the sandbox.

use super::program;
use crate::bench::sandbox::Sandbox;
use anyhow::{Context, Result};
use std::path::PathBuf;
use tokio::process::Command;

/// Prepended to each program.
const COMMON: &str = include_str!("programs/common.h");

pub struct Compiler {
    folder: PathBuf,
}

impl Compiler {
    pub fn new(sandbox: &Sandbox) -> Compiler {
        Compiler { folder: sandbox.path("programs") }
    }

    /// The version of gcc; `None` if it is not installed.
    pub async fn version(&self) -> Option<String> {
        let version = program::output(Command::new("gcc").arg("--version")).await.ok()?;
        version.lines().next().map(str::to_string)
    }

    /// Compiles a program and returns its path, or why it cannot be compiled.
    pub async fn compile(&self, name: &str, source: &str, flags: &[&str]) -> Result<PathBuf> {
        let (file, program) =
            (self.folder.join(name).with_added_extension("c"), self.folder.join(name));
        std::fs::write(&file, format!("{COMMON}{source}"))
            .with_context(|| format!("failed to write {}", file.display()))?;
        let mut gcc = Command::new("gcc");
        gcc.args(flags).arg("-fopenmp").arg("-o").arg(&program).arg(&file).arg("-lm");
        program::output(&mut gcc).await.context("gcc with OpenMP is required")?;
        Ok(program)
    }
}
