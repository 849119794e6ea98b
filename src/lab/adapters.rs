//! The two places where the set-up calls other parts of this program.

use super::progress::Steps;
use crate::template::{self, Flavor};
use anyhow::{Context, Result};
use std::path::Path;

/// Builds the template that lets kernels start warm, unless it is there.
pub fn ensure_template(helpers: &Path, steps: &mut Steps) -> Result<()> {
    steps.begin(&format!("Helper crate {}, compiled so that kernels start warm", helpers.display()));
    let template = template::ensure(helpers, Flavor::Parcourse, &mut |what| steps.inside(what))?;
    steps.done(&template.path().display().to_string());
    Ok(())
}

/// Registers this very binary as the kernel `rust` for one server: `DIR/kernels/rust/kernel.json`.
pub fn write_kernelspec(directory: &Path, helpers: &Path) -> Result<()> {
    let folder = directory.join("kernels/rust");
    std::fs::create_dir_all(&folder).with_context(|| format!("failed to create {}", folder.display()))?;
    let binary = std::env::current_exe().context("failed to find this binary's own path")?;
    let spec = serde_json::json!({
        "argv": [binary, "kernel", "--helpers", helpers, "--connection-file", "{connection_file}"],
        "display_name": "Rust",
        "language": "rust",
        "interrupt_mode": "message",
    });
    let path = folder.join("kernel.json");
    std::fs::write(&path, format!("{spec:#}\n")).with_context(|| format!("failed to write {}", path.display()))
}
