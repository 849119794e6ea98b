//! How kernels are launched, warm or cold: the connection between the runner and the templates.

use crate::base::paths;
use crate::engine::build_cache::{self, Template, WorkDirectory};
use crate::runner::KernelKind;
use crate::runner::notebook::Source;
use anyhow::Result;
use std::collections::HashMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

/// The templates of a run, one per helper crate. Usually there is one.
pub struct Templates {
    kind: KernelKind,
    /// The helper crate that the user named.
    named: Option<PathBuf>,
    by_helpers: HashMap<PathBuf, Template>,
}

impl Templates {
    /// Builds missing templates for the notebooks that use the helper crate.
    ///
    /// If a template cannot be built, kernels start without it after a warning: cells then compile
    /// the helper crate themselves, and if it is broken, the cell that loads it fails.
    pub fn prepare(
        kind: KernelKind,
        sources: &[Source],
        named: Option<PathBuf>,
        progress: &mut dyn FnMut(&str),
    ) -> Templates {
        let mut templates = Templates { kind, named, by_helpers: HashMap::new() };
        for source in sources.iter().filter(|source| uses_helpers(source)) {
            let Some(helpers) = templates
                .helpers(&source.folder)
                .filter(|helpers| !templates.by_helpers.contains_key(helpers))
            else {
                continue;
            };
            match build_cache::ensure(&helpers, kind, progress) {
                Ok(template) => {
                    templates.by_helpers.insert(helpers, template);
                }
                Err(error) => eprintln!("parcourse: kernels will start slowly: {error:#}"),
            }
        }
        templates
    }

    fn helpers(&self, folder: &Path) -> Option<PathBuf> {
        paths::find_helpers(self.named.as_deref(), folder)
    }

    /// Returns how to launch a kernel for this notebook.
    pub fn launch_spec(&self, source: &Source) -> Result<LaunchSpec> {
        let helpers = self.helpers(&source.folder);
        match self.kind {
            // Our kernel finds its template itself.
            KernelKind::Parcourse => Ok(LaunchSpec { helpers, ..LaunchSpec::default() }),
            KernelKind::Evcxr => {
                let template = helpers
                    .filter(|_| uses_helpers(source))
                    .and_then(|helpers| self.by_helpers.get(&helpers));
                template.map_or_else(|| LaunchSpec::cold(&source.folder), LaunchSpec::warm)
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

/// How to launch one kernel.
#[derive(Default)]
pub struct LaunchSpec {
    /// The helper crate, for a kernel that finds its template itself.
    pub helpers: Option<PathBuf>,
    pub environment: Vec<(&'static str, OsString)>,
    /// The kernel's command line, if not the default one.
    pub command: Option<Vec<OsString>>,
    /// Where the engine writes the source it generates, if known.
    pub directory: Option<PathBuf>,
    /// The private copy of a template, or an empty one; removed when dropped.
    copy: Option<WorkDirectory>,
}

impl LaunchSpec {
    /// Launches a custom command line, to which the connection file is appended.
    pub fn of(command: Vec<OsString>, environment: Vec<(&'static str, OsString)>) -> LaunchSpec {
        LaunchSpec { command: Some(command), environment, ..LaunchSpec::default() }
    }

    /// Launches the stock kernel from a template.
    pub fn warm(template: &Template) -> Result<LaunchSpec> {
        template.checkout().map(LaunchSpec::stock)
    }

    /// Launches the stock kernel without a template, in a notebook's folder.
    pub fn cold(folder: &Path) -> Result<LaunchSpec> {
        WorkDirectory::empty(KernelKind::Evcxr, folder).map(LaunchSpec::stock)
    }

    fn stock(copy: WorkDirectory) -> LaunchSpec {
        let (environment, directory) =
            (copy.environment().to_vec(), Some(copy.path().to_path_buf()));
        LaunchSpec { environment, directory, copy: Some(copy), ..LaunchSpec::default() }
    }

    /// The folder that the guard must remove if the runner is killed.
    pub fn owned_folder(&self) -> Option<&Path> {
        self.copy.as_ref().and_then(|copy| copy.path().parent())
    }
}
