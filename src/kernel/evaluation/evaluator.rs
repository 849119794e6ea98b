//! The engine with the kernel's settings, and what its rust-analyzer reads when.
//!
//! rust-analyzer provides the types of variables, completion and documentation. It reads the crates
//! of the cells' manifest and the standard library when the engine starts, and again whenever that
//! manifest changes. A kernel's manifest changes once, when we add the helper crate and our
//! settings. So at the engine's start we show rust-analyzer no library at all
//! ([`library_sources`]), and after that a skeleton of it (`crate::engine::skeleton`). The skeleton
//! lacks the processor's own instructions; a notebook that names those gets the whole sources.

use super::dependencies;
use super::display_format::DisplayFormat;
use super::library_sources;
use crate::base::log::log;
use crate::engine::build_cache::{self, KernelKind};
use crate::engine::cargo_proxy;
use crate::engine::cell_compiler;
use crate::engine::skeleton;
use crate::engine::user_process::{support, wire};
use crate::kernel::cell_source::CellSource;
use anyhow::{Context, Result, anyhow};
use evcxr::{CommandContext, EvalContext};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The settings with which the engine starts.
pub struct EngineSettings {
    /// The relay's socket, to which the user process connects.
    pub channel: PathBuf,
    /// Where to create an empty folder.
    pub empty: PathBuf,
    /// The helper crate, if a template has it compiled.
    pub helpers: Option<PathBuf>,
}

/// Makes rust-analyzer infer what cells with variables need. This code does not compile, so it
/// leaves nothing in the notebook.
const WARMING: &str = "use parcourse::prelude::*;
let warm = cores();
let values: Vec<f64> = (0..3).map(|i| i as f64).collect();
let most = values.iter().copied().fold(0.0, f64::max);
let () = warm;";
/// The usual optimisation, written differently: the manifest changes, so rust-analyzer reads it
/// again.
const RELOAD_MANIFEST: &str = ":opt +3";
/// Modules of the standard library that its skeleton lacks.
const NOT_IN_SKELETON: [&str; 2] = ["arch", "simd"];

/// What rust-analyzer has read and inferred.
#[derive(Clone, Copy, PartialEq)]
enum AnalyzerState {
    /// It has read the skeletons, but will only analyse them when a cell has a variable.
    Cold,
    Warm,
    /// It has read the whole sources.
    Whole,
}

/// The engine's context, on the engine's thread.
pub struct Evaluator {
    context: CommandContext,
    helpers: Option<PathBuf>,
    /// The format that the notebook's commands have set.
    display: DisplayFormat,
    analyzer: AnalyzerState,
    /// The commands that have added dependencies.
    dependencies: BTreeSet<String>,
}

impl Evaluator {
    /// Starts the user process and evaluates a first expression, as the engine always does.
    pub fn create(settings: &EngineSettings) -> Result<Evaluator> {
        let executable = std::env::current_exe().context("failed to find the running program")?;
        let mut command = Command::new(executable);
        command.env(wire::CHANNEL_VARIABLE, &settings.channel);
        let rustc = build_cache::locate_compiler(Path::new(".")).map(|(rustc, _)| rustc);
        match rustc
            .as_ref()
            .map_err(|error| anyhow!("{error:#}"))
            .and_then(|rustc| support::prepare(rustc))
        {
            Ok(library) => drop(command.env(wire::SUPPORT_VARIABLE, library)),
            Err(error) => log!("parcourse kernel: panic reports will be less detailed: {error:#}"),
        }
        if let Err(error) = rustc
            .as_ref()
            .map_err(|error| anyhow!("{error:#}"))
            .and_then(|rustc| cell_compiler::prepare(rustc))
        {
            log!("parcourse kernel: cells with variables will compile more slowly: {error:#}");
        }
        if let Some(value) = std::env::var_os("RUST_BACKTRACE") {
            command.env(wire::BACKTRACE_VARIABLE, value);
        }
        library_sources::restore_for(&mut command);
        cargo_proxy::bypass(&mut command);
        // With the user's own settings, the manifest may not change after the start.
        let may_hide = !library_sources::is_set() && !has_settings();
        let hidden = may_hide && library_sources::redirect(&settings.empty).is_ok();
        let (context, outputs) =
            EvalContext::with_subprocess_command(command).map_err(|error| anyhow!("{error}"))?;
        // The user process writes here only before it connects to us: if it fails to start.
        for (name, receiver) in [("stdout", outputs.stdout), ("stderr", outputs.stderr)] {
            std::thread::spawn(move || {
                receiver
                    .iter()
                    .for_each(|line| log!("parcourse kernel: {name} of the user process: {line}"))
            });
        }
        let context = CommandContext::with_eval_context(context);
        let mut evaluator = Evaluator {
            context,
            helpers: settings.helpers.clone(),
            display: DisplayFormat::default(),
            analyzer: AnalyzerState::Cold,
            dependencies: BTreeSet::new(),
        };
        if hidden {
            use_skeleton(rustc.as_deref().ok());
        }
        evaluator.prepare()?;
        // The user's own start-up configuration, which the stock kernel reads too.
        evaluator
            .execute(":load_config --quiet")
            .context("failed to load the start-up configuration")?;
        Ok(evaluator)
    }

    /// Call this before the cell is executed. Returns the current display format, to be restored if
    /// the cell fails.
    pub fn prepare_for(&mut self, source: &CellSource) -> DisplayFormat {
        if source.contains_word(&NOT_IN_SKELETON) {
            self.read_whole_sources();
        }
        self.set_display(self.display.after(source))
    }

    /// Adds the new dependencies that this cell asks for. If that fails, the engine tries again and
    /// reports why.
    pub fn add_dependencies(&mut self, source: &CellSource) {
        let commands = dependencies::missing(source, &self.dependencies);
        let Some(directory) =
            std::env::var_os("EVCXR_TMPDIR").map(PathBuf::from).filter(|_| !commands.is_empty())
        else {
            return;
        };
        let Ok(lines) = dependencies::lines(&commands, &directory) else { return };
        match self.execute(&lines) {
            Ok(()) => self.dependencies.extend(commands),
            Err(_) => dependencies::restore(&directory),
        }
    }

    pub fn context(&mut self) -> &mut CommandContext {
        &mut self.context
    }

    /// The helper crate, if a template has it compiled.
    pub fn helpers(&self) -> Option<&Path> {
        self.helpers.as_deref()
    }

    /// Whether there is work to do in advance.
    pub fn is_cold(&self) -> bool {
        self.analyzer == AnalyzerState::Cold && self.helpers.is_some()
    }

    /// Does the work that the first cell with a variable would have to wait for.
    pub fn warm_up(&mut self) {
        self.analyzer = AnalyzerState::Warm;
        // Errors are ignored here, because the notebook's first cell will report them.
        let _ = self.context.execute(WARMING);
    }

    /// Applies our settings to a fresh or cleared engine.
    pub fn prepare(&mut self) -> Result<()> {
        self.dependencies.clear();
        if let Some(directory) = std::env::var_os("EVCXR_TMPDIR") {
            build_cache::restore_lockfile(directory.as_ref())?;
        }
        for command in
            KernelKind::Parcourse.setup_commands().iter().chain(cell_compiler::setup_commands())
        {
            self.execute(command)?;
        }
        if self.analyzer == AnalyzerState::Whole {
            self.execute(RELOAD_MANIFEST)?;
        }
        // Dependencies come from the template or from cargo's cache. We use the network only if one
        // is missing.
        self.execute(":offline 1")?;
        let load = self
            .helpers
            .as_ref()
            .map(|helpers| format!(":dep {}", build_cache::dependency(helpers)));
        if let Some(load) = load
            && let Err(error) = self.execute(&load)
        {
            log!("parcourse kernel: failed to load the helper crate in advance: {error:#}");
        }
        self.display.apply(&mut self.context)
    }

    /// Sets the display format. Returns the previous one.
    pub fn set_display(&mut self, display: DisplayFormat) -> DisplayFormat {
        let before = std::mem::replace(&mut self.display, display);
        if before != self.display {
            // If this fails, values are shown as before.
            let _ = self.display.apply(&mut self.context);
        }
        before
    }

    /// Makes rust-analyzer read the whole sources, unless it already has. Takes seconds, once.
    /// Returns whether it did.
    pub fn read_whole_sources(&mut self) -> bool {
        let is_new = self.analyzer != AnalyzerState::Whole;
        if is_new {
            log!("parcourse kernel: reading the whole sources");
            self.analyzer = AnalyzerState::Whole;
            library_sources::reset();
            skeleton::use_whole_sources();
            let _ = self.execute(RELOAD_MANIFEST);
        }
        is_new
    }

    fn execute(&mut self, code: &str) -> Result<()> {
        self.context.execute(code).map(drop).map_err(|error| anyhow!("{error}"))
    }
}

/// Makes rust-analyzer read the skeleton of the standard library, or its whole sources if there is
/// no skeleton.
fn use_skeleton(rustc: Option<&Path>) {
    let skeleton = rustc.map(skeleton::library).transpose();
    match skeleton.map(Option::flatten) {
        Ok(Some(folder)) if library_sources::redirect(&folder).is_ok() => {}
        Err(error) => {
            log!("parcourse kernel: variables will take longer: {error:#}");
            library_sources::reset();
        }
        _ => library_sources::reset(),
    }
}

/// Whether the user has a configuration file for the engine.
fn has_settings() -> bool {
    Path::new("evcxr.toml").exists()
        || evcxr::config_dir().is_some_and(|folder| folder.join("evcxr.toml").exists())
}
