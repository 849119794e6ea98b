//! The workers of a persistent pool that are idle.

use super::map_dispatcher::kill_all;
use crate::processes::worker::parent_side::Worker;
use crate::processes::worker::spawn::spawn_persistent;
use std::io;
use std::ops::Range;
use std::sync::{Mutex, MutexGuard, PoisonError};

pub(crate) struct IdleWorkers {
    size: usize,
    idle: Mutex<Vec<Worker>>,
}

impl IdleWorkers {
    /// Keeps at most `size` workers; there is none yet.
    pub(crate) fn new(size: usize) -> IdleWorkers {
        IdleWorkers { size, idle: Mutex::default() }
    }

    /// Starts the missing workers.
    pub(crate) fn start(&self) -> io::Result<()> {
        let missing = self.size - self.lock().len();
        (0..missing).try_for_each(|_| spawn_persistent().map(|worker| self.give_back([worker])))
    }

    /// All idle workers that are alive.
    pub(crate) fn take_all(&self) -> Vec<Worker> {
        let mut workers = std::mem::take(&mut *self.lock());
        // Outside the lock: dropping a dead worker takes time.
        workers.retain_mut(Worker::is_alive);
        workers
    }

    /// A worker that is alive. If all are busy, a new one: when a pool is used inside itself,
    /// waiting could last forever.
    fn take_one(&self) -> io::Result<Worker> {
        while let Some(mut worker) = self.pop() {
            if worker.is_alive() {
                return Ok(worker);
            }
        }
        spawn_persistent()
    }

    /// A worker that computes these items; the bytes contain what it needs.
    pub(crate) fn begin(&self, items: Range<usize>, bytes: &[u8]) -> io::Result<Worker> {
        let mut worker = self.take_one()?;
        worker.assign(items, bytes);
        Ok(worker)
    }

    fn pop(&self) -> Option<Worker> {
        self.lock().pop()
    }

    /// Takes workers back. Surplus ones end.
    pub(crate) fn give_back(&self, workers: impl IntoIterator<Item = Worker>) {
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

    /// The ids of their processes.
    pub(crate) fn pids(&self) -> Vec<u32> {
        self.lock().iter().map(Worker::pid).collect()
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Worker>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for IdleWorkers {
    fn drop(&mut self) {
        kill_all(&mut self.lock());
    }
}
