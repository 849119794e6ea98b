//! What stands between rust-analyzer and cargo in our kernel.
//!
//! rust-analyzer asks `cargo metadata` which crates there are, and reads the sources of all of them
//! before it can tell a single type. Of the helper crate's 60, cells see a dozen: the others are
//! procedural macros' parsers, build scripts, bindings to the operating system. Here they are left
//! out of the answer ([`metadata`]), and of those that stay the answer names skeletons
//! (`crate::engine::skeleton`) instead of the sources. Compiling is not concerned: the engine's cargo is
//! told of everything.
//!
//! Each time it reads a manifest, rust-analyzer has cargo answer eight questions, for which cargo
//! starts rustc a dozen times. The answers are the same for every kernel, so they are kept
//! ([`answers`]).
//!
//! rust-analyzer takes cargo from where rustup has it. So the kernel makes a folder that rustup
//! accepts as a toolchain, in which `cargo` is this binary ([`Proxy::install`]), and names it in
//! its own environment, not in that of the user's code. Where rustup is not used, rust-analyzer
//! follows the variable `CARGO`.

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

/// Names the real cargo; set for rust-analyzer's sake only.
const REAL: &str = "PARCOURSE_CARGO";
const TOOLCHAIN: &str = "RUSTUP_TOOLCHAIN";

/// What the variables are for everybody else, once this process has entered a proxy.
static OUTSIDE: OnceLock<[(&str, Option<OsString>); 4]> = OnceLock::new();

/// A toolchain whose cargo is this binary.
#[derive(Debug)]
pub struct Proxy {
    inside: [(&'static str, PathBuf); 4],
    outside: [(&'static str, Option<OsString>); 4],
}

impl Proxy {
    /// Makes the folder, and a toolchain of it that does what the real one with this `cargo` and
    /// `rustc` does. `environment`: what everybody else is to find, where it is not what this
    /// process has now.
    ///
    /// # Errors
    /// When the folder cannot be written, and when rustup takes no folder for a toolchain, as old
    /// ones do not.
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
            // Not a link: the compiler would look for its libraries beside it.
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
                "rustup does not take {} for a toolchain: {}",
                folder.display(),
                String::from_utf8_lossy(&answer.stderr).trim()
            );
        }
        let inside = [
            (TOOLCHAIN, folder.to_owned()),
            ("CARGO", ours),
            ("RUSTC", rustc.to_owned()),
            (REAL, cargo.to_owned()),
        ];
        let outside = |name: &'static str| {
            let given = environment
                .iter()
                .find(|(known, _)| *known == name)
                .map(|(_, value)| value.clone());
            (name, given.or_else(|| std::env::var_os(name)))
        };
        let outside = [TOOLCHAIN, "CARGO", "RUSTC", REAL].map(outside);
        Ok(Proxy { inside, outside })
    }

    /// Has this process's rust-analyzer take this binary for cargo. [`keep_out_of`] says who does
    /// not.
    ///
    /// # Safety
    /// As for [`std::env::set_var`].
    pub unsafe fn enter(&self) {
        OUTSIDE.get_or_init(|| self.outside.clone());
        // SAFETY: as the caller says.
        self.inside.iter().for_each(|(name, value)| unsafe { std::env::set_var(name, value) });
    }
}

/// The child finds cargo and rustc as if there were no proxy.
pub fn keep_out_of(command: &mut Command) {
    for (name, value) in OUTSIDE.get().into_iter().flatten() {
        match value {
            Some(value) => command.env(name, value),
            None => command.env_remove(name),
        };
    }
}

/// Becomes cargo when this process was started in its place.
pub fn hook() -> Option<ExitCode> {
    let mut arguments = std::env::args_os();
    if !Path::new(&arguments.next()?).ends_with("cargo") {
        return None;
    }
    let cargo = PathBuf::from(std::env::var_os(REAL)?);
    let arguments: Vec<OsString> = arguments.collect();
    let mut command = Command::new(&cargo);
    command.args(&arguments).env_remove(REAL);
    // As rustup's own cargo would have it: what cargo starts is of its own toolchain.
    if let Some(root) =
        cargo.parent().and_then(Path::parent).filter(|root| root.join("lib").is_dir())
    {
        command.env(TOOLCHAIN, root);
    }
    let directory = std::env::var_os("EVCXR_TMPDIR").map(PathBuf::from).unwrap_or_default();
    if !answers::is_question(&arguments) {
        let error = command.exec();
        eprintln!("error: failed to start {}: {error}", cargo.display());
        return Some(ExitCode::from(101));
    }
    let question = answers::Question::new(&arguments, &cargo, &directory);
    if let Some(answer) = question.known() {
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
    // An answer in another form than we know is passed on as it is.
    if asks_for_crates(&arguments, &directory.join("Cargo.toml"))
        && let Some(mut seen) = metadata::as_cells_see_it(&answer)
    {
        if let Some(rustc) = std::env::var_os("RUSTC") {
            // Without skeletons everything is read.
            let _ = crate::engine::skeleton::redirect(&mut seen, Path::new(&rustc));
        }
        answer = serde_json::to_vec(&seen).unwrap_or(answer);
    }
    if output.status.success() {
        question.keep(&answer);
    }
    let written = std::io::stdout().write_all(&answer);
    let code = output.status.code().and_then(|code| u8::try_from(code).ok()).unwrap_or(101);
    Some(ExitCode::from(if written.is_ok() { code } else { 101 }))
}

/// Whether this is rust-analyzer's question for the crates of the cells' manifest.
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
    fn only_rust_analyzers_question_is_answered_otherwise() {
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
        assert!(!asks("metadata --manifest-path /home/learner/Cargo.toml"), "somebody else's");
    }

    #[test]
    fn everybody_else_sees_the_toolchain_that_was_there() {
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
        let outside =
            |name: &str| proxy.outside.iter().find(|(known, _)| *known == name).unwrap().1.clone();
        assert_eq!(outside(TOOLCHAIN), Some("1.95".into()));
        assert_eq!(outside(REAL), None);
        assert_eq!(outside("CARGO"), std::env::var_os("CARGO"));
    }
}
