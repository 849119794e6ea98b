//! Where the result of a submitted task arrives.

use super::Failure;
use crate::interrupt::{self, POLL_INTERVAL, Scope};
use std::any::Any;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// Filled once by the worker, emptied once by the caller.
pub(crate) struct Slot {
    state: Mutex<State>,
    filled: Condvar,
}

/// A value whose type the caller knows, or the reason why there is none.
pub(crate) type Outcome = Result<Box<dyn Any + Send>, Failure>;

enum State {
    Waiting,
    Full(Outcome),
    Taken,
}

/// How often a thread of rayon, which looks for work while it waits, checks for an interrupt.
const HELPER_POLL_INTERVAL: Duration = Duration::from_micros(200);

impl Slot {
    pub(crate) fn new() -> Arc<Slot> {
        Arc::new(Slot { state: Mutex::new(State::Waiting), filled: Condvar::new() })
    }

    /// Only the first result counts.
    pub(crate) fn fill(&self, result: Outcome) {
        let mut state = self.lock();
        if matches!(*state, State::Waiting) {
            *state = State::Full(result);
            self.filled.notify_all();
        }
    }

    pub(crate) fn is_filled(&self) -> bool {
        !matches!(*self.lock(), State::Waiting)
    }

    /// Waits until there is a result, or until the given time; returns whether there is one.
    /// Unwinds when interrupted.
    ///
    /// A thread of a rayon pool, ours or another, runs other work of its pool meanwhile: if all
    /// threads waited for each other, they would wait forever.
    pub(crate) fn wait(&self, until: Option<Instant>) -> bool {
        if self.is_filled() {
            return true;
        }
        let _scope = Scope::enter();
        loop {
            // Even if the result has arrived: the task may have ended because of the interrupt.
            interrupt::check();
            if self.is_filled() {
                return true;
            }
            let helping = match rayon::yield_now() {
                Some(rayon::Yield::Executed) => continue,
                other => other.is_some(),
            };
            let left = until
                .map_or(POLL_INTERVAL, |until| until.saturating_duration_since(Instant::now()));
            let interval = left.min(if helping { HELPER_POLL_INTERVAL } else { POLL_INTERVAL });
            let waiting = |state: &mut State| matches!(state, State::Waiting);
            drop(
                self.filled
                    .wait_timeout_while(self.lock(), interval, waiting)
                    .unwrap_or_else(PoisonError::into_inner),
            );
            if left.is_zero() {
                return self.is_filled();
            }
        }
    }

    /// The result, once: `None` before it has arrived, and after it was taken.
    pub(crate) fn take(&self) -> Option<Outcome> {
        let mut state = self.lock();
        match std::mem::replace(&mut *state, State::Taken) {
            State::Full(result) => Some(result),
            before => {
                *state = before;
                None
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn number(outcome: Option<Outcome>) -> Option<i32> {
        outcome.map(|outcome| *outcome.unwrap().downcast().unwrap())
    }

    #[test]
    fn is_filled_and_emptied_once() {
        let slot = Slot::new();
        assert!(!slot.is_filled() && slot.take().is_none());
        assert!(!slot.wait(Some(Instant::now() + Duration::from_millis(1))));
        slot.fill(Ok(Box::new(7)));
        slot.fill(Ok(Box::new(8)));
        assert!(slot.wait(None));
        assert_eq!(number(slot.take()), Some(7));
        slot.fill(Ok(Box::new(9)));
        assert!(slot.is_filled() && slot.take().is_none());
    }

    #[test]
    fn fill_wakes_a_waiting_thread() {
        let slot = Slot::new();
        let other = slot.clone();
        let filler = std::thread::spawn(move || other.fill(Ok(Box::new(7))));
        assert!(slot.wait(Some(Instant::now() + Duration::from_secs(20))));
        filler.join().unwrap();
        assert_eq!(number(slot.take()), Some(7));
    }
}
