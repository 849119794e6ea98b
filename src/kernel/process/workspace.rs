//! The kernel's private folders: the engine's build directory, and a socket folder with a short
//! path.

use crate::base::log::log;
use crate::base::owned_dir::OwnedDir;
use crate::engine::build_cache::{self, KernelKind, Template, WorkDirectory};
use crate::engine::cargo_proxy::Proxy;
use anyhow::Result;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};

/// Removed when dropped. After a crash the guard or the next kernel removes it.
pub struct Workspace {
    directory: WorkDirectory,
    sockets: OwnedDir,
    /// The helper crate, if the build directory has it compiled.
    helpers: Option<PathBuf>,
    /// `None` if it could not be created; variables then take longer.
    cargo: Option<Proxy>,
}

impl Workspace {
    /// Copies the template if there is one, or else creates an empty folder, in which everything
    /// will be compiled.
    pub fn create(template: Option<&Template>) -> Result<Workspace> {
        let sockets = build_cache::create_socket_directory()?;
        let copy = template.and_then(|template| match template.checkout() {
            Ok(copy) => Some((template, copy)),
            Err(error) => {
                log!("parcourse kernel: starting cold: {error:#}");
                None
            }
        });
        if let Some((template, directory)) = copy {
            let cargo =
                proxy(&directory, &template.toolchain().cargo(), &template.toolchain().rustc);
            let helpers = Some(template.manifest().helpers.clone());
            return Ok(Workspace { directory, sockets, helpers, cargo });
        }
        let directory = WorkDirectory::empty(KernelKind::Parcourse, Path::new("."))?;
        // As the engine will find them.
        let compiler = build_cache::locate_compiler(Path::new(".")).ok().map(|(rustc, _)| rustc);
        let cargo = compiler.and_then(|rustc| {
            let cargo = Some(rustc.with_file_name("cargo")).filter(|cargo| cargo.exists())?;
            proxy(&directory, &cargo, &rustc)
        });
        Ok(Workspace { directory, sockets, helpers: None, cargo })
    }

    /// The engine's working directory.
    pub fn build_directory(&self) -> &Path {
        self.directory.path()
    }

    /// The helper crate, if the build directory has it compiled.
    pub fn helpers(&self) -> Option<&Path> {
        self.helpers.as_deref()
    }

    /// Where to create a folder without contents.
    pub fn empty(&self) -> PathBuf {
        self.directory.beside("empty")
    }

    /// The folder of the kernel's own sockets. Its path is short, because the path of a socket is
    /// limited to about 100 bytes.
    pub fn sockets(&self) -> &Path {
        self.sockets.path()
    }

    /// Sets this process's environment for the engine. `id` marks the processes that the kernel
    /// starts.
    pub fn enter(&self, id: &str) {
        let mark = [(super::guard::MARK, OsStr::new(id))];
        let environment =
            self.directory.environment().iter().map(|(name, value)| (*name, value.as_os_str()));
        // SAFETY: called before other threads run, or while they are known to be idle.
        unsafe {
            mark.into_iter()
                .chain(environment)
                .for_each(|(name, value)| std::env::set_var(name, value));
            if let Some(cargo) = &self.cargo {
                cargo.activate();
            }
        }
    }
}

fn proxy(directory: &WorkDirectory, cargo: &Path, rustc: &Path) -> Option<Proxy> {
    let proxy =
        Proxy::install(&directory.beside("toolchain"), cargo, rustc, directory.environment());
    proxy.map_err(|error| log!("parcourse kernel: variables will take longer: {error:#}")).ok()
}
