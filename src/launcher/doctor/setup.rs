//! What the checks examine: looked up once, never created.

use crate::base::paths;
use crate::base::python_environment::{Environment, python, python::Python};
use crate::engine::build_cache::Toolchain;
use crate::launcher::lab;
use anyhow::{Context, Result};
use std::ffi::OsStr;
use std::path::{Path, PathBuf};

/// The folders and programs that the course would use on this machine.
pub struct Setup {
    /// The helper crate, if found.
    pub helpers: Option<PathBuf>,
    /// The compiler as seen from the helper crate.
    pub toolchain: Result<Toolchain>,
    pub cache: PathBuf,
    /// The folder for sockets and connection files, or why it cannot be used.
    pub temporary: Result<PathBuf>,
    /// Where cells are compiled.
    pub builds: Result<PathBuf>,
    /// The Python for the private environment, and that environment, which may not exist yet.
    pub python: Result<(Python, Environment)>,
    /// Required free disk space, in bytes.
    pub disk: u64,
}

impl Setup {
    pub fn look(helpers: Option<&Path>, python: Option<&OsStr>, disk_gib: f64) -> Result<Self> {
        let here = std::env::current_dir().context("failed to read the current folder")?;
        let cache = paths::cache()?;
        let helpers = paths::find_helpers(helpers, &here);
        let toolchain = Toolchain::find(helpers.as_deref().unwrap_or(&here), &cache);
        let disk = (disk_gib * (1u64 << 30) as f64) as u64;
        let python = python::find(python).and_then(|python| {
            let environment = Environment::locate(lab::JUPYTERLAB, &python)?;
            Ok((python, environment))
        });
        Ok(Self {
            helpers,
            toolchain,
            cache,
            temporary: paths::private_tmp(),
            builds: paths::build_folder(),
            python,
            disk,
        })
    }

    /// The folders that need much disk space.
    pub fn folders(&self) -> Vec<(Role, &Path)> {
        let builds = self.builds.as_deref().ok().map(|path| (Role::Builds, path));
        std::iter::once((Role::Cache, &*self.cache)).chain(builds).collect()
    }
}

/// What a folder is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// Templates and Python environments.
    Cache,
    /// Where kernels compile cells.
    Builds,
}

/// Returns the folder itself, or the nearest existing folder above it.
pub fn existing(folder: &Path) -> &Path {
    folder.ancestors().find(|folder| folder.exists()).unwrap_or(Path::new("/"))
}
