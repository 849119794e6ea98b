//! Compiling a cell without cargo.
//!
//! For a cell such as `1 + 1`, cargo takes as long as the compiler: it reads all manifests, the
//! lock file and the state of 50 crates, only to find that the cell has changed and nothing else.
//! So when cargo has the cell compiled, we note how ([`Notes`]): the compiler's command line and
//! environment, and all that these depend on. At the next cell the engine starts us in place of
//! cargo; if all of it is as it was, we become that compiler at once. Else, or in doubt, cargo is
//! asked, as ever.
//!
//! The notes lie beside the kernel's build directory, which is private. Notes of somebody else are
//! not followed.

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

/// Names the file of the notes; set for cargo only.
pub const NOTES: &str = "PARCOURSE_CELL_NOTES";
/// What we knew when we asked cargo: the [`fingerprint`], and when that was.
pub const STATE: &str = "PARCOURSE_CELL_STATE";

/// Where the engine looks for the name of the compiled object.
const OBJECT: &str = "EVCXR_EXECUTION_SO_PATH";
/// Cargo's pipes to its compilers, which end with it.
const JOBSERVER: [&str; 3] = ["CARGO_MAKEFLAGS", "MAKEFLAGS", "MFLAGS"];

/// How cargo had a cell compiled.
#[derive(Serialize, Deserialize)]
struct Notes {
    fingerprint: String,
    compiler: String,
    arguments: Vec<String>,
    environment: BTreeMap<String, String>,
    /// Sources of dependencies that may be edited, manifests, settings of cargo, compiled crates.
    files: BTreeMap<PathBuf, Option<Stamp>>,
}

/// Tells a file from a later version of it.
#[derive(Serialize, Deserialize, PartialEq, Clone)]
struct Stamp {
    size: u64,
    modified: (i64, i64),
}

impl Stamp {
    /// `None` when there is no such file.
    fn of(file: &Path) -> Option<Stamp> {
        let metadata = std::fs::metadata(file).ok()?;
        Some(Stamp { size: metadata.len(), modified: (metadata.mtime(), metadata.mtime_nsec()) })
    }

    fn is_older_than(&self, moment: u128) -> bool {
        (self.modified.0 as u128) * 1_000_000_000 + (self.modified.1 as u128) < moment
    }
}

/// Becomes the compiler where cargo is not needed; called in its place with its arguments. `None`:
/// ask cargo.
pub fn compile(arguments: &[OsString], library: &OsString) -> Option<ExitCode> {
    let file = PathBuf::from(std::env::var_os(NOTES)?);
    if !arguments.iter().any(|argument| argument == "build") {
        return None;
    }
    let fingerprint = fingerprint(arguments)?;
    let notes = read(&file).filter(|notes| notes.fingerprint == fingerprint && notes.are_current());
    if let Some(notes) = notes
        && name_object(&notes.arguments).is_some()
    {
        let mut rustc = Command::new(&notes.compiler);
        rustc.env_clear().envs(&notes.environment);
        return Some(super::compile(
            &mut rustc,
            notes.arguments.into_iter().map(OsString::from).collect(),
            library,
        ));
    }
    // SAFETY: this process has one thread, and is about to become cargo.
    unsafe { std::env::set_var(STATE, format!("{fingerprint} {}", now())) };
    None
}

/// Notes how cargo has a cell compiled, for the next one.
pub fn take_notes(compiler: &OsStr, arguments: &[OsString]) {
    let (Some(file), Some(state)) = (std::env::var_os(NOTES), std::env::var(STATE).ok()) else {
        return;
    };
    // Without notes the next cell is compiled by cargo, too.
    let _ = std::fs::remove_file(&file);
    if let Some(notes) = Notes::of(&state, compiler, arguments) {
        let _ = notes.write(Path::new(&file));
    }
}

impl Notes {
    /// `None` where something cannot be watched.
    fn of(state: &str, compiler: &OsStr, arguments: &[OsString]) -> Option<Notes> {
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
        // Of a source that was edited while cargo was at work it is not known whether cargo saw
        // that.
        let edited = |file: &PathBuf| {
            !file.starts_with(&here)
                && Stamp::of(file).is_some_and(|stamp| !stamp.is_older_than(asked))
        };
        if watched.iter().any(edited) {
            return None;
        }
        let ours = JOBSERVER.iter().chain(&[super::VARIABLE, NOTES, STATE]);
        let mut environment: BTreeMap<String, String> = std::env::vars_os()
            .map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
            .collect::<Option<_>>()?;
        ours.for_each(|name| drop(environment.remove(*name)));
        Some(Notes {
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

    fn are_current(&self) -> bool {
        self.files.iter().all(|(file, stamp)| Stamp::of(file) == *stamp)
    }

    /// Whole or not at all, and for this user's eyes only.
    fn write(&self, file: &Path) -> std::io::Result<()> {
        let partial = file.with_extension("partial");
        let _ = std::fs::remove_file(&partial);
        let mut out =
            std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&partial)?;
        out.write_all(&serde_json::to_vec(self)?)?;
        std::fs::rename(&partial, file)
    }
}

/// This user's notes that nobody else could have written.
fn read(file: &Path) -> Option<Notes> {
    let metadata = std::fs::symlink_metadata(file).ok()?;
    let is_ours =
        metadata.is_file() && metadata.uid() == trust::user() && metadata.mode() & 0o022 == 0;
    is_ours.then(|| serde_json::from_slice(&std::fs::read(file).ok()?).ok()).flatten()
}

/// What cargo was asked, where, in which environment, and of which manifest.
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

/// Sources of dependencies that may be edited: all but those that cargo has downloaded, which it
/// does not look at again either. From the lists that the compiler has written beside what it
/// compiled. `None` when a dependency that may be edited has a build script, which may depend on
/// anything.
fn sources(here: &Path, cargo_home: &Path) -> Option<BTreeSet<PathBuf>> {
    let downloaded = [cargo_home.join("registry"), cargo_home.join("git")];
    let may_be_edited = |file: &PathBuf| {
        !file.starts_with(here) && !downloaded.iter().any(|folder| file.starts_with(folder))
    };
    let target = here.join("target");
    let profiles: Vec<PathBuf> =
        folders(&target).into_iter().chain([target]).map(|folder| folder.join("debug")).collect();
    let mut found = BTreeSet::new();
    for list in profiles.iter().flat_map(|profile| lists(&profile.join("deps"))) {
        // The cell's own is the one with relative paths.
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
        .flat_map(|folder| lists(&folder));
    let editable = scripts
        .flat_map(|list| listed(&list))
        .any(|file| file.is_relative() || may_be_edited(&file));
    (!editable).then_some(found)
}

/// The files that a list of the compiler's names: those with a line of their own, `FILE:`.
fn listed(list: &Path) -> impl Iterator<Item = PathBuf> + use<> {
    let text = std::fs::read_to_string(list).unwrap_or_default();
    let lines: Vec<PathBuf> = text
        .lines()
        .filter_map(|line| line.strip_suffix(':').filter(|line| !line.starts_with('#')))
        .map(|line| PathBuf::from(line.replace("\\ ", " ")))
        .collect();
    lines.into_iter()
}

fn lists(folder: &Path) -> Vec<PathBuf> {
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

/// Says where the object will lie, as cargo's messages would.
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
    fn sources_that_may_be_edited_are_watched() {
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
    fn notes_that_others_could_have_written_are_not_followed() {
        use std::os::unix::fs::PermissionsExt;
        let folder = folder_with(&[("watched", "1")]);
        let (file, watched) = (folder.path().join("notes.json"), folder.path().join("watched"));
        let files = BTreeMap::from([
            (watched.clone(), Stamp::of(&watched)),
            (folder.path().join("none"), None),
        ]);
        let (compiler, arguments, environment) =
            (String::from("rustc"), Vec::new(), BTreeMap::new());
        Notes { fingerprint: String::new(), compiler, arguments, environment, files }
            .write(&file)
            .unwrap();
        assert!(read(&file).is_some_and(|notes| notes.are_current()));
        std::fs::write(&watched, "other").unwrap();
        assert!(read(&file).is_some_and(|notes| !notes.are_current()));
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o620)).unwrap();
        assert!(read(&file).is_none());
    }
}
