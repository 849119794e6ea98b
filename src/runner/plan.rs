//! Running notebooks as a library call, for `parcourse run`, `check` and `book`.

use super::KernelKind;
use super::execute::{NotebookResult, Settings};
use super::notebook::{Request, Source};
use super::schedule;
use crate::runner::kernel::directory;
use crate::runner::kernel::launch::Templates;
use crate::runner::progress::Progress;
use anyhow::{Result, ensure};
use std::path::PathBuf;
use std::time::Duration;

/// How to run notebooks; see the options of `parcourse run`.
pub struct Plan {
    pub kernel: KernelKind,
    pub jobs: usize,
    pub timeout: Duration,
    pub startup_timeout: Duration,
    pub parameters: Vec<(String, String)>,
    pub keep_going: bool,
    pub check_images: bool,
    pub quiet: bool,
    pub helpers: Option<PathBuf>,
}

/// Executed notebooks.
pub struct Executed {
    /// The finished notebooks; after an interruption some may be missing.
    pub sources: Vec<Source>,
    /// One for each source.
    pub results: Vec<NotebookResult>,
    pub settings: Settings,
    /// The signal that ended the run early.
    pub interrupted: Option<&'static str>,
}

impl Plan {
    /// Reads and checks all notebooks, and reports all problems at once.
    pub fn load(&self, notebooks: &[PathBuf]) -> Result<Vec<Source>> {
        let request = Request { parameters: &self.parameters, timeout: self.timeout };
        let mut sources = Vec::new();
        let mut problems = Vec::new();
        for path in notebooks {
            match Source::load(path, &request) {
                Ok(mut source) => {
                    source.rules.images = self.check_images;
                    sources.push(source);
                }
                Err(error) => problems.push(format!("{error:#}")),
            }
        }
        ensure!(problems.is_empty(), "nothing was run because\n  {}", problems.join("\n  "));
        Ok(sources)
    }

    /// Runs the notebooks, each on its own kernel, and shows progress.
    pub fn execute(self, sources: Vec<Source>) -> Result<Executed> {
        directory::sweep()?;
        let mut progress = Progress::new(self.quiet);
        let templates = Templates::prepare(self.kernel, &sources, self.helpers, &mut |line| {
            progress.preparing(&format!("preparing the helper crate: {line}"))
        });
        let settings = Settings {
            kernel: self.kernel,
            jobs: self.jobs,
            startup_timeout: self.startup_timeout,
            parameters: self.parameters,
            keep_going: self.keep_going,
            templates,
        };
        let (results, interrupted) = schedule::run(&sources, &settings, progress)?;
        let finished =
            sources.into_iter().zip(results).filter_map(|(source, result)| Some((source, result?)));
        let (sources, results) = finished.unzip();
        Ok(Executed { sources, results, settings, interrupted })
    }
}
