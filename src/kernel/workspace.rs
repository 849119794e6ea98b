//! The kernel's private folder: the engine's build directory and the socket of the user process.

use crate::log::log;
use crate::template::{Template, WorkDirectory};
use anyhow::Result;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};

/// Removed when dropped; after a crash by the guard or by the next kernel's start.
pub struct Workspace {
    directory: WorkDirectory,
    helpers: Option<PathBuf>,
}

impl Workspace {
    /// A copy of the template when there is one, else an empty folder, in which everything will be compiled.
    pub fn create(template: Option<&Template>) -> Result<Workspace> {
        let copy = template.and_then(|template| match template.checkout() {
            Ok(copy) => Some((copy, template.manifest().helpers.clone())),
            Err(error) => {
                log!("parcourse kernel: starting cold: {error:#}");
                None
            }
        });
        Ok(match copy {
            Some((directory, helpers)) => Workspace { directory, helpers: Some(helpers) },
            None => Workspace { directory: WorkDirectory::empty()?, helpers: None },
        })
    }

    /// The engine's working directory.
    pub fn build_directory(&self) -> &Path {
        self.directory.path()
    }

    /// The helper crate, where the build directory has it compiled.
    pub fn helpers(&self) -> Option<&Path> {
        self.helpers.as_deref()
    }

    /// A place for a folder without contents.
    pub fn empty(&self) -> PathBuf {
        self.directory.beside("empty")
    }

    /// Outside the engine's directory, and with a short name: the path of a socket has at most some 100 bytes.
    pub fn socket(&self) -> PathBuf {
        self.directory.beside("io")
    }

    /// Sets this process's environment for the engine; `id` marks what the kernel starts.
    pub fn enter(&self, id: &str) {
        let mark = [(super::guard::MARK, OsStr::new(id))];
        let environment = self.directory.environment().iter().map(|(name, value)| (*name, value.as_os_str()));
        // SAFETY: called before other threads run, or while they are known to be idle.
        unsafe { mark.into_iter().chain(environment).for_each(|(name, value)| std::env::set_var(name, value)) };
    }
}
