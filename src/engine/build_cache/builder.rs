//! Builds a template: the child process that does the work.
//!
//! It runs the engine, as a kernel would, on the cells that every notebook of the course begins
//! with. It reports on standard output, one keyword and its text per line (`total 12`, `step …`,
//! `took SECONDS STEP`). Cargo's lines and errors go to standard error.

use super::kernel_kind::KernelKind;
use super::lockfile;
use anyhow::{Context, Result, anyhow, bail};
use clap::Args;
use evcxr::{CommandContext, EvalContext};
use serde_json::Value;
use std::collections::{HashMap, HashSet};
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};
use std::time::Instant;

/// The hidden subcommand.
pub const NAME: &str = "__build-template";

/// The step in which crates are compiled.
pub const COMPILING: &str = "compiling the helper crate";

/// Arguments of the builder process.
#[derive(Args)]
pub struct BuildArguments {
    /// The helper crate's folder, without symbolic links
    #[arg(long)]
    helpers: PathBuf,
    /// The kernel whose settings to build with
    #[arg(long, value_enum)]
    kernel: KernelKind,
    /// The working directory, which is also the value of EVCXR_TMPDIR
    #[arg(long)]
    directory: PathBuf,
    /// The toolchain's cargo
    #[arg(long)]
    cargo: PathBuf,
    /// The target triple that the toolchain compiles for
    #[arg(long)]
    host: String,
    /// Resolve the dependencies first, because the directory is empty
    #[arg(long)]
    resolve: bool,
}

/// Runs the first cells of a notebook in the directory.
pub fn main(arguments: BuildArguments) -> Result<ExitCode> {
    exit_when_stdin_closes();
    if arguments.resolve {
        println!("step resolving the dependencies");
        println!("total {}", resolve(&arguments)?);
    }
    println!("step starting the engine");
    let clock = Instant::now();
    let (context, outputs) =
        EvalContext::new().map_err(|error| anyhow!("failed to start the engine: {error}"))?;
    let mut context = CommandContext::with_eval_context(context);
    for output in [outputs.stdout, outputs.stderr] {
        std::thread::spawn(move || output.iter().for_each(drop));
    }
    took("start", clock);
    // The stock kernel does this too. In a checkout its start-up file restores the lock file.
    execute(&mut context, ":load_config --quiet")?;
    if arguments.resolve || arguments.kernel == KernelKind::Parcourse {
        lockfile::restore(&arguments.directory)?;
    }
    for line in arguments.kernel.setup_commands() {
        execute(&mut context, &line)?;
    }
    println!("step {COMPILING}");
    let clock = Instant::now();
    execute(&mut context, &first_cell(&arguments.helpers))?;
    took("helpers", clock);
    println!("step running a first cell");
    let clock = Instant::now();
    execute(&mut context, "let warm = vec![1.0, 2.0];\nprintln!(\"{warm:?}\");")?;
    took("variable", clock);
    let clock = Instant::now();
    execute(&mut context, "warm.iter().sum::<f64>()")?;
    took("expression", clock);
    let clock = Instant::now();
    execute_wrong_cell(&mut context)?;
    took("error", clock);
    if arguments.resolve {
        keep_lock(&arguments.directory)?;
    }
    Ok(ExitCode::SUCCESS)
}

/// If the engine cannot infer the type of a variable, it runs `cargo check` on the cell, which once
/// checks all dependencies too.
fn execute_wrong_cell(context: &mut CommandContext) -> Result<()> {
    match context.execute("let wrong = there_is_no_such_name;") {
        Err(evcxr::Error::CompilationErrors(_)) => Ok(()),
        Err(error) => bail!("the cell that must not compile failed for another reason: {error}"),
        Ok(_) => bail!("the cell that must not compile did"),
    }
}

/// The cell that every notebook of the course begins with.
fn first_cell(helpers: &Path) -> String {
    format!(":dep {}\nuse parcourse::prelude::*;", dependency(helpers))
}

/// The helper crate as a dependency, for the engine's `:dep` or for a manifest.
pub fn dependency(helpers: &Path) -> String {
    // The engine copies it into a manifest unchanged, so it must be valid TOML.
    format!("parcourse = {{ path = {} }}", toml::Value::from(helpers.display().to_string()))
}

fn took(step: &str, since: Instant) {
    println!("took {:.3} {step}", since.elapsed().as_secs_f64());
}

fn execute(context: &mut CommandContext, cell: &str) -> Result<()> {
    match context.execute(cell) {
        Ok(_) => Ok(()),
        Err(evcxr::Error::CompilationErrors(errors)) => {
            let reports: Vec<String> = errors
                .iter()
                .map(|error| {
                    Some(error.rendered())
                        .filter(|text| !text.is_empty())
                        .unwrap_or_else(|| error.message())
                })
                .collect();
            bail!("the cell\n{cell}\ndoes not compile:\n{}", reports.join("\n"))
        }
        Err(error) => bail!("the cell\n{cell}\nfailed: {error}"),
    }
}

/// Lets cargo choose versions of the dependencies and download them; it follows the lock file in
/// the directory if there is one. Returns how many crates will be compiled.
fn resolve(arguments: &BuildArguments) -> Result<usize> {
    let directory = &arguments.directory;
    let manifest = format!(
        "[package]\nname = \"ctx\"\nversion = \"1.0.0\"\nedition = \"2024\"\n\n[lib]\ncrate-type \
         = [\"cdylib\"]\n\n[dependencies]\n{}\n",
        dependency(&arguments.helpers)
    );
    let write = |name: &str, text: &str| std::fs::write(directory.join(name), text);
    write("Cargo.toml", &manifest)
        .and_then(|()| write("src/lib.rs", ""))
        .with_context(|| format!("failed to write in {}", directory.display()))?;
    let output = Command::new(&arguments.cargo)
        .args(["metadata", "--format-version", "1", "--filter-platform", &arguments.host])
        .current_dir(directory)
        .stderr(Stdio::inherit())
        .output()
        .with_context(|| format!("failed to run {}", arguments.cargo.display()))?;
    if !output.status.success() {
        bail!(
            "cargo could not resolve the dependencies of {} (if this machine has no network, run \
             `parcourse prepare` once where there is one)",
            arguments.helpers.display()
        );
    }
    keep_lock(directory)?;
    count(&serde_json::from_slice(&output.stdout).context("cargo's metadata is not JSON")?)
        .context("cargo's metadata has an unexpected form")
}

fn keep_lock(directory: &Path) -> Result<()> {
    std::fs::copy(directory.join("Cargo.lock"), directory.join(lockfile::KEPT))
        .with_context(|| format!("failed to copy the lock file of {}", directory.display()))?;
    Ok(())
}

/// Counts the packages that the cells' package needs, without dev-dependencies.
fn count(metadata: &Value) -> Option<usize> {
    let resolve = metadata.get("resolve")?;
    let nodes = resolve.get("nodes")?.as_array()?;
    let by_id: HashMap<&str, &Value> =
        nodes.iter().filter_map(|node| Some((node.get("id")?.as_str()?, node))).collect();
    let mut waiting = vec![resolve.get("root")?.as_str()?];
    let mut seen = HashSet::new();
    while let Some(id) = waiting.pop() {
        if !seen.insert(id) {
            continue;
        }
        for dependency in by_id.get(id)?.get("deps")?.as_array()? {
            let kinds = dependency.get("dep_kinds")?.as_array()?;
            if kinds.iter().any(|kind| kind["kind"] != "dev") {
                waiting.push(dependency.get("pkg")?.as_str()?);
            }
        }
    }
    Some(seen.len() - 1)
}

/// Ends this process and everything it started when standard input ends, because then the parent is
/// gone.
fn exit_when_stdin_closes() {
    // SAFETY: setpgid only moves this process into its own group, getpid has no preconditions.
    let group = unsafe { if libc::setpgid(0, 0) == 0 { libc::getpid() } else { 0 } };
    std::thread::spawn(move || {
        let mut rest = Vec::new();
        let _ = std::io::stdin().lock().read_to_end(&mut rest);
        if group > 0 {
            // SAFETY: the group is our own, made above.
            unsafe { libc::kill(-group, libc::SIGKILL) };
        }
        std::process::exit(2);
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_the_crates_to_compile() {
        let metadata = serde_json::json!({ "resolve": { "root": "ctx", "nodes": [
            { "id": "ctx", "deps": [{ "pkg": "parcourse", "dep_kinds": [{ "kind": null }] }] },
            { "id": "parcourse", "deps": [
                { "pkg": "rayon", "dep_kinds": [{ "kind": null }, { "kind": "dev" }] },
                { "pkg": "cc", "dep_kinds": [{ "kind": "build" }] },
                { "pkg": "trybuild", "dep_kinds": [{ "kind": "dev" }] } ] },
            { "id": "rayon", "deps": [] },
            { "id": "cc", "deps": [{ "pkg": "rayon", "dep_kinds": [{ "kind": null }] }] },
            { "id": "trybuild", "deps": [] },
        ] } });
        assert_eq!(count(&metadata), Some(3));
        assert_eq!(count(&serde_json::json!({})), None);
    }

    #[test]
    fn paths_are_quoted_for_a_manifest() {
        let text = dependency(Path::new(r#"/home/o"neil/a\b"#));
        let table: toml::Table = text.parse().unwrap();
        assert_eq!(table["parcourse"]["path"].as_str(), Some(r#"/home/o"neil/a\b"#));
        assert!(
            dependency(Path::new("/plain/path")).contains("\"/plain/path\""),
            "as a notebook writes it"
        );
    }
}
