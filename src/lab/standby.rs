//! A warm kernel for the first notebook, made while the server starts.

use crate::kernel::standby::Successor;
use anyhow::Result;
use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::Path;
use std::process::Command;

/// Has a kernel wait in `directory`. `server` is what will start the kernels: they must find the standby in an environment like theirs.
pub fn start(server: &Command, helpers: &Path, directory: &Path) -> Result<()> {
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
