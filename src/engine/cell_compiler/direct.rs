//! Compiles a cell without cargo.
//!
//! For a cell such as `1 + 1`, cargo takes as long as the compiler: it reads all manifests, the
//! lock file and the state of 50 crates, only to find that nothing but the cell has changed. So
//! when cargo compiles a cell, we record its [`CompileCommand`]: the compiler's command line and
//! environment, and everything that these depend on. At the next cell the engine starts us in place
//! of cargo. If nothing has changed, we run that compiler at once. Otherwise, or in doubt, cargo
//! does it.
//!
//! The record is a file beside the kernel's private build directory. We ignore files of other
//! users.

use crate::base::{paths, trust};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, BTreeSet};
use std::ffi::{OsStr, OsString};
use std::io::Write;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::time::{SystemTime, UNIX_EPOCH};

/// Environment variable with the path of the record; set only for cargo.
pub const RECORD: &str = "PARCOURSE_COMPILE_COMMAND";
/// Environment variable with the [`fingerprint`] and the time at which cargo was started.
pub const STATE: &str = "PARCOURSE_COMPILE_STATE";

/// Environment variable with the file from which the engine reads the path of the compiled object.
const OBJECT: &str = "EVCXR_EXECUTION_SO_PATH";
/// Variables for cargo's jobserver, which ends with cargo.
const JOBSERVER: [&str; 3] = ["CARGO_MAKEFLAGS", "MAKEFLAGS", "MFLAGS"];

/// The command with which cargo compiled a cell.
#[derive(Serialize, Deserialize)]
struct CompileCommand {
    fingerprint: String,
    compiler: String,
    arguments: Vec<String>,
    environment: BTreeMap<String, String>,
    /// Editable sources of dependencies, manifests, cargo's configuration, compiled crates.
    files: BTreeMap<PathBuf, Option<Stamp>>,
}

/// Distinguishes a file from later versions of it.
#[derive(Serialize, Deserialize, PartialEq, Clone)]
struct Stamp {
    size: u64,
    modified: (i64, i64),
}

impl Stamp {
    /// `None` if there is no such file.
    fn of(file: &Path) -> Option<Stamp> {
        let metadata = std::fs::metadata(file).ok()?;
        Some(Stamp { size: metadata.len(), modified: (metadata.mtime(), metadata.mtime_nsec()) })
    }

    fn is_older_than(&self, moment: u128) -> bool {
        (self.modified.0 as u128) * 1_000_000_000 + (self.modified.1 as u128) < moment
    }
}

/// Runs the compiler if cargo is not needed. Called in place of cargo, with its arguments. Returns
/// `None` if cargo must do it.
pub fn compile(arguments: &[OsString], library: &OsString) -> Option<ExitCode> {
    let file = PathBuf::from(std::env::var_os(RECORD)?);
    if !arguments.iter().any(|argument| argument == "build") {
        return None;
    }
    let fingerprint = fingerprint(arguments)?;
    let command =
        read(&file).filter(|command| command.fingerprint == fingerprint && command.is_current());
    if let Some(command) = command
        && name_object(&command.arguments).is_some()
    {
        let mut rustc = Command::new(&command.compiler);
        rustc.env_clear().envs(&command.environment);
        return Some(super::compile(
            &mut rustc,
            command.arguments.into_iter().map(OsString::from).collect(),
            library,
        ));
    }
    // SAFETY: this process has a single thread and is about to become cargo.
    unsafe { std::env::set_var(STATE, format!("{fingerprint} {}", now())) };
    None
}

/// Records the command with which cargo compiles a cell, for the next cell.
pub fn record(compiler: &OsStr, arguments: &[OsString]) {
    let (Some(file), Some(state)) = (std::env::var_os(RECORD), std::env::var(STATE).ok()) else {
        return;
    };
    // Without a record, cargo compiles the next cell, too.
    let _ = std::fs::remove_file(&file);
    if let Some(command) = CompileCommand::of(&state, compiler, arguments) {
        let _ = command.write(Path::new(&file));
    }
}

impl CompileCommand {
    /// `None` if a dependency cannot be watched for changes.
    fn of(state: &str, compiler: &OsStr, arguments: &[OsString]) -> Option<CompileCommand> {
        let (fingerprint, asked) = state.split_once(' ')?;
        let asked: u128 = asked.parse().ok()?;
        let here = std::env::current_dir().ok()?;
        let cargo_home = paths::cargo_home()?;
        let mut watched = sources(&here, &cargo_home)?;
        let manifests: Vec<PathBuf> = watched
            .iter()
            .flat_map(|file| file.ancestors().skip(1))
            .map(|folder| folder.join("Cargo.toml"))
            .collect();
        watched.extend(manifests);
        for folder in here.ancestors().map(|folder| folder.join(".cargo")).chain([cargo_home]) {
            watched.extend(["config", "config.toml"].map(|name| folder.join(name)));
        }
        watched.insert(compiler.into());
        let externs = arguments
            .windows(2)
            .filter(|pair| pair[0] == "--extern")
            .filter_map(|pair| pair[1].to_str()?.split_once('='));
        watched.extend(externs.map(|(_, path)| PathBuf::from(path)));
        // If a source was edited while cargo was running, we do not know which version cargo used.
        let edited = |file: &PathBuf| {
            !file.starts_with(&here)
                && Stamp::of(file).is_some_and(|stamp| !stamp.is_older_than(asked))
        };
        if watched.iter().any(edited) {
            return None;
        }
        let ours = JOBSERVER.iter().chain(&[super::VARIABLE, RECORD, STATE]);
        let mut environment: BTreeMap<String, String> = std::env::vars_os()
            .map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
            .collect::<Option<_>>()?;
        ours.for_each(|name| drop(environment.remove(*name)));
        Some(CompileCommand {
            fingerprint: fingerprint.to_owned(),
            compiler: compiler.to_str()?.to_owned(),
            arguments: arguments
                .iter()
                .map(|argument| argument.to_str().map(str::to_owned))
                .collect::<Option<_>>()?,
            environment,
            files: watched.into_iter().map(|file| (file.clone(), Stamp::of(&file))).collect(),
        })
    }

    fn is_current(&self) -> bool {
        self.files.iter().all(|(file, stamp)| Stamp::of(file) == *stamp)
    }

    /// Writes the file atomically, readable by this user only.
    fn write(&self, file: &Path) -> std::io::Result<()> {
        let partial = file.with_extension("partial");
        let _ = std::fs::remove_file(&partial);
        let mut out =
            std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&partial)?;
        out.write_all(&serde_json::to_vec(self)?)?;
        std::fs::rename(&partial, file)
    }
}

/// Reads the record, if it is a file of this user that no other user can write to.
fn read(file: &Path) -> Option<CompileCommand> {
    let metadata = std::fs::symlink_metadata(file).ok()?;
    let is_ours =
        metadata.is_file() && metadata.uid() == trust::user() && metadata.mode() & 0o022 == 0;
    is_ours.then(|| serde_json::from_slice(&std::fs::read(file).ok()?).ok()).flatten()
}

/// A hash of cargo's arguments, working directory, environment and manifest.
fn fingerprint(arguments: &[OsString]) -> Option<String> {
    let mut hash = Sha256::new();
    let mut add = |bytes: &[u8]| {
        hash.update(bytes.len().to_le_bytes());
        hash.update(bytes);
    };
    arguments.iter().for_each(|argument| add(argument.as_encoded_bytes()));
    add(std::env::current_dir().ok()?.as_os_str().as_encoded_bytes());
    let environment: BTreeMap<OsString, OsString> = std::env::vars_os().collect();
    environment.iter().for_each(|(name, value)| {
        add(name.as_encoded_bytes());
        add(value.as_encoded_bytes());
    });
    for file in ["Cargo.toml", "Cargo.lock", ".cargo/config.toml"] {
        add(&std::fs::read(file).ok()?);
    }
    Some(crate::base::hash::hex(&hash.finalize()))
}

/// The editable sources of dependencies: all but those that cargo has downloaded, which cargo does
/// not check either. They come from the compiler's dep-info files. `None` if an editable dependency
/// has a build script, which may depend on anything.
fn sources(here: &Path, cargo_home: &Path) -> Option<BTreeSet<PathBuf>> {
    let downloaded = [cargo_home.join("registry"), cargo_home.join("git")];
    let may_be_edited = |file: &PathBuf| {
        !file.starts_with(here) && !downloaded.iter().any(|folder| file.starts_with(folder))
    };
    let target = here.join("target");
    let profiles: Vec<PathBuf> =
        folders(&target).into_iter().chain([target]).map(|folder| folder.join("debug")).collect();
    let mut found = BTreeSet::new();
    for list in profiles.iter().flat_map(|profile| dep_infos(&profile.join("deps"))) {
        // The cell's own dep-info has relative paths.
        let cell = list
            .file_stem()
            .is_some_and(|name| name == "ctx" || name.as_encoded_bytes().starts_with(b"ctx-"));
        for file in listed(&list).filter(|_| !cell) {
            if file.is_relative() {
                return None;
            }
            found.extend(Some(file).filter(may_be_edited));
        }
    }
    let scripts = profiles
        .iter()
        .flat_map(|profile| folders(&profile.join("build")))
        .flat_map(|folder| dep_infos(&folder));
    let editable = scripts
        .flat_map(|list| listed(&list))
        .any(|file| file.is_relative() || may_be_edited(&file));
    (!editable).then_some(found)
}

/// The files in a dep-info file: those on a line of their own, `FILE:`.
fn listed(list: &Path) -> impl Iterator<Item = PathBuf> + use<> {
    let text = std::fs::read_to_string(list).unwrap_or_default();
    let lines: Vec<PathBuf> = text
        .lines()
        .filter_map(|line| line.strip_suffix(':').filter(|line| !line.starts_with('#')))
        .map(|line| PathBuf::from(line.replace("\\ ", " ")))
        .collect();
    lines.into_iter()
}

fn dep_infos(folder: &Path) -> Vec<PathBuf> {
    entries(folder)
        .filter(|path| path.extension().is_some_and(|extension| extension == "d"))
        .collect()
}

fn folders(folder: &Path) -> Vec<PathBuf> {
    entries(folder).filter(|path| path.is_dir()).collect()
}

fn entries(folder: &Path) -> impl Iterator<Item = PathBuf> + use<> {
    std::fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path())
}

/// Tells the engine where the object will be, as cargo's messages would.
fn name_object(arguments: &[String]) -> Option<()> {
    let folder =
        arguments.windows(2).find(|pair| pair[0] == "--out-dir").map(|pair| Path::new(&pair[1]))?;
    let name = format!("{}ctx{}", std::env::consts::DLL_PREFIX, std::env::consts::DLL_SUFFIX);
    let object = folder.join(name);
    std::fs::write(std::env::var_os(OBJECT)?, object.as_os_str().as_encoded_bytes()).ok()
}

fn now() -> u128 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_nanos()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder_with(files: &[(&str, &str)]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for (name, text) in files {
            let path = folder.path().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }
        folder
    }

    #[test]
    fn editable_sources_are_watched() {
        let folder = folder_with(&[
            (
                "target/x86/debug/deps/mine.d",
                "o: /h/a\\ b.rs\n\n/h/a\\ b.rs:\n/c/registry/src/x.rs:\n# env-dep:OUT_DIR=a:\n",
            ),
            ("target/debug/deps/ctx.d", "o: src/lib.rs\n\nsrc/lib.rs:\n"),
            (
                "target/debug/build/x-1/build_script_build-1.d",
                "o: /c/registry/x/build.rs\n\n/c/registry/x/build.rs:\n",
            ),
        ]);
        assert_eq!(
            sources(folder.path(), Path::new("/c")).unwrap(),
            BTreeSet::from([PathBuf::from("/h/a b.rs")])
        );
    }

    #[test]
    fn what_cannot_be_watched_is_left_to_cargo() {
        let script = folder_with(&[(
            "target/debug/build/x-1/build_script_build-1.d",
            "o: /h/build.rs\n\n/h/build.rs:\n",
        )]);
        assert_eq!(sources(script.path(), Path::new("/c")), None);
        let relative =
            folder_with(&[("target/debug/deps/mine.d", "o: src/mine.rs\n\nsrc/mine.rs:\n")]);
        assert_eq!(sources(relative.path(), Path::new("/c")), None);
    }

    #[test]
    fn a_record_that_others_could_have_written_is_ignored() {
        use std::os::unix::fs::PermissionsExt;
        let folder = folder_with(&[("watched", "1")]);
        let (file, watched) = (folder.path().join("record.json"), folder.path().join("watched"));
        let files = BTreeMap::from([
            (watched.clone(), Stamp::of(&watched)),
            (folder.path().join("none"), None),
        ]);
        let (compiler, arguments, environment) =
            (String::from("rustc"), Vec::new(), BTreeMap::new());
        CompileCommand { fingerprint: String::new(), compiler, arguments, environment, files }
            .write(&file)
            .unwrap();
        assert!(read(&file).is_some_and(|command| command.is_current()));
        std::fs::write(&watched, "other").unwrap();
        assert!(read(&file).is_some_and(|command| !command.is_current()));
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o620)).unwrap();
        assert!(read(&file).is_none());
    }
}
