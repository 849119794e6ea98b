//! The workers of a persistent pool, while they have nothing to do.

use super::crew::kill_all;
use super::shipped;
use super::worker::Worker;
use std::io;
use std::ops::Range;
use std::sync::{Mutex, MutexGuard, PoisonError};

pub(super) struct Kept {
    size: usize,
    idle: Mutex<Vec<Worker>>,
}

impl Kept {
    /// So many at most are kept; there is none yet.
    pub(super) fn new(size: usize) -> Kept {
        Kept { size, idle: Mutex::default() }
    }

    /// Starts all that are missing.
    pub(super) fn start(&self) -> io::Result<()> {
        let missing = self.size - self.lock().len();
        (0..missing).try_for_each(|_| hire().map(|worker| self.give_back([worker])))
    }

    /// All that are there and alive.
    pub(super) fn take_all(&self) -> Vec<Worker> {
        let mut workers = std::mem::take(&mut *self.lock());
        // Outside of the lock: dropping a dead one takes time.
        workers.retain_mut(Worker::is_alive);
        workers
    }

    /// One that is alive. When all are busy it is a new one: waiting could be for ever, where a
    /// pool is used inside of itself.
    fn take_one(&self) -> io::Result<Worker> {
        while let Some(mut worker) = self.pop() {
            if worker.is_alive() {
                return Ok(worker);
            }
        }
        hire()
    }

    /// One that does these items, of which the bytes say what it needs to know.
    pub(super) fn begin(&self, items: Range<usize>, bytes: &[u8]) -> io::Result<Worker> {
        let mut worker = self.take_one()?;
        worker.assign(items, bytes);
        Ok(worker)
    }

    fn pop(&self) -> Option<Worker> {
        self.lock().pop()
    }

    /// They have done their work. Those that are too many end.
    pub(super) fn give_back(&self, workers: impl IntoIterator<Item = Worker>) {
        let mut surplus: Vec<Worker> = workers.into_iter().collect();
        let mut idle = self.lock();
        while idle.len() < self.size
            && let Some(worker) = surplus.pop()
        {
            idle.push(worker);
        }
        drop(idle);
        kill_all(&mut surplus);
    }

    /// The numbers of their processes.
    pub(super) fn pids(&self) -> Vec<u32> {
        self.lock().iter().map(Worker::pid).collect()
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Worker>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Kept {
    fn drop(&mut self) {
        kill_all(&mut self.lock());
    }
}

/// A new worker, that does what it is sent.
pub(super) fn hire() -> io::Result<Worker> {
    Worker::hire(&mut |desk| desk.serve(&mut shipped::serve()))
}
