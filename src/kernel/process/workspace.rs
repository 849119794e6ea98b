//! The kernel's private folders: the engine's build directory, and a short one for sockets.

use crate::base::log::log;
use crate::base::owned_dir::OwnedDir;
use crate::engine::build_cache::{self, KernelKind, Template, WorkDirectory};
use crate::engine::cargo_proxy::Proxy;
use anyhow::Result;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};

/// Removed when dropped; after a crash by the guard or by the next kernel's start.
pub struct Workspace {
    directory: WorkDirectory,
    sockets: OwnedDir,
    /// The helper crate, where the build directory has it compiled.
    helpers: Option<PathBuf>,
    /// None where it could not be made: everything takes longer then.
    cargo: Option<Proxy>,
}

impl Workspace {
    /// A copy of the template when there is one, else an empty folder, in which everything will be
    /// compiled.
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

    /// The helper crate, where the build directory has it compiled.
    pub fn helpers(&self) -> Option<&Path> {
        self.helpers.as_deref()
    }

    /// A place for a folder without contents.
    pub fn empty(&self) -> PathBuf {
        self.directory.beside("empty")
    }

    /// Where the kernel's own sockets lie, with a short name: the path of a socket has at most some
    /// 100 bytes.
    pub fn sockets(&self) -> &Path {
        self.sockets.path()
    }

    /// Sets this process's environment for the engine; `id` marks what the kernel starts.
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
                cargo.enter();
            }
        }
    }
}

fn proxy(directory: &WorkDirectory, cargo: &Path, rustc: &Path) -> Option<Proxy> {
    let proxy =
        Proxy::install(&directory.beside("toolchain"), cargo, rustc, directory.environment());
    proxy.map_err(|error| log!("parcourse kernel: variables will take longer: {error:#}")).ok()
}
