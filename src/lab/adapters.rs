//! The places where the set-up calls other parts of this program.

use super::progress::Steps;
use crate::kernel::standby::Successor;
use crate::kernelspec::{self, Contents};
use crate::template::{self, Flavor};
use anyhow::Result;
use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::Path;
use std::process::Command;

/// Builds the template that lets kernels start warm, unless it is there.
pub fn ensure_template(helpers: &Path, steps: &mut Steps) -> Result<()> {
    steps.begin(&format!("Helper crate {}, compiled so that kernels start warm", helpers.display()));
    let template = template::ensure(helpers, Flavor::Parcourse, &mut |what| steps.inside(what))?;
    steps.done(&template.path().display().to_string());
    Ok(())
}

/// Registers this very binary as the kernel `rust` for one server: `DIR/kernels/rust/kernel.json`.
pub fn write_kernelspec(directory: &Path, helpers: &Path, standby: bool) -> Result<()> {
    let contents = Contents { display_name: "Rust", helpers: Some(helpers), standby };
    kernelspec::write(&directory.join("kernels"), "rust", contents, false).map(drop)
}

/// Has a warm kernel wait for the first notebook while the server starts. `server` is what will start the kernels: they must find the
/// standby in an environment like theirs.
pub fn start_standby(server: &Command, helpers: &Path, directory: &Path) -> Result<()> {
    let mut environment: BTreeMap<OsString, OsString> = std::env::vars_os().collect();
    for (name, value) in server.get_envs() {
        match value {
            Some(value) => environment.insert(name.to_owned(), value.to_owned()),
            None => environment.remove(name),
        };
    }
    environment.insert("PARCOURSE_HELPERS".into(), helpers.into());
    let text = |value: OsString| value.to_string_lossy().into_owned();
    let environment: Vec<(String, String)> = environment.into_iter().map(|(name, value)| (text(name), text(value))).collect();
    Successor::for_server(helpers.to_owned()).start(&environment, directory)
}
