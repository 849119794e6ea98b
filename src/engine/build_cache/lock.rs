//! The lock that allows one build at a time.
//!
//! The lock only saves work. Two processes that build the same template both succeed, and the
//! second finds the first one's result. So if the lock is not available (the file system has no
//! locks, the lock server does not answer, the holder's heartbeat has stopped), the process builds
//! without it.

use anyhow::{Context, Result};
use std::cell::Cell;
use std::fs::{File, TryLockError};
use std::io::{Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::{Duration, Instant};

/// A holder writes a heartbeat at least this often.
pub const HEARTBEAT_INTERVAL: Duration = Duration::from_secs(2);
/// A holder without a heartbeat for this long is considered dead.
const HEARTBEAT_TIMEOUT: Duration = Duration::from_secs(60);
/// A lock call on a network file system may never return if the server is gone.
const LOCK_CALL_TIMEOUT: Duration = Duration::from_secs(10);

/// The result of waiting for the lock.
pub enum LockOutcome {
    /// This process holds the lock.
    Acquired(BuildLock),
    /// The lock is not available: build without it.
    Unavailable,
    /// Another process has finished the build.
    Done,
}

/// The lock, held until dropped.
pub struct BuildLock {
    file: File,
    beats: Cell<u64>,
}

impl BuildLock {
    /// Writes a heartbeat and the current progress for the processes that wait.
    pub fn report(&self, text: &str) {
        self.beats.set(self.beats.get() + 1);
        let line = format!("{}\n{text}\n", self.beats.get());
        let mut file = &self.file;
        // A failed write does no harm: the waiting processes would build for themselves.
        let _ = file
            .set_len(0)
            .and_then(|()| file.seek(SeekFrom::Start(0)))
            .and_then(|_| file.write_all(line.as_bytes()));
    }
}

/// Waits for the lock on `path`, or until `done` returns true.
pub fn acquire(
    path: &Path,
    progress: &mut dyn FnMut(&str),
    done: impl Fn() -> bool,
) -> Result<LockOutcome> {
    acquire_within(path, HEARTBEAT_TIMEOUT, progress, done)
}

fn acquire_within(
    path: &Path,
    timeout: Duration,
    progress: &mut dyn FnMut(&str),
    done: impl Fn() -> bool,
) -> Result<LockOutcome> {
    let mut last_seen = String::new();
    let mut last_change = Instant::now();
    loop {
        match try_lock(path)? {
            Attempt::Locked(file) => {
                return Ok(LockOutcome::Acquired(BuildLock { file, beats: Cell::new(0) }));
            }
            Attempt::Unsupported => return Ok(LockOutcome::Unavailable),
            Attempt::Busy => {}
        }
        if done() {
            return Ok(LockOutcome::Done);
        }
        let now = std::fs::read_to_string(path).unwrap_or_default();
        if now != last_seen {
            last_change = Instant::now();
            let message = now.lines().nth(1).unwrap_or_default();
            if last_seen.is_empty() || last_seen.lines().nth(1).unwrap_or_default() != message {
                progress(&format!(
                    "another process is building it: {}",
                    if message.is_empty() { "just started" } else { message }
                ));
            }
            last_seen = now;
        } else if last_change.elapsed() > timeout {
            progress(
                "the process that was building it has stopped responding: building without \
                 waiting for it",
            );
            return Ok(LockOutcome::Unavailable);
        }
        std::thread::sleep(Duration::from_millis(100));
    }
}

enum Attempt {
    Locked(File),
    Busy,
    Unsupported,
}

fn try_lock(path: &Path) -> Result<Attempt> {
    let (sender, receiver) = channel();
    let path: PathBuf = path.into();
    let name = path.clone();
    // On a separate thread, because a lock call that the server never answers cannot be cancelled.
    std::thread::spawn(move || {
        let answer =
            File::options().read(true).write(true).create(true).truncate(false).open(&path).map(
                |file| match file.try_lock() {
                    Ok(()) => Attempt::Locked(file),
                    Err(TryLockError::WouldBlock) => Attempt::Busy,
                    Err(TryLockError::Error(_)) => Attempt::Unsupported,
                },
            );
        let _ = sender.send(answer);
    });
    match receiver.recv_timeout(LOCK_CALL_TIMEOUT) {
        Ok(answer) => answer.with_context(|| {
            format!("failed to write {}: set PARCOURSE_CACHE to a writable folder", name.display())
        }),
        Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => Ok(Attempt::Unsupported),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_waiting_process_sees_the_holders_progress() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("key.lock");
        let LockOutcome::Acquired(first) = acquire(&path, &mut |_| {}, || false).unwrap() else {
            panic!("free")
        };
        first.report("3 of 12");
        let mut lines = Vec::new();
        let asked = Cell::new(0);
        let outcome = acquire(&path, &mut |line| lines.push(line.to_owned()), || {
            asked.replace(asked.get() + 1) == 3
        })
        .unwrap();
        assert!(matches!(outcome, LockOutcome::Done));
        assert_eq!(lines, ["another process is building it: 3 of 12"]);
        drop(first);
        assert!(
            matches!(acquire(&path, &mut |_| {}, || false).unwrap(), LockOutcome::Acquired(_)),
            "freed"
        );
    }

    #[test]
    fn waiting_for_a_holder_without_heartbeat_ends() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("key.lock");
        let _first = acquire(&path, &mut |_| {}, || false).unwrap();
        let outcome =
            acquire_within(&path, Duration::from_millis(300), &mut |_| {}, || false).unwrap();
        assert!(matches!(outcome, LockOutcome::Unavailable));
    }

    #[test]
    fn a_read_only_folder_is_an_error_that_names_the_variable() {
        let Err(error) = acquire(Path::new("/proc/nowhere/key.lock"), &mut |_| {}, || false) else {
            panic!("wrote into /proc")
        };
        assert!(format!("{error:#}").contains("PARCOURSE_CACHE"));
    }
}
