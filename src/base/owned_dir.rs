//! Directories that belong to a living process.
//!
//! An owned directory contains a file `owner`, on which every process that uses the directory holds
//! a shared lock. The operating system releases the lock when a process dies, however it dies. So a
//! process that gets the exclusive lock knows that the directory is abandoned, even if the process
//! id has been reused. The file also names its creator, for file systems without locks and for
//! other machines that see the same folder.
//!
//! A sweep deletes only what is certainly abandoned and leaves the rest for the next sweep. It
//! deletes only folders that have a name of our form (`PREFIX-PID-RANDOM`) and an owner file that
//! names the same process. If a process was killed before it could write that file, the sweep
//! deletes only the empty folder.

use crate::base::process;
use anyhow::{Context, Result};
use rustix::process::Pid;
use std::fs::{File, TryLockError};
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

const OWNER: &str = "owner";

/// The first word of an owner file.
const MARK: &str = "parcourse";

/// The number of random characters at the end of a name.
const RANDOM: usize = 8;

/// A directory without a complete owner file is left alone this long, because it may just have been
/// created.
const GRACE: Duration = Duration::from_secs(60);

/// A directory that another machine created (in a shared folder) counts as abandoned after this
/// time.
const FOREIGN_MAX_AGE: Duration = Duration::from_secs(14 * 24 * 3600);

/// A directory that this process owns. Removed on drop.
#[derive(Debug)]
pub struct OwnedDir {
    path: PathBuf,
    _lock: File,
    /// Programs that clean up temporary space (systemd-tmpfiles) skip a locked folder.
    _tmpfiles_lock: Option<File>,
}

impl OwnedDir {
    /// Creates `PREFIX-PID-RANDOM` in `parent`.
    pub fn create(parent: &Path, prefix: &str) -> Result<OwnedDir> {
        let path = tempfile::Builder::new()
            .prefix(&format!("{prefix}-{}-", std::process::id()))
            .rand_bytes(RANDOM)
            .tempdir_in(parent)
            .with_context(|| format!("failed to create a directory in {}", parent.display()))?
            .keep();
        let made = File::options()
            .read(true)
            .append(true)
            .create_new(true)
            .open(path.join(OWNER))
            .and_then(|mut file| {
                // Lock the file before it is complete: a complete owner file without a lock is
                // abandoned.
                match file.try_lock_shared() {
                    Ok(()) => {}
                    Err(TryLockError::WouldBlock) => {
                        return Err(std::io::Error::other("another process locked it first"));
                    }
                    // This file system has no locks. The contents of the file have to do.
                    Err(TryLockError::Error(_)) => {}
                }
                file.write_all(Owner::this_process().to_text().as_bytes())?;
                Ok(file)
            });
        match made {
            Ok(lock) => {
                let folder =
                    File::open(&path).ok().filter(|folder| folder.try_lock_shared().is_ok());
                Ok(OwnedDir { path, _lock: lock, _tmpfiles_lock: folder })
            }
            Err(error) => {
                let _ = std::fs::remove_dir_all(&path);
                Err(error).with_context(|| {
                    format!("failed to write the owner file of {}", path.display())
                })
            }
        }
    }

    /// The directory.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for OwnedDir {
    fn drop(&mut self) {
        remove(&self.path);
    }
}

/// Removes an owned directory. Tries several times, because a process that is ending may still
/// write to it. Returns false if that fails; the next sweep will try again.
pub fn remove(path: &Path) -> bool {
    for _ in 0..50 {
        match remove_once(path) {
            Ok(()) => return true,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return true,
            Err(_) => std::thread::sleep(Duration::from_millis(10)),
        }
    }
    false
}

/// Removes the directories `PREFIX-PID-RANDOM` in `parent` whose owners have died. Returns how
/// many.
pub fn sweep(parent: &Path, prefix: &str) -> usize {
    let ours = named(parent, prefix);
    ours.filter(|(path, pid)| {
        // Keep the lock until the directory is gone, so that no process can start using it.
        let (state, _lock) = inspect(path, *pid);
        match state {
            State::Abandoned => remove(path),
            State::Unmarked if age(path).is_some_and(|age| age > GRACE) => remove_unmarked(path),
            State::Unmarked | State::Other => false,
        }
    })
    .count()
}

/// Removes directories of process `pid` that have no complete owner file yet. The caller must know
/// that the process is dead; [`sweep`] leaves such directories alone for some time.
pub fn sweep_unmarked(parent: &Path, prefix: &str, pid: u32) {
    for (path, _) in named(parent, prefix).filter(|(_, owner)| *owner == pid) {
        if matches!(inspect(&path, pid), (State::Unmarked, _)) {
            remove_unmarked(&path);
        }
    }
}

/// Counts the directories whose owners have died. Removes nothing.
pub fn abandoned(parent: &Path, prefix: &str) -> usize {
    named(parent, prefix)
        .filter(|(path, pid)| matches!(inspect(path, *pid), (State::Abandoned, _)))
        .count()
}

/// The folders in `parent` with this prefix and a name of our form, and the process id in each
/// name.
fn named(parent: &Path, prefix: &str) -> impl Iterator<Item = (PathBuf, u32)> {
    let entries = std::fs::read_dir(parent).into_iter().flatten().flatten();
    entries.filter_map(move |entry| {
        let pid = pid_in(entry.file_name().to_str()?, prefix)?;
        // The type of the entry itself: a link is not one of our folders.
        entry.file_type().ok()?.is_dir().then(|| (entry.path(), pid))
    })
}

fn pid_in(name: &str, prefix: &str) -> Option<u32> {
    let (text, random) = name.strip_prefix(prefix)?.strip_prefix('-')?.split_once('-')?;
    let pid: u32 = text.parse().ok()?;
    let is_random =
        random.len() == RANDOM && random.bytes().all(|byte| byte.is_ascii_alphanumeric());
    (is_random && pid.to_string() == text).then_some(pid)
}

/// The state of a folder with a name of our form.
enum State {
    /// In use, not ours, or unknown.
    Other,
    /// Ours, and its owner has died.
    Abandoned,
    /// Ours by its name, but the owner file is missing or empty.
    Unmarked,
}

/// Also returns the owner file, on which this process then holds the lock if the directory is
/// abandoned.
fn inspect(path: &Path, pid: u32) -> (State, Option<File>) {
    let Ok(mut owner) = File::open(path.join(OWNER)) else { return (State::Unmarked, None) };
    let mut text = String::new();
    if owner.read_to_string(&mut text).is_err() {
        return (State::Other, None);
    }
    let abandoned = match Owner::from_text(&text) {
        None if text.is_empty() => return (State::Unmarked, Some(owner)),
        None => false,
        Some(made_by) if made_by.pid != pid => false,
        Some(made_by) if made_by.host != host_name() => {
            age(path).is_some_and(|age| age > FOREIGN_MAX_AGE)
        }
        Some(made_by) if made_by.boot != boot() => true,
        Some(made_by) => match owner.try_lock() {
            Ok(()) => true,
            Err(TryLockError::WouldBlock) => false,
            Err(TryLockError::Error(_)) => !made_by.is_running(),
        },
    };
    (if abandoned { State::Abandoned } else { State::Other }, Some(owner))
}

/// Removes a folder that is empty or contains only an empty owner file.
fn remove_unmarked(path: &Path) -> bool {
    let is_owner = |entry: std::fs::DirEntry| {
        entry.file_name() == OWNER && entry.metadata().is_ok_and(|file| file.len() == 0)
    };
    let Ok(mut entries) = std::fs::read_dir(path) else { return false };
    if !entries.all(|entry| entry.is_ok_and(is_owner)) {
        return false;
    }
    let _ = std::fs::remove_file(path.join(OWNER));
    std::fs::remove_dir(path).is_ok()
}

fn age(path: &Path) -> Option<Duration> {
    SystemTime::now().duration_since(std::fs::symlink_metadata(path).ok()?.modified().ok()?).ok()
}

/// The process that created a directory.
#[derive(Debug, PartialEq, Eq)]
struct Owner {
    pid: u32,
    /// The process's start time, in the system's units, in case its id is reused.
    started: String,
    boot: String,
    host: String,
}

impl Owner {
    fn this_process() -> Owner {
        let pid = std::process::id();
        Owner { pid, started: start_of(pid).unwrap_or_default(), boot: boot(), host: host_name() }
    }

    fn to_text(&self) -> String {
        format!(
            "{MARK} {} {} {} {}\n",
            self.pid,
            or_dash(&self.started),
            or_dash(&self.boot),
            or_dash(&self.host)
        )
    }

    /// `None` unless the text is one complete line.
    fn from_text(text: &str) -> Option<Owner> {
        let line = text.strip_suffix('\n')?.strip_prefix(MARK)?.strip_prefix(' ')?;
        let mut parts = line
            .splitn(4, ' ')
            .map(|part| if part == "-" { String::new() } else { part.to_owned() });
        Some(Owner {
            pid: parts.next()?.parse().ok()?,
            started: parts.next()?,
            boot: parts.next()?,
            host: parts.next()?,
        })
    }

    fn is_running(&self) -> bool {
        match start_of(self.pid) {
            Some(started) => self.started.is_empty() || started == self.started,
            None if cfg!(target_os = "linux") => false,
            // SAFETY: signal 0 only asks whether the process exists.
            None => unsafe { libc::kill(self.pid as libc::pid_t, 0) == 0 },
        }
    }
}

fn or_dash(text: &str) -> &str {
    if text.is_empty() { "-" } else { text }
}

/// Field 22 of `/proc/PID/stat`: when the process started.
fn start_of(pid: u32) -> Option<String> {
    process::stat(Pid::from_raw(pid.try_into().ok()?)?)?.get(19).cloned()
}

fn boot() -> String {
    std::fs::read_to_string("/proc/sys/kernel/random/boot_id")
        .map(|id| id.trim().to_owned())
        .unwrap_or_default()
}

/// The name of this machine.
pub fn host_name() -> String {
    let mut name = [0u8; 256];
    // SAFETY: the buffer is as long as said, and the last byte stays zero.
    let failed = unsafe { libc::gethostname(name.as_mut_ptr().cast(), name.len() - 1) };
    let end = name.iter().position(|&byte| byte == 0).unwrap_or(name.len());
    if failed == 0 {
        String::from_utf8_lossy(&name[..end]).replace([' ', '\n'], "_")
    } else {
        String::new()
    }
}

/// Removes the owner file last, so that an interrupted removal leaves a folder that is known to be
/// ours.
fn remove_once(path: &Path) -> std::io::Result<()> {
    for entry in std::fs::read_dir(path)? {
        let entry = entry?;
        if entry.file_name() == OWNER {
            continue;
        }
        if entry.file_type()?.is_dir() {
            std::fs::remove_dir_all(entry.path())?
        } else {
            std::fs::remove_file(entry.path())?
        }
    }
    match std::fs::remove_file(path.join(OWNER)) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error),
        _ => std::fs::remove_dir(path),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::process::{Command, Stdio};

    fn age_by(path: &Path, seconds: u64) {
        File::open(path)
            .unwrap()
            .set_modified(SystemTime::now() - Duration::from_secs(seconds))
            .unwrap();
    }

    /// Creates a folder named after its owner, with these eight characters at the end.
    fn owned_by(parent: &Path, random: &str, owner: &Owner) -> PathBuf {
        let path = parent.join(format!("kernel-{}-{random}", owner.pid));
        std::fs::create_dir(&path).unwrap();
        std::fs::write(path.join(OWNER), owner.to_text()).unwrap();
        std::fs::write(path.join("file"), "x").unwrap();
        path
    }

    #[test]
    fn is_removed_on_drop_and_never_before() {
        let parent = tempfile::tempdir().unwrap();
        let directory = OwnedDir::create(parent.path(), "kernel").unwrap();
        std::fs::write(directory.path().join("file"), "x").unwrap();
        assert_eq!(sweep(parent.path(), "kernel"), 0, "its owner is alive");
        assert!(directory.path().join("file").exists());
        assert!(
            File::open(directory.path()).unwrap().try_lock().is_err(),
            "systemd-tmpfiles would remove it"
        );
        let path = directory.path().to_path_buf();
        drop(directory);
        assert!(!path.exists());
    }

    #[test]
    fn a_dead_owner_is_swept_even_if_its_id_is_reused() {
        let parent = tempfile::tempdir().unwrap();
        // This process is alive, but it does not hold the lock, as if the id had been reused.
        let path = owned_by(parent.path(), "abcdefgh", &Owner::this_process());
        assert_eq!(sweep(parent.path(), "other"), 0);
        assert_eq!((abandoned(parent.path(), "other"), abandoned(parent.path(), "kernel")), (0, 1));
        assert_eq!(sweep(parent.path(), "kernel"), 1);
        assert!(!path.exists());
    }

    #[test]
    fn a_killed_process_loses_its_lock() {
        let parent = tempfile::tempdir().unwrap();
        let path = owned_by(parent.path(), "abcdefgh", &Owner::this_process());
        // Another process takes a shared lock on its standard input and keeps running.
        let mut owner = Command::new("bash")
            .args(["-c", "flock --shared 0; echo locked; exec sleep 1000"])
            .stdin(File::open(path.join(OWNER)).unwrap())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = [0; 7];
        owner.stdout.take().unwrap().read_exact(&mut line).unwrap();
        assert_eq!(sweep(parent.path(), "kernel"), 0);
        owner.kill().unwrap();
        owner.wait().unwrap();
        assert_eq!(sweep(parent.path(), "kernel"), 1);
    }

    #[test]
    fn unfinished_directories_and_other_machines_get_time() {
        let parent = tempfile::tempdir().unwrap();
        let (bare, half) =
            (parent.path().join("kernel-12-abcdefgh"), parent.path().join("kernel-12-bcdefghi"));
        std::fs::create_dir(&bare).unwrap();
        std::fs::create_dir(&half).unwrap();
        File::create(half.join(OWNER)).unwrap();
        let elsewhere =
            Owner { host: "another-node".into(), boot: "b".into(), ..Owner::this_process() };
        let far = owned_by(parent.path(), "abcdefgh", &elsewhere);
        assert_eq!(sweep(parent.path(), "kernel"), 0);
        for path in [&bare, &half, &far] {
            age_by(path, 120);
        }
        assert_eq!(sweep(parent.path(), "kernel"), 2);
        assert!(!half.exists() && !bare.exists() && far.exists());
        age_by(&far, 15 * 24 * 3600);
        assert_eq!(sweep(parent.path(), "kernel"), 1);
        let before_reboot = Owner { boot: "b".into(), ..Owner::this_process() };
        owned_by(parent.path(), "rebooted", &before_reboot);
        assert_eq!(sweep(parent.path(), "kernel"), 1);
    }

    /// Regression test: `run-2024` looked abandoned after a minute and was deleted.
    #[test]
    fn foreign_folders_stay() {
        let parent = tempfile::tempdir().unwrap();
        let names = [
            "run-2024",
            "lab-x",
            "kernel-1",
            "build-release",
            "run-2024-abcdefgh",
            "kernel-12-abcdefg",
            "kernel-+12-abcdefgh",
        ];
        let folders = names.map(|name| parent.path().join(name));
        for folder in &folders {
            std::fs::create_dir(folder).unwrap();
            std::fs::write(folder.join("results.csv"), "1,2\n").unwrap();
            std::fs::write(folder.join(OWNER), "").unwrap();
            age_by(folder, 15 * 24 * 3600);
        }
        // A copy of one of our folders that a user made on purpose.
        let copy = owned_by(parent.path(), "abcdefgh", &Owner::this_process());
        std::fs::rename(&copy, parent.path().join("kernel-12-hgfedcba")).unwrap();
        std::os::unix::fs::symlink(&folders[0], parent.path().join("run-12-abcdefgh")).unwrap();
        for prefix in ["run", "lab", "kernel", "build", "edition", "bench"] {
            assert_eq!((abandoned(parent.path(), prefix), sweep(parent.path(), prefix)), (0, 0));
            sweep_unmarked(parent.path(), prefix, 12);
            sweep_unmarked(parent.path(), prefix, 2024);
        }
        assert!(folders.iter().all(|folder| folder.join("results.csv").exists()));
        assert_eq!(std::fs::read_dir(parent.path()).unwrap().count(), names.len() + 2);
    }

    #[test]
    fn unmarked_directories_of_a_dead_process_are_removed_at_once() {
        let parent = tempfile::tempdir().unwrap();
        let half = parent.path().join("kernel-12-abcdefgh");
        let others = ["kernel-1-abcdefgh", "kernel-123-abcdefgh", "lab-12-abcdefgh"]
            .map(|name| parent.path().join(name));
        for path in others.iter().chain([&half]) {
            std::fs::create_dir(path).unwrap();
            File::create(path.join(OWNER)).unwrap();
        }
        let marked =
            owned_by(parent.path(), "bcdefghi", &Owner { pid: 12, ..Owner::this_process() });
        sweep_unmarked(parent.path(), "kernel", 12);
        assert!(!half.exists());
        assert!(marked.exists() && others.iter().all(|path| path.exists()));
    }

    #[test]
    fn identifies_processes_by_id_and_start() {
        let mut me = Owner::this_process();
        assert!(me.is_running());
        assert_eq!(Owner::from_text(&me.to_text()).unwrap(), me);
        for text in ["parcourse 12 34 boot", "parcourse 12 34 boot host", "12 34 boot host\n"] {
            assert_eq!(Owner::from_text(text), None, "incomplete, or not ours: {text}");
        }
        me.started = "1".into();
        assert_eq!(me.is_running(), !cfg!(target_os = "linux"));
    }
}
