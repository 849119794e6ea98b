//! The engine with the kernel's settings, and when its rust-analyzer reads the standard library.
//!
//! rust-analyzer is there for the types of variables, completion and documentation. It reads the
//! crates of the cells' manifest and the standard library when the engine starts, and again
//! whenever that manifest changes. A kernel's manifest does so once, when the helper crate and our
//! settings come into it; so at the engine's very start it is shown no library at all
//! ([`library_sources`]), and then a skeleton of it (`crate::engine::skeleton`). A notebook that names the
//! processor's own instructions, which the skeleton is without, gets everything.

use super::dependencies;
use super::display_format::DisplayFormat;
use super::library_sources;
use crate::base::log::log;
use crate::engine::build_cache::{self, KernelKind};
use crate::engine::cargo_proxy;
use crate::engine::cell_compiler;
use crate::engine::skeleton;
use crate::engine::user_process::{support, wire};
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

/// Has rust-analyzer work out what cells with variables need. It does not compile, so that it
/// leaves nothing behind.
const WARMING: &str = "use parcourse::prelude::*;
let warm = cores();
let values: Vec<f64> = (0..3).map(|i| i as f64).collect();
let most = values.iter().copied().fold(0.0, f64::max);
let () = warm;";
/// Optimisation as always, in another manifest, so that rust-analyzer reads it again.
const OPTIMISE_OTHERWISE: &str = ":opt +3";
/// Modules of the standard library that its skeleton is without.
const NOT_IN_SKELETON: [&str; 2] = ["arch", "simd"];

/// What rust-analyzer has read and worked out.
#[derive(Clone, Copy, PartialEq)]
enum Knowledge {
    /// What it was shown lies there; what it means will be worked out with the first variable.
    Cold,
    Warm,
    /// It has the standard library's whole sources.
    Whole,
}

/// The engine's context, on the engine's thread.
pub struct Evaluator {
    context: CommandContext,
    helpers: Option<PathBuf>,
    /// As the notebook's commands want values shown.
    display: DisplayFormat,
    /// What rust-analyzer knows.
    knows: Knowledge,
    /// Commands that have added a dependency.
    dependencies: BTreeSet<String>,
}

impl Evaluator {
    /// Starts the user process and evaluates a first expression, as the engine always does.
    pub fn create(settings: &Settings) -> Result<Evaluator> {
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
            Err(error) => log!("parcourse kernel: panics will be described less well: {error:#}"),
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
        library_sources::keep_as_is(&mut command);
        cargo_proxy::keep_out_of(&mut command);
        // With settings of the user's own, the manifest may stay as it is at the start.
        let may_hide = !library_sources::chosen() && !has_settings();
        let hidden = may_hide && library_sources::show(&settings.empty).is_ok();
        let (context, outputs) =
            EvalContext::with_subprocess_command(command).map_err(|error| anyhow!("{error}"))?;
        // What arrives here was written before the user process turned to us: only its failure to
        // start.
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
            knows: Knowledge::Cold,
            dependencies: BTreeSet::new(),
        };
        if hidden {
            show_skeleton(rustc.as_deref().ok());
        }
        evaluator.prepare()?;
        // The user's own start-up configuration, as the stock kernel reads it.
        evaluator.execute(":load_config --quiet").context("the start-up configuration failed")?;
        Ok(evaluator)
    }

    /// To be called before this code is executed. Gives back how values were shown so far, in case
    /// the code fails.
    pub fn get_ready_for(&mut self, code: &str) -> DisplayFormat {
        if names_instructions(code) {
            self.read_whole_sources();
        }
        self.set_display(self.display.after(code))
    }

    /// Adds the dependencies that this code asks for and that are not there yet. Those that cannot
    /// be had are left to the engine, which says why.
    pub fn add_dependencies(&mut self, code: &str) {
        let commands = dependencies::new_ones(code, &self.dependencies);
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

    /// The helper crate, where a template has it compiled.
    pub fn helpers(&self) -> Option<&Path> {
        self.helpers.as_deref()
    }

    /// Whether there is something to do ahead of time.
    pub fn is_cold(&self) -> bool {
        self.knows == Knowledge::Cold && self.helpers.is_some()
    }

    /// Does what the first cell with a variable would have to wait for.
    pub fn warm_up(&mut self) {
        self.knows = Knowledge::Warm;
        // What does not work here will not work in the notebook either, and is reported there.
        let _ = self.context.execute(WARMING);
    }

    /// Tells a fresh or cleared engine how we want things.
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
        if self.knows == Knowledge::Whole {
            self.execute(OPTIMISE_OTHERWISE)?;
        }
        // Dependencies come from the template or from cargo's cache; only what is missing there is
        // worth asking the network for.
        self.execute(":offline 1")?;
        let load = self
            .helpers
            .as_ref()
            .map(|helpers| format!(":dep {}", build_cache::dependency(helpers)));
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

    /// Has rust-analyzer read the whole sources of everything, if it has not. Takes seconds, once;
    /// says whether it did.
    pub fn read_whole_sources(&mut self) -> bool {
        let is_new = self.knows != Knowledge::Whole;
        if is_new {
            log!("parcourse kernel: reading the whole sources");
            self.knows = Knowledge::Whole;
            library_sources::show_whole();
            skeleton::use_whole_sources();
            let _ = self.execute(OPTIMISE_OTHERWISE);
        }
        is_new
    }

    fn execute(&mut self, code: &str) -> Result<()> {
        self.context.execute(code).map(drop).map_err(|error| anyhow!("{error}"))
    }
}

/// Has rust-analyzer read the skeleton of the library, or everything where there is none.
fn show_skeleton(rustc: Option<&Path>) {
    let skeleton = rustc.map(skeleton::library).transpose();
    match skeleton.map(Option::flatten) {
        Ok(Some(folder)) if library_sources::show(&folder).is_ok() => {}
        Err(error) => {
            log!("parcourse kernel: variables will take longer: {error:#}");
            library_sources::show_whole();
        }
        _ => library_sources::show_whole(),
    }
}

/// Whether the user has a file of settings for the engine.
fn has_settings() -> bool {
    Path::new("evcxr.toml").exists()
        || evcxr::config_dir().is_some_and(|folder| folder.join("evcxr.toml").exists())
}

/// Whether code may name the processor's own instructions, of which the library's skeleton has
/// none.
fn names_instructions(code: &str) -> bool {
    code.split(|character: char| !(character.is_alphanumeric() || character == '_'))
        .any(|word| NOT_IN_SKELETON.contains(&word))
}

#[cfg(test)]
mod tests {
    use super::names_instructions;

    #[test]
    fn instructions_need_the_whole_library() {
        for code in [
            "use std::arch::x86_64::*;",
            "use std::{arch, thread};",
            "let v = core::simd::f32x4::splat(1.0);",
        ] {
            assert!(names_instructions(code), "{code}");
        }
        for code in ["let search = 1;", "#[cfg(target_arch = \"x86_64\")]\nfn f() {}", "let x = 1;"]
        {
            assert!(!names_instructions(code), "{code}");
        }
    }
}
