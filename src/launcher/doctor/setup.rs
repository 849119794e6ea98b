//! What the checks look at: found once, never made.

use crate::base::paths;
use crate::base::python_environment::{Environment, python, python::Python};
use crate::engine::build_cache::Toolchain;
use crate::launcher::lab;
use anyhow::{Context, Result};
use std::ffi::OsStr;
use std::path::{Path, PathBuf};

/// The folders and programs that the course would use here.
pub struct Setup {
    /// The helper crate, when one is found.
    pub helpers: Option<PathBuf>,
    /// The compiler as seen from there.
    pub toolchain: Result<Toolchain>,
    pub cache: PathBuf,
    /// Where sockets and connection files lie. Its errors name what is wrong with it.
    pub temporary: Result<PathBuf>,
    /// Where cells are compiled.
    pub builds: Result<PathBuf>,
    /// The Python that makes the private environment, and that environment, made or not.
    pub python: Result<(Python, Environment)>,
    /// Bytes of free disk space to ask for.
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

    /// The folders that much is written to.
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
    /// What kernels compile.
    Builds,
}

/// The folder itself, or the nearest one above it that exists: where it would be made.
pub fn existing(folder: &Path) -> &Path {
    folder.ancestors().find(|folder| folder.exists()).unwrap_or(Path::new("/"))
}
