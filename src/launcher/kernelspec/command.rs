//! `parcourse kernel install`, `uninstall` and `list`.

use super::locations::{self, Location};
use super::spec::{self, Contents, Spec};
use crate::base::paths::HelpersArgument;
use anyhow::{Context, Result, bail};
use clap::{Args, Subcommand};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// What to do with the kernel's registration.
#[derive(Subcommand)]
pub enum Action {
    /// Register the kernel with Jupyter
    Install(InstallArguments),
    /// Unregister the kernel; kernels of other programs are left alone
    Uninstall(UninstallArguments),
    /// List the kernels Jupyter finds and mark ours
    List(ListArguments),
}

/// Where the kernel is registered: the user's own folder by default.
#[derive(Args)]
pub struct LocationArguments {
    /// Use your own Jupyter folder [default]
    #[arg(long, group = "location")]
    user: bool,
    /// Use the Python environment (or other prefix) at PREFIX
    #[arg(long, value_name = "PREFIX", group = "location")]
    prefix: Option<PathBuf>,
    /// Use the Python environment of the `python3` on PATH
    #[arg(long, group = "location")]
    sys_prefix: bool,
}

impl LocationArguments {
    fn chosen(&self) -> Option<Location> {
        match &self.prefix {
            Some(prefix) => Some(Location::Prefix(prefix.clone())),
            None if self.sys_prefix => Some(Location::SysPrefix),
            None if self.user => Some(Location::User),
            None => None,
        }
    }
}

#[derive(Args)]
pub struct InstallArguments {
    #[command(flatten)]
    location: LocationArguments,
    /// Name of the kernel; the notebooks of the course ask for `rust`
    #[arg(long, default_value = "parcourse")]
    name: String,
    /// Name that Jupyter displays
    #[arg(long, default_value = "Rust (Parcourse)")]
    display_name: String,
    #[command(flatten)]
    helpers: HelpersArgument,
    /// Replace a kernel of another program that has the same name
    #[arg(long)]
    force: bool,
}

#[derive(Args)]
pub struct UninstallArguments {
    #[command(flatten)]
    location: LocationArguments,
    /// Name of the kernel
    #[arg(long, default_value = "parcourse")]
    name: String,
}

#[derive(Args)]
pub struct ListArguments {
    #[command(flatten)]
    location: LocationArguments,
}

/// Runs the subcommand.
pub fn main(action: Action) -> Result<ExitCode> {
    match action {
        Action::Install(arguments) => install(&arguments),
        Action::Uninstall(arguments) => uninstall(&arguments),
        Action::List(arguments) => list(&arguments),
    }
}

fn install(arguments: &InstallArguments) -> Result<ExitCode> {
    let kernels = arguments.location.chosen().unwrap_or(Location::User).kernels()?;
    let helpers = find_helpers(&arguments.helpers)?;
    let contents = Contents { display_name: &arguments.display_name, helpers: helpers.as_deref() };
    let folder = spec::write(&kernels, &arguments.name, contents, arguments.force)?;
    println!("installed `{}` in {}", arguments.name, folder.display());
    if helpers.is_none() {
        println!(
            "found no helper crate: kernels will look for `helpers` next to each notebook's \
            folder and start slowly elsewhere"
        );
    }
    if !locations::is_searched(&kernels) {
        println!(
            "Jupyter finds it if JUPYTER_PATH contains {}, or if Jupyter is installed in that \
            prefix",
            parent(&kernels).display()
        );
    }
    Ok(ExitCode::SUCCESS)
}

fn uninstall(arguments: &UninstallArguments) -> Result<ExitCode> {
    let kernels = arguments.location.chosen().unwrap_or(Location::User).kernels()?;
    match Spec::read(&kernels.join(&arguments.name)) {
        Some(found) => spec::remove(&found)?,
        None => bail!(
            "no kernel `{}` in {}: `parcourse kernel list` shows all kernels",
            arguments.name,
            kernels.display()
        ),
    }
    println!("removed `{}` from {}", arguments.name, kernels.display());
    Ok(ExitCode::SUCCESS)
}

fn list(arguments: &ListArguments) -> Result<ExitCode> {
    let folders = match arguments.location.chosen() {
        Some(location) => vec![location.kernels()?],
        None => locations::all(),
    };
    let found: Vec<Spec> = folders.iter().flat_map(|folder| specs_in(folder)).collect();
    if found.is_empty() {
        println!(
            "no kernels in {}",
            folders
                .iter()
                .map(|folder| folder.display().to_string())
                .collect::<Vec<_>>()
                .join(", ")
        );
    }
    let width = found.iter().map(|spec| spec.name.len()).max().unwrap_or(0);
    for spec in &found {
        let whose = if spec.ours { "ours " } else { "other" };
        let note = match &spec.program {
            Some(program) if !spec.program_exists() => {
                format!("  BROKEN: {} does not exist", program.display())
            }
            None => "  BROKEN: kernel.json names no program".to_owned(),
            Some(_) => String::new(),
        };
        println!("{:width$}  {whose}  {}{note}", spec.name, spec.folder.display());
    }
    Ok(ExitCode::SUCCESS)
}

/// Returns all kernels in Jupyter's search paths.
pub fn registered() -> Vec<Spec> {
    locations::all().iter().flat_map(|folder| specs_in(folder)).collect()
}

fn specs_in(kernels: &Path) -> Vec<Spec> {
    let mut folders: Vec<PathBuf> = std::fs::read_dir(kernels)
        .into_iter()
        .flatten()
        .flatten()
        .map(|entry| entry.path())
        .filter(|path| path.is_dir())
        .collect();
    folders.sort();
    folders.iter().filter_map(|folder| Spec::read(folder)).collect()
}

fn find_helpers(argument: &HelpersArgument) -> Result<Option<PathBuf>> {
    let here = std::env::current_dir().context("failed to find the current folder")?;
    let found = crate::base::paths::find_helpers(argument.helpers.as_deref(), &here);
    if let Some(named) = &argument.helpers
        && found != named.canonicalize().ok()
    {
        bail!(
            "{} is not the helper crate: it has no Cargo.toml for the package `parcourse`",
            named.display()
        );
    }
    Ok(found)
}

fn parent(folder: &Path) -> &Path {
    folder.parent().unwrap_or(folder)
}
