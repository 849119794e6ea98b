//! What makes a kernel start warm: the one place where the runner and the templates meet.

use super::KernelKind;
use super::directory::Directory;
use anyhow::{Context, Result};
use std::ffi::OsString;
use std::path::PathBuf;

/// How one kernel's engine is to build cells.
pub struct Engine {
    pub environment: Vec<(&'static str, OsString)>,
    /// Where the engine writes the source it generates, when the runner knows.
    pub directory: Option<PathBuf>,
}

impl Engine {
    /// Our kernel sees to its own template; the stock one gets a build directory from us.
    pub fn for_kernel(kind: KernelKind, directory: &Directory) -> Result<Engine> {
        match kind {
            KernelKind::Parcourse => Ok(Engine { environment: Vec::new(), directory: None }),
            KernelKind::Evcxr => {
                let path = directory.path().join("engine");
                std::fs::create_dir(&path).context("failed to make the engine's directory")?;
                Ok(Engine { environment: vec![("EVCXR_TMPDIR", path.clone().into())], directory: Some(path) })
            }
        }
    }
}
