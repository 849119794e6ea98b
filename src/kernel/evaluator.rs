//! The engine with the kernel's settings, and when its rust-analyzer reads the standard library.
//!
//! rust-analyzer is there for the types of variables, completion and documentation. Before it can answer anything it reads the standard
//! library and works out what it means, which takes as long as all the rest of a start; and does so again whenever the cells' manifest
//! changes. So it is first shown no standard library at all ([`library_sources`]), which is enough for cells without `let`: a notebook's
//! first `:dep` and `use`, a first call. The library is read when a cell needs it, or earlier, when there is nothing else to do
//! ([`Evaluator::warm_up`]). The helper crate, where a template has it compiled, is in the manifest from the beginning, so that nothing
//! changes when the notebook asks for it.

use super::dependencies;
use super::display_format::DisplayFormat;
use super::library_sources::{self, Hidden};
use crate::cargo_proxy;
use crate::cell_compiler;
use crate::log::log;
use crate::template::{self, Flavor};
use crate::user_process::{support, wire};
use anyhow::{Context, Result, anyhow};
use evcxr::{CommandContext, EvalContext};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

/// What is known before the start.
pub struct Settings {
    /// The relay's socket, for the user process.
    pub channel: PathBuf,
    /// A place for an empty folder.
    pub empty: PathBuf,
    /// The helper crate, where a template has it compiled.
    pub helpers: Option<PathBuf>,
}

/// Has rust-analyzer work out what cells with variables need. It does not compile, so that it leaves nothing behind.
const WARMING: &str = "use parcourse::prelude::*;
let warm = cores();
let values: Vec<f64> = (0..3).map(|i| i as f64).collect();
let most = values.iter().copied().fold(0.0, f64::max);
let () = warm;";
/// Optimisation, while the library is hidden: 3 as always, but another manifest than later, so that it will be read again.
const OPTIMISE_WHILE_HIDDEN: &str = ":opt +3";
/// Commands that can do without the library, and do not change how cells are compiled.
const HARMLESS_COMMANDS: [&str; 6] = [":dep", ":vars", ":show_deps", ":timing", ":version", ":help"];

/// The engine's context, on the engine's thread.
pub struct Evaluator {
    context: CommandContext,
    helpers: Option<PathBuf>,
    /// As the notebook's commands want values shown.
    display: DisplayFormat,
    /// While the standard library is hidden from rust-analyzer.
    hidden: Option<Hidden>,
    /// Commands that have added a dependency.
    dependencies: BTreeSet<String>,
}

impl Evaluator {
    /// Starts the user process and evaluates a first expression, as the engine always does.
    pub fn create(settings: &Settings) -> Result<Evaluator> {
        let executable = std::env::current_exe().context("failed to find the running program")?;
        let mut command = Command::new(executable);
        command.env(wire::CHANNEL_VARIABLE, &settings.channel);
        let rustc = template::locate_compiler(Path::new(".")).map(|(rustc, _)| rustc);
        match rustc.as_ref().map_err(|error| anyhow!("{error:#}")).and_then(|rustc| support::prepare(rustc)) {
            Ok(library) => drop(command.env(wire::SUPPORT_VARIABLE, library)),
            Err(error) => log!("parcourse kernel: panics will be described less well: {error:#}"),
        }
        if let Err(error) = rustc.and_then(|rustc| cell_compiler::prepare(&rustc)) {
            log!("parcourse kernel: cells with variables will compile more slowly: {error:#}");
        }
        if let Some(value) = std::env::var_os("RUST_BACKTRACE") {
            command.env(wire::BACKTRACE_VARIABLE, value);
        }
        library_sources::keep_as_is(&mut command);
        cargo_proxy::keep_out_of(&mut command);
        // Without helpers everything takes long, and there is nothing to warm up with.
        let hidden = settings.helpers.as_ref().and_then(|_| Hidden::behind(&settings.empty).ok());
        let (context, outputs) = EvalContext::with_subprocess_command(command).map_err(|error| anyhow!("{error}"))?;
        // What arrives here was written before the user process turned to us: only its failure to start.
        for (name, receiver) in [("stdout", outputs.stdout), ("stderr", outputs.stderr)] {
            std::thread::spawn(move || receiver.iter().for_each(|line| log!("parcourse kernel: {name} of the user process: {line}")));
        }
        let context = CommandContext::with_eval_context(context);
        let mut evaluator = Evaluator {
            context,
            helpers: settings.helpers.clone(),
            display: DisplayFormat::default(),
            hidden,
            dependencies: BTreeSet::new(),
        };
        evaluator.prepare()?;
        // The user's own start-up configuration, as the stock kernel reads it.
        evaluator.execute(":load_config --quiet").context("the start-up configuration failed")?;
        Ok(evaluator)
    }

    /// To be called before this code is executed. Gives back how values were shown so far, in case the code fails.
    pub fn get_ready_for(&mut self, code: &str) -> DisplayFormat {
        if needs_library(code) {
            self.show_library();
        }
        self.set_display(self.display.after(code))
    }

    /// Adds the dependencies that this code asks for and that are not there yet. Those that cannot be had are left to the engine, which
    /// says why.
    pub fn add_dependencies(&mut self, code: &str) {
        let commands = dependencies::new_ones(code, &self.dependencies);
        let Some(directory) = std::env::var_os("EVCXR_TMPDIR").map(PathBuf::from).filter(|_| !commands.is_empty()) else { return };
        let Ok(lines) = dependencies::lines(&commands, &directory) else { return };
        match self.execute(&lines) {
            Ok(()) => self.dependencies.extend(commands),
            Err(_) => dependencies::restore(&directory),
        }
    }

    pub fn context(&mut self) -> &mut CommandContext {
        &mut self.context
    }

    /// The helper crate, where a template has it compiled.
    pub fn helpers(&self) -> Option<&Path> {
        self.helpers.as_deref()
    }

    /// The context, with all that rust-analyzer can know.
    pub fn complete(&mut self) -> &mut CommandContext {
        self.show_library();
        &mut self.context
    }

    /// Whether there is something to do ahead of time.
    pub fn is_cold(&self) -> bool {
        self.hidden.is_some()
    }

    /// Does what the first cell with a variable would have to wait for.
    pub fn warm_up(&mut self) {
        self.show_library();
        // What does not work here will not work in the notebook either, and is reported there.
        let _ = self.context.execute(WARMING);
    }

    /// Tells a fresh or cleared engine how we want things.
    pub fn prepare(&mut self) -> Result<()> {
        self.dependencies.clear();
        if let Some(directory) = std::env::var_os("EVCXR_TMPDIR") {
            template::restore_lockfile(directory.as_ref())?;
        }
        for command in Flavor::Parcourse.setup_commands().iter().chain(cell_compiler::setup_commands()) {
            self.execute(command)?;
        }
        if self.hidden.is_some() {
            self.execute(OPTIMISE_WHILE_HIDDEN)?;
        }
        // Dependencies come from the template or from cargo's cache; only what is missing there is worth asking the network for.
        self.execute(":offline 1")?;
        let load = self.helpers.as_ref().map(|helpers| format!(":dep {}", template::dependency(helpers)));
        if let Some(load) = load
            && let Err(error) = self.execute(&load)
        {
            log!("parcourse kernel: the helper crate is not loaded ahead of time: {error:#}");
        }
        self.display.apply(&mut self.context)
    }

    /// Has the engine show values in this way; gives back the way it was.
    pub fn set_display(&mut self, display: DisplayFormat) -> DisplayFormat {
        let before = std::mem::replace(&mut self.display, display);
        if before != self.display {
            // Where it fails values are shown as before.
            let _ = self.display.apply(&mut self.context);
        }
        before
    }

    /// Forgets everything that was executed, and starts a new user process.
    pub fn start_over(&mut self) -> Result<()> {
        self.execute(":clear")?;
        self.display = DisplayFormat::default();
        self.prepare()
    }

    /// Starts a new user process, in this process's directory and environment.
    pub fn restart(&mut self) -> Result<()> {
        self.execute(":restart")
    }

    fn show_library(&mut self) {
        if self.hidden.take().is_some() {
            for command in Flavor::Parcourse.setup_commands() {
                let _ = self.execute(&command);
            }
        }
    }

    fn execute(&mut self, code: &str) -> Result<()> {
        self.context.execute(code).map(drop).map_err(|error| anyhow!("{error}"))
    }
}

/// Whether code may declare variables, whose types rust-analyzer has to find, or does something else than run.
fn needs_library(code: &str) -> bool {
    let declares = code.split(|character: char| !(character.is_alphanumeric() || character == '_')).any(|word| word == "let");
    let commands = code.lines().map(str::trim_start).filter(|line| line.starts_with([':', '!']));
    let mut names = commands.map(|line| line.split_whitespace().next().unwrap_or_default());
    declares || names.any(|name| !HARMLESS_COMMANDS.contains(&name))
}

#[cfg(test)]
mod tests {
    use super::needs_library;

    #[test]
    fn variables_and_settings_need_the_library() {
        for code in ["let x = 1;", "if let Some(_) = x {}", "println!();let y = 2;", ":opt 0", "!ls", "  :clear", "struct A;\n:types"] {
            assert!(needs_library(code), "{code}");
        }
        for code in [":dep parcourse = { path = \"../helpers\" }\nuse parcourse::prelude::*;", "cores()", "fn outlet() {}", ":vars", ""] {
            assert!(!needs_library(code), "{code}");
        }
    }
}
