//! `parcourse prepare`: builds templates before the first kernel needs them.

use super::build::BuilderProcess;
use super::kernel_kind::KernelKind;
use super::key::CacheInputs;
use crate::base::paths::HelpersArgument;
use anyhow::{Context, Result, bail};
use clap::{Args, ValueEnum};
use std::io::{IsTerminal, Write};
use std::path::Path;
use std::process::ExitCode;
use std::time::Instant;

/// Arguments of `parcourse prepare`.
#[derive(Args)]
pub struct PrepareArguments {
    #[command(flatten)]
    helpers: HelpersArgument,
    /// The kernel to prepare for
    #[arg(
        long,
        value_name = "KERNEL",
        value_parser = ["parcourse", "evcxr", "all"],
        default_value = "parcourse"
    )]
    kernel: String,
    /// Verify the result: copy the template as a kernel does, run the first cells in the copy, and
    /// print how long they took and whether anything was compiled again
    #[arg(long)]
    check: bool,
    /// Print errors only
    #[arg(long, short)]
    quiet: bool,
}

/// Builds the missing templates. Exit code 1 if `--check` finds that kernels would not start warm.
pub fn main(arguments: PrepareArguments) -> Result<ExitCode> {
    let here = std::env::current_dir().context("failed to find the current folder")?;
    let helpers = crate::base::paths::find_helpers(arguments.helpers.helpers.as_deref(), &here)
        .context(
            "found no helper crate: run this in the course's folder, or name the crate's \
            folder with --helpers",
        )?;
    if let Some(named) = &arguments.helpers.helpers
        && named.canonicalize().ok().as_deref() != Some(&*helpers)
    {
        bail!(
            "{} is not the helper crate: its Cargo.toml does not name the package `parcourse`",
            named.display()
        );
    }
    let kinds = KernelKind::value_variants()
        .iter()
        .copied()
        .filter(|kind| ["all", kind.name()].contains(&&*arguments.kernel));
    super::sweep();
    let mut screen = Screen::new(arguments.quiet);
    let mut all_warm = true;
    for kind in kinds {
        let start = Instant::now();
        let mut built = false;
        let template = super::ensure(&helpers, kind, &mut |line| {
            built = true;
            screen.progress(&format!("{}: {line}", kind.name()));
        })?;
        let manifest = template.manifest();
        let (size, seconds) = (manifest.bytes / 1_000_000, start.elapsed().as_secs_f64());
        screen.line(&if built {
            format!(
                "{}: ready after {seconds:.1} s ({} crates, {size} MB)",
                kind.name(),
                manifest.crates
            )
        } else {
            format!(
                "{}: ready already (checked in {seconds:.2} s; {size} MB in {})",
                kind.name(),
                template.path().display()
            )
        });
        if arguments.check {
            all_warm &= check(&helpers, kind, &mut screen)?;
        }
    }
    Ok(ExitCode::from(u8::from(!all_warm)))
}

/// Runs the first cells in a fresh copy. Returns whether only the cells were compiled.
fn check(helpers: &Path, kind: KernelKind, screen: &mut Screen) -> Result<bool> {
    let inputs = CacheInputs::read(helpers, kind, &crate::base::paths::cache()?)?;
    let template = super::find(helpers, kind)?
        .context("the template has disappeared: is another program clearing the cache?")?;
    let start = Instant::now();
    let copy = template.checkout()?;
    screen.line(&format!("{}: copied in {:.3} s", kind.name(), start.elapsed().as_secs_f64()));
    let folder = copy.path().parent().context("a checkout lies in a folder")?.to_path_buf();
    let report = BuilderProcess::new(&inputs, copy.path(), copy.environment())?.run(
        &folder,
        None,
        &mut |_| {},
    )?;
    let steps: Vec<String> =
        report.steps.iter().map(|(step, seconds)| format!("{step} {seconds:.2} s")).collect();
    screen.line(&format!("{}: {}", kind.name(), steps.join(", ")));
    if report.compiled.is_empty() {
        screen.line(&format!("{}: warm, only the cells were compiled", kind.name()));
    } else {
        eprintln!(
            "{}: not warm, these crates were compiled again: {}",
            kind.name(),
            report.compiled.join(" ")
        );
    }
    Ok(report.compiled.is_empty())
}

/// Progress: one line that is rewritten on a terminal, a list of lines elsewhere.
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
