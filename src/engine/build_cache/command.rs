//! `parcourse prepare`: builds templates ahead of the first kernel.

use super::build::Task;
use super::flavor::Flavor;
use super::key::Ingredients;
use crate::base::paths::HelpersArgument;
use anyhow::{Context, Result, bail};
use clap::Args;
use std::io::{IsTerminal, Write};
use std::path::Path;
use std::process::ExitCode;
use std::time::Instant;

/// What `parcourse prepare` is asked.
#[derive(Args)]
pub struct PrepareArguments {
    #[command(flatten)]
    helpers: HelpersArgument,
    /// Which kernel to prepare for
    #[arg(long, value_name = "KERNEL", value_parser = ["parcourse", "evcxr", "all"], default_value = "parcourse")]
    kernel: String,
    /// Prove it: take a copy as a kernel does, run the first cells in it, say how long they took
    /// and whether anything was compiled again
    #[arg(long)]
    check: bool,
    /// Print errors only
    #[arg(long, short)]
    quiet: bool,
}

/// Builds what is missing. Exit code 1 when `--check` finds that kernels would not start warm.
pub fn main(arguments: PrepareArguments) -> Result<ExitCode> {
    let here = std::env::current_dir().context("failed to find the current folder")?;
    let helpers = crate::base::paths::find_helpers(arguments.helpers.helpers.as_deref(), &here)
        .context("found no helper crate: run this in the course's folder, or name the crate's folder with --helpers")?;
    if let Some(named) = &arguments.helpers.helpers
        && named.canonicalize().ok().as_deref() != Some(&*helpers)
    {
        bail!(
            "{} is not the helper crate: its Cargo.toml does not name the package `parcourse`",
            named.display()
        );
    }
    let flavors: Vec<Flavor> = Flavor::ALL
        .into_iter()
        .filter(|flavor| ["all", flavor.name()].contains(&&*arguments.kernel))
        .collect();
    super::sweep();
    let mut screen = Screen::new(arguments.quiet);
    let mut all_warm = true;
    for flavor in flavors {
        let start = Instant::now();
        let mut built = false;
        let template = super::ensure(&helpers, flavor, &mut |line| {
            built = true;
            screen.progress(&format!("{}: {line}", flavor.name()));
        })?;
        let manifest = template.manifest();
        let (size, seconds) = (manifest.bytes / 1_000_000, start.elapsed().as_secs_f64());
        screen.line(&if built {
            format!(
                "{}: ready after {seconds:.1} s ({} crates, {size} MB)",
                flavor.name(),
                manifest.crates
            )
        } else {
            format!(
                "{}: ready already ({seconds:.2} s to look; {size} MB in {})",
                flavor.name(),
                template.path().display()
            )
        });
        if arguments.check {
            all_warm &= check(&helpers, flavor, &mut screen)?;
        }
    }
    Ok(ExitCode::from(u8::from(!all_warm)))
}

/// Runs the first cells in a fresh copy. Whether nothing but the cells was compiled.
fn check(helpers: &Path, flavor: Flavor, screen: &mut Screen) -> Result<bool> {
    let ingredients = Ingredients::look(helpers, flavor, &crate::base::paths::cache()?)?;
    let template = super::find(helpers, flavor)?
        .context("the template vanished again: is something else clearing the cache?")?;
    let start = Instant::now();
    let copy = template.checkout()?;
    screen.line(&format!("{}: copied in {:.3} s", flavor.name(), start.elapsed().as_secs_f64()));
    let folder = copy.path().parent().context("a checkout lies in a folder")?.to_path_buf();
    let report = Task::new(&ingredients, copy.path(), copy.environment())?.run(
        &folder,
        None,
        &mut |_| {},
    )?;
    let steps: Vec<String> =
        report.steps.iter().map(|(step, seconds)| format!("{step} {seconds:.2} s")).collect();
    screen.line(&format!("{}: {}", flavor.name(), steps.join(", ")));
    if report.compiled.is_empty() {
        screen.line(&format!("{}: warm, nothing but the cells was compiled", flavor.name()));
    } else {
        eprintln!(
            "{}: not warm, these crates were compiled again: {}",
            flavor.name(),
            report.compiled.join(" ")
        );
    }
    Ok(report.compiled.is_empty())
}

/// Progress that overwrites itself on a terminal and is a list of lines elsewhere.
struct Screen {
    quiet: bool,
    terminal: bool,
    unfinished: bool,
}

impl Screen {
    fn new(quiet: bool) -> Screen {
        Screen { quiet, terminal: std::io::stdout().is_terminal(), unfinished: false }
    }

    fn progress(&mut self, text: &str) {
        if self.terminal && !self.quiet {
            print!("\r\x1b[K{text}");
            let _ = std::io::stdout().flush();
            self.unfinished = true;
        } else {
            self.line(text);
        }
    }

    fn line(&mut self, text: &str) {
        if self.quiet {
            return;
        }
        let clear = if std::mem::take(&mut self.unfinished) { "\r\x1b[K" } else { "" };
        println!("{clear}{text}");
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        if self.unfinished {
            println!();
        }
    }
}
