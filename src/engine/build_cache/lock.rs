//! One build at a time.
//!
//! The lock saves work, it does not protect anything: two processes that build the same template
//! both succeed, and the second finds the first one's. So whenever the lock cannot be had in a
//! sensible way (a file system without locks, a lock server that does not answer, a holder that
//! stopped breathing) the answer is to build without it.

use anyhow::{Context, Result};
use std::cell::Cell;
use std::fs::{File, TryLockError};
use std::io::{Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::{Duration, Instant};

/// A holder says something at least this often.
pub const HEARTBEAT: Duration = Duration::from_secs(2);
/// A holder that said nothing for this long is taken for dead.
const SILENCE: Duration = Duration::from_secs(60);
/// A lock call on a network file system whose server is gone may never return.
const PATIENCE: Duration = Duration::from_secs(10);

/// What came of waiting.
pub enum Turn {
    /// The lock is ours.
    Ours(BuildLock),
    /// There is no getting the lock: build without.
    Unlocked,
    /// What was to be built is there.
    Done,
}

/// The lock, held until dropped.
pub struct BuildLock {
    file: File,
    beats: Cell<u64>,
}

impl BuildLock {
    /// Lets those who wait know how far it is.
    pub fn say(&self, text: &str) {
        self.beats.set(self.beats.get() + 1);
        let line = format!("{}\n{text}\n", self.beats.get());
        let mut file = &self.file;
        // Nobody depends on it: those who wait would build for themselves.
        let _ = file
            .set_len(0)
            .and_then(|()| file.seek(SeekFrom::Start(0)))
            .and_then(|_| file.write_all(line.as_bytes()));
    }
}

/// Waits for the lock on `path`, until `done` says that there is nothing left to do.
pub fn take(path: &Path, progress: &mut dyn FnMut(&str), done: impl Fn() -> bool) -> Result<Turn> {
    take_with(path, SILENCE, progress, done)
}

fn take_with(
    path: &Path,
    silence: Duration,
    progress: &mut dyn FnMut(&str),
    done: impl Fn() -> bool,
) -> Result<Turn> {
    let mut heard = String::new();
    let mut last_change = Instant::now();
    loop {
        match try_lock(path)? {
            Attempt::Locked(file) => {
                return Ok(Turn::Ours(BuildLock { file, beats: Cell::new(0) }));
            }
            Attempt::Impossible => return Ok(Turn::Unlocked),
            Attempt::Busy => {}
        }
        if done() {
            return Ok(Turn::Done);
        }
        let now = std::fs::read_to_string(path).unwrap_or_default();
        if now != heard {
            last_change = Instant::now();
            let said = now.lines().nth(1).unwrap_or_default();
            if heard.is_empty() || heard.lines().nth(1).unwrap_or_default() != said {
                progress(&format!(
                    "another process is building it: {}",
                    if said.is_empty() { "just started" } else { said }
                ));
            }
            heard = now;
        } else if last_change.elapsed() > silence {
            progress(
                "the process that was building it no longer answers: building without waiting for it",
            );
            return Ok(Turn::Unlocked);
        }
        std::thread::sleep(Duration::from_millis(100));
    }
}

enum Attempt {
    Locked(File),
    Busy,
    Impossible,
}

fn try_lock(path: &Path) -> Result<Attempt> {
    let (sender, receiver) = channel();
    let path: PathBuf = path.into();
    let name = path.clone();
    // On a thread of its own, because nothing ends a lock call that its server never answers.
    std::thread::spawn(move || {
        let answer =
            File::options().read(true).write(true).create(true).truncate(false).open(&path).map(
                |file| match file.try_lock() {
                    Ok(()) => Attempt::Locked(file),
                    Err(TryLockError::WouldBlock) => Attempt::Busy,
                    Err(TryLockError::Error(_)) => Attempt::Impossible,
                },
            );
        let _ = sender.send(answer);
    });
    match receiver.recv_timeout(PATIENCE) {
        Ok(answer) => answer.with_context(|| {
            format!(
                "failed to write {}: let PARCOURSE_CACHE name a folder that can be written",
                name.display()
            )
        }),
        Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => Ok(Attempt::Impossible),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_second_waits_and_hears_the_first() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("key.lock");
        let Turn::Ours(first) = take(&path, &mut |_| {}, || false).unwrap() else { panic!("free") };
        first.say("3 of 12");
        let mut lines = Vec::new();
        let asked = Cell::new(0);
        let turn = take(&path, &mut |line| lines.push(line.to_owned()), || {
            asked.replace(asked.get() + 1) == 3
        })
        .unwrap();
        assert!(matches!(turn, Turn::Done));
        assert_eq!(lines, ["another process is building it: 3 of 12"]);
        drop(first);
        assert!(matches!(take(&path, &mut |_| {}, || false).unwrap(), Turn::Ours(_)), "freed");
    }

    #[test]
    fn a_silent_holder_is_not_waited_for_forever() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("key.lock");
        let _first = take(&path, &mut |_| {}, || false).unwrap();
        let turn = take_with(&path, Duration::from_millis(300), &mut |_| {}, || false).unwrap();
        assert!(matches!(turn, Turn::Unlocked));
    }

    #[test]
    fn a_folder_that_cannot_be_written_is_an_error_with_a_way_out() {
        let Err(error) = take(Path::new("/proc/nowhere/key.lock"), &mut |_| {}, || false) else {
            panic!("wrote into /proc")
        };
        assert!(format!("{error:#}").contains("PARCOURSE_CACHE"));
    }
}
