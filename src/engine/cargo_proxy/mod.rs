//! A stand-in for cargo that our kernel gives to rust-analyzer.
//!
//! rust-analyzer asks `cargo metadata` for the crates and reads all their sources before it can
//! infer a single type. Of the 60 crates below the helper crate, cells use a dozen; the others are
//! parsers for procedural macros, dependencies of build scripts, bindings to the operating system.
//! We leave those out of the answer ([`metadata`]), and replace the sources of the rest by
//! skeletons (`crate::engine::skeleton`). Compilation is not affected: the engine's own cargo sees
//! everything.
//!
//! Each time it reads a manifest, rust-analyzer sends cargo eight queries, for which cargo starts
//! rustc a dozen times. The answers are the same for every kernel, so we cache them ([`answers`]).
//!
//! rust-analyzer runs the cargo of rustup's toolchain. So the kernel creates a folder that rustup
//! accepts as a toolchain, in which `cargo` is this binary ([`Proxy::install`]), and names it in
//! its own environment, but not in that of the user's code. Without rustup, rust-analyzer uses the
//! variable `CARGO`.

mod answers;
mod metadata;

use crate::base::process::shell_quoted;
use anyhow::{Context, Result, bail};
use std::ffi::OsString;
use std::io::Write;
use std::os::unix::fs::{OpenOptionsExt, symlink};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};
use std::sync::OnceLock;

/// Environment variable with the path of the real cargo.
const REAL: &str = "PARCOURSE_CARGO";
const TOOLCHAIN: &str = "RUSTUP_TOOLCHAIN";

/// The original values of the variables, once a proxy is active in this process.
static ORIGINAL: OnceLock<[(&str, Option<OsString>); 4]> = OnceLock::new();

/// A toolchain whose cargo is this binary.
#[derive(Debug)]
pub struct Proxy {
    active: [(&'static str, PathBuf); 4],
    original: [(&'static str, Option<OsString>); 4],
}

impl Proxy {
    /// Creates a toolchain in the folder that uses this `cargo` and `rustc`. `environment`: the
    /// values that child processes should see, if they differ from those of this process.
    ///
    /// # Errors
    /// If the folder is not writable, or if rustup does not accept a folder as a toolchain, as old
    /// versions do not.
    pub fn install(
        folder: &Path,
        cargo: &Path,
        rustc: &Path,
        environment: &[(&'static str, OsString)],
    ) -> Result<Proxy> {
        let program = std::env::current_exe().context("failed to find the running program")?;
        let programs = folder.join("bin");
        let install = || {
            std::fs::create_dir_all(&programs)?;
            symlink(program, programs.join("cargo"))?;
            // Not a link, because the compiler would look for its libraries beside the link.
            let mut script = std::fs::OpenOptions::new()
                .write(true)
                .create_new(true)
                .mode(0o755)
                .open(programs.join("rustc"))?;
            writeln!(
                script,
                "#!/bin/sh\nexec {} \"$@\"",
                shell_quoted(&rustc.display().to_string())
            )
        };
        install().with_context(|| format!("failed to write in {}", folder.display()))?;
        let ours = programs.join("cargo");
        if let Ok(answer) =
            Command::new("rustup").args(["which", "cargo"]).env(TOOLCHAIN, folder).output()
            && answer.stdout.trim_ascii() != ours.as_os_str().as_encoded_bytes()
        {
            bail!(
                "rustup does not accept {} as a toolchain: {}",
                folder.display(),
                String::from_utf8_lossy(&answer.stderr).trim()
            );
        }
        let active = [
            (TOOLCHAIN, folder.to_owned()),
            ("CARGO", ours),
            ("RUSTC", rustc.to_owned()),
            (REAL, cargo.to_owned()),
        ];
        let original = |name: &'static str| {
            let given = environment
                .iter()
                .find(|(known, _)| *known == name)
                .map(|(_, value)| value.clone());
            (name, given.or_else(|| std::env::var_os(name)))
        };
        let original = [TOOLCHAIN, "CARGO", "RUSTC", REAL].map(original);
        Ok(Proxy { active, original })
    }

    /// Makes rust-analyzer in this process use this binary as cargo. See [`bypass`] for child
    /// processes.
    ///
    /// # Safety
    /// The same as for [`std::env::set_var`].
    pub unsafe fn activate(&self) {
        ORIGINAL.get_or_init(|| self.original.clone());
        // SAFETY: guaranteed by the caller.
        self.active.iter().for_each(|(name, value)| unsafe { std::env::set_var(name, value) });
    }
}

/// Makes the child find cargo and rustc as if there were no proxy.
pub fn bypass(command: &mut Command) {
    for (name, value) in ORIGINAL.get().into_iter().flatten() {
        match value {
            Some(value) => command.env(name, value),
            None => command.env_remove(name),
        };
    }
}

/// Acts as cargo if this process was started in its place.
pub fn hook() -> Option<ExitCode> {
    let mut arguments = std::env::args_os();
    if !Path::new(&arguments.next()?).ends_with("cargo") {
        return None;
    }
    let cargo = PathBuf::from(std::env::var_os(REAL)?);
    let arguments: Vec<OsString> = arguments.collect();
    let mut command = Command::new(&cargo);
    command.args(&arguments).env_remove(REAL);
    // Like rustup's own cargo: child processes use the same toolchain.
    if let Some(root) =
        cargo.parent().and_then(Path::parent).filter(|root| root.join("lib").is_dir())
    {
        command.env(TOOLCHAIN, root);
    }
    let directory = std::env::var_os("EVCXR_TMPDIR").map(PathBuf::from).unwrap_or_default();
    if !answers::is_query(&arguments) {
        let error = command.exec();
        eprintln!("error: failed to start {}: {error}", cargo.display());
        return Some(ExitCode::from(101));
    }
    let query = answers::Query::new(&arguments, &cargo, &directory);
    if let Some(answer) = query.cached() {
        return Some(ExitCode::from(if std::io::stdout().write_all(&answer).is_ok() {
            0
        } else {
            101
        }));
    }
    let output = match command.stdin(Stdio::inherit()).stderr(Stdio::inherit()).output() {
        Ok(output) => output,
        Err(error) => {
            eprintln!("error: failed to start {}: {error}", cargo.display());
            return Some(ExitCode::from(101));
        }
    };
    let mut answer = output.stdout;
    // An answer of unknown form is passed on unchanged.
    if asks_for_crates(&arguments, &directory.join("Cargo.toml"))
        && let Some(mut seen) = metadata::as_cells_see_it(&answer)
    {
        if let Some(rustc) = std::env::var_os("RUSTC") {
            // Without skeletons, rust-analyzer reads the whole sources.
            let _ = crate::engine::skeleton::redirect(&mut seen, Path::new(&rustc));
        }
        answer = serde_json::to_vec(&seen).unwrap_or(answer);
    }
    if output.status.success() {
        query.store(&answer);
    }
    let written = std::io::stdout().write_all(&answer);
    let code = output.status.code().and_then(|code| u8::try_from(code).ok()).unwrap_or(101);
    Some(ExitCode::from(if written.is_ok() { code } else { 101 }))
}

/// Whether this is rust-analyzer's query for the crates of the cells' manifest.
fn asks_for_crates(arguments: &[OsString], manifest: &Path) -> bool {
    let asks = |word: &str| arguments.iter().any(|argument| argument == word);
    let of = arguments
        .windows(2)
        .find(|pair| pair[0] == "--manifest-path")
        .map(|pair| Path::new(&pair[1]));
    asks("metadata") && !asks("--no-deps") && of.is_some_and(|of| of == manifest)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asks(line: &str) -> bool {
        let arguments: Vec<OsString> = line.split_whitespace().map(OsString::from).collect();
        asks_for_crates(&arguments, Path::new("/k/work/Cargo.toml"))
    }

    #[test]
    fn only_rust_analyzers_query_gets_another_answer() {
        assert!(asks(
            "metadata --format-version 1 --manifest-path /k/work/Cargo.toml --filter-platform x"
        ));
        for other in [
            "metadata --no-deps --manifest-path /k/work/Cargo.toml",
            "metadata",
            "rustc --manifest-path /k/work/Cargo.toml",
        ] {
            assert!(!asks(other), "{other}");
        }
        assert!(
            !asks("metadata --manifest-path /home/learner/Cargo.toml"),
            "another program's manifest"
        );
    }

    #[test]
    fn child_processes_see_the_original_toolchain() {
        let folder = tempfile::tempdir().unwrap();
        let proxy = Proxy::install(
            &folder.path().join("toolchain"),
            Path::new("/r/bin/cargo"),
            Path::new("/r/bin/it's rustc"),
            &[(TOOLCHAIN, "1.95".into())],
        )
        .unwrap();
        let script = std::fs::read_to_string(folder.path().join("toolchain/bin/rustc")).unwrap();
        assert_eq!(script, "#!/bin/sh\nexec '/r/bin/it'\\''s rustc' \"$@\"\n");
        let original =
            |name: &str| proxy.original.iter().find(|(known, _)| *known == name).unwrap().1.clone();
        assert_eq!(original(TOOLCHAIN), Some("1.95".into()));
        assert_eq!(original(REAL), None);
        assert_eq!(original("CARGO"), std::env::var_os("CARGO"));
    }
}
