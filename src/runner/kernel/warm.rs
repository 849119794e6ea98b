//! What lets a kernel start warm: the one place where the runner and the templates meet.

use crate::base::paths;
use crate::engine::build_cache::{self, Template, WorkDirectory};
use crate::runner::KernelKind;
use crate::runner::notebook::Source;
use anyhow::Result;
use std::collections::HashMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

/// The templates of a run, one per helper crate: as a rule there is one.
pub struct Templates {
    kind: KernelKind,
    /// The helper crate that the user named.
    named: Option<PathBuf>,
    by_helpers: HashMap<PathBuf, Template>,
}

impl Templates {
    /// Builds what is missing for the notebooks that use the helper crate; the others start as they
    /// are.
    ///
    /// A template that cannot be built is told and done without: cells then compile the helper
    /// crate themselves, and when it is the helper crate that is broken, the cell that asks for it
    /// says so.
    pub fn prepare(
        kind: KernelKind,
        sources: &[Source],
        named: Option<PathBuf>,
        tell: &mut dyn FnMut(&str),
    ) -> Templates {
        let mut templates = Templates { kind, named, by_helpers: HashMap::new() };
        for source in sources.iter().filter(|source| uses_helpers(source)) {
            let Some(helpers) = templates
                .helpers(&source.folder)
                .filter(|helpers| !templates.by_helpers.contains_key(helpers))
            else {
                continue;
            };
            match build_cache::ensure(&helpers, kind, tell) {
                Ok(template) => {
                    templates.by_helpers.insert(helpers, template);
                }
                Err(error) => eprintln!("parcourse: kernels start cold: {error:#}"),
            }
        }
        templates
    }

    fn helpers(&self, folder: &Path) -> Option<PathBuf> {
        paths::find_helpers(self.named.as_deref(), folder)
    }

    /// What a kernel for this notebook needs.
    pub fn engine(&self, source: &Source) -> Result<Engine> {
        let helpers = self.helpers(&source.folder);
        match self.kind {
            // It finds its template itself.
            KernelKind::Parcourse => Ok(Engine { helpers, ..Engine::default() }),
            KernelKind::Evcxr => {
                let template = helpers
                    .filter(|_| uses_helpers(source))
                    .and_then(|helpers| self.by_helpers.get(&helpers));
                template.map_or_else(|| Engine::cold(&source.folder), Engine::warm)
            }
        }
    }
}

fn uses_helpers(source: &Source) -> bool {
    source
        .cells
        .iter()
        .flat_map(|cell| cell.source.lines())
        .any(|line| line.trim_start().starts_with(":dep parcourse"))
}

/// How one kernel's engine builds cells.
#[derive(Default)]
pub struct Engine {
    /// The helper crate, for a kernel that looks after its template itself.
    pub helpers: Option<PathBuf>,
    pub environment: Vec<(&'static str, OsString)>,
    /// The kernel's command line, when it is not the usual one.
    pub command: Option<Vec<OsString>>,
    /// Where the engine writes the source it generates, when the runner knows.
    pub directory: Option<PathBuf>,
    /// The private copy of a template, or an empty one; gone when dropped.
    copy: Option<WorkDirectory>,
}

impl Engine {
    /// That of a kernel with a command line of its own, to which the connection file is added.
    pub fn of(command: Vec<OsString>, environment: Vec<(&'static str, OsString)>) -> Engine {
        Engine { command: Some(command), environment, ..Engine::default() }
    }

    /// The stock kernel's, from a template.
    pub fn warm(template: &Template) -> Result<Engine> {
        template.checkout().map(Engine::stock)
    }

    /// The stock kernel's, from nothing, in a notebook's folder.
    pub fn cold(folder: &Path) -> Result<Engine> {
        WorkDirectory::empty(KernelKind::Evcxr, folder).map(Engine::stock)
    }

    fn stock(copy: WorkDirectory) -> Engine {
        let (environment, directory) =
            (copy.environment().to_vec(), Some(copy.path().to_path_buf()));
        Engine { environment, directory, copy: Some(copy), ..Engine::default() }
    }

    /// The folder that must not outlive the kernel, for the guard of a runner that is killed.
    pub fn claimed(&self) -> Option<&Path> {
        self.copy.as_ref().and_then(|copy| copy.path().parent())
    }
}
